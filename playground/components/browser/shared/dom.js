// Elements: making them, and changing in them only what is another.

export const SVG = "http://www.w3.org/2000/svg";

// An SVG element; `text` is set as text. Attributes that are null are left out.
export function svg(tag, attributes = {}, text = null) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  if (text !== null) element.textContent = text;
  return element;
}

export function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

// Text that is the same is left alone: a selection in it stays.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// As many children as are wanted, the old ones kept.
export function children(parent, count, build) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) parent.append(build());
  return [...parent.children];
}

// Attributes and text, each set only where it is another than before; null takes an attribute away.
export function put(element, attributes, text) {
  const kept = (element.kept ||= {});
  for (const name in attributes) {
    const value = attributes[name];
    if (kept[name] === value) continue;
    kept[name] = value;
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  if (text !== undefined && kept[" text"] !== text) {
    kept[" text"] = text;
    element.textContent = text;
  }
  return element;
}

// A new SVG element in its place.
export function add(parent, tag, name = "", attributes = {}) {
  const element = svg(tag, attributes);
  if (name) element.setAttribute("class", name);
  parent.append(element);
  return element;
}

// A canvas as large as it is to be seen, in dots of the screen, wiped: its pen.
export function sharpen(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(across / width, 0, 0, down / height, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
