// Pictures and tables to take away.

import { colorsOf } from "./colors.js";
import { svg, SVG } from "./dom.js";

const FORMULA = /^[=+\-@\t\r]/;

// A row of three small buttons. `name` gives the file's name, `picture` the SVG element to be saved, `rows` a list of
// lists, names first.
export function takeAway(parent, name, picture, rows) {
  parent.replaceChildren(); // a component may be mounted again where it stood before
  for (const kind of ["SVG", "PNG", "CSV"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "take";
    button.textContent = kind;
    button.title = `Download as ${kind}`;
    button.onclick = () => (kind === "CSV" ? saveTable(rows(), name()) : savePicture(picture(), name(), kind));
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
  const paper = svg("rect", { x: box?.x || 0, y: box?.y || 0, width, height, fill: colorsOf(picture).paper });
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
  link.download = name.replace(/[^\p{L}\p{N}_.-]+/gu, "-");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
