// What every drawing shares: the colour code, numbers in words of three digits, SVG elements, files to take away.
// It is put before a component's own script. Colours come from the data (`data.colors`), ink and paper from the theme.

const SVG = "http://www.w3.org/2000/svg";
const FORMULA = /^[=+\-@\t\r]/;

// An SVG element; `text` is set as text. Attributes that are null are left out.
function svg(tag, attributes = {}, text = null) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  if (text !== null) element.textContent = text;
  return element;
}

// At most three significant digits; NaN and infinity are said.
function digits(value) {
  if (value === null || Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e4 || size < 1e-3 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(3)));
  return text.replace("-", "−").replace("e-", "e−");
}

function mix(from, to, share) {
  const part = (color, at) => parseInt(color.slice(at, at + 2), 16);
  const one = (at) => Math.round(part(from, at) + (part(to, at) - part(from, at)) * share);
  return `rgb(${one(1)}, ${one(3)}, ${one(5)})`;
}

// Signed values: blue below zero, paper at zero, orange above; `full` is where the colour is at its fullest.
function signedColor(value, full, colors) {
  if (value === null || !Number.isFinite(value)) return colors.nan;
  const share = Math.min(1, Math.abs(value) / (full || 1));
  return mix(colors.paper, value < 0 ? colors.negative : colors.positive, share);
}

// Gates and everything else from 0 to `full`: from the paper to one strong hue.
function gateColor(value, full, colors, hue = colors.gate) {
  if (value === null || !Number.isFinite(value)) return colors.nan;
  return mix(colors.paper, hue, Math.max(0, Math.min(1, value / (full || 1))));
}

// Black or white, whichever is read better on a colour that one of the two above gave.
function inkOn(color) {
  const [r, g, b] = color.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
    : color.match(/\d+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 150 ? "#1B1E25" : "#FFFFFF";
}

// The theme's paper and ink where the element stands, as #RRGGBB, added to the colours that came with the data.
function themed(element, colors) {
  const style = getComputedStyle(element);
  const paper = hex(style.getPropertyValue("--st-background-color")) || "#FFFFFF";
  const ink = hex(style.getPropertyValue("--st-text-color")) || "#31333F";
  return { ...colors, paper, ink };
}

function hex(color) {
  const text = color.trim();
  if (/^#[0-9a-f]{6}/i.test(text)) return text.slice(0, 7);
  const parts = text.match(/\d+/g);
  return parts ? `#${parts.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, "0")).join("")}` : "";
}

// Numbers that came as base64 of little-endian float32, or as base64 of bytes.
function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

function bytes(text) {
  const letters = atob(text);
  const found = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) found[at] = letters.charCodeAt(at); // ten times as fast as `from`
  return found;
}

// ---- files to take away

// A row of three small buttons. `picture` gives the SVG element to be saved, `rows` a list of lists, names first.
function takeAway(parent, name, picture, rows) {
  parent.replaceChildren(); // a component may be mounted again where it stood before
  for (const kind of ["SVG", "PNG", "CSV"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "take";
    button.textContent = kind;
    button.title = `Download as ${kind}`;
    button.onclick = () => (kind === "CSV" ? saveTable(rows(), name) : savePicture(picture(), name, kind));
    parent.append(button);
  }
}

function saveTable(rows, name) {
  const cell = (value) => {
    const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  save(new Blob([rows.map((row) => row.map(cell).join(",")).join("\n")], { type: "text/csv" }), `${name}.csv`);
}

// What a file needs of an element's look. The first are inherited: only what differs from the parent's is written, which
// keeps a large picture's file small. (The shorthand "font" is empty where any of its parts has no place in it.)
const INHERITED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "visibility", "paint-order"];
const ITS_OWN = { opacity: "1", display: "inline" };

function writeStyle(element, copy, outermost) {
  const style = getComputedStyle(element);
  const above = outermost ? null : getComputedStyle(element.parentNode);
  for (const key of INHERITED) {
    const value = style.getPropertyValue(key);
    if (!above || element.hasAttribute(key) || above.getPropertyValue(key) !== value) copy.style.setProperty(key, value);
  }
  for (const [key, usual] of Object.entries(ITS_OWN)) {
    const value = style.getPropertyValue(key);
    if (value !== usual && value !== "block") copy.style.setProperty(key, value);
  }
  if (element.tagName === "text") copy.style.setProperty("dominant-baseline", style.getPropertyValue("dominant-baseline"));
}

// The picture leaves as it is seen: computed colours and fonts are written into a copy, on the theme's paper.
function savePicture(picture, name, kind) {
  const copy = picture.cloneNode(true);
  const [from, to] = [picture, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  from.forEach((element, place) => writeStyle(element, to[place], element === picture));
  const box = picture.viewBox.baseVal;
  const [width, height] = box && box.width ? [box.width, box.height] : [picture.clientWidth, picture.clientHeight];
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const paper = svg("rect", { x: box?.x || 0, y: box?.y || 0, width, height, fill: themed(picture, {}).paper });
  copy.insertBefore(paper, copy.firstChild);
  const blob = new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  if (kind === "SVG") save(blob, `${name}.svg`);
  else rasterise(blob, width, height, name);
}

const MOST_PIXELS = 16000; // of one side: browsers draw no larger canvas

function rasterise(blob, width, height, name) {
  const scale = Math.min(2, MOST_PIXELS / Math.max(width, height));
  const address = URL.createObjectURL(blob);
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(address);
    canvas.toBlob((png) => save(png, `${name}.png`), "image/png");
  };
  image.src = address;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
