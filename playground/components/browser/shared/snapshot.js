// An SVG of what stands in an HTML element, as it is seen: texts, lines, coloured boxes, canvases, drawings. What is
// marked with `data-screen` is for the screen alone.

import { svg } from "./dom.js";

const MARGIN = 16; // px around

export function snapshot(root) {
  const { left, top, width, height } = root.getBoundingClientRect();
  const [across, down] = [Math.ceil(width) + 2 * MARGIN, Math.ceil(height) + 2 * MARGIN];
  const picture = svg("svg", { viewBox: `0 0 ${across} ${down}`, width: across, height: down });
  const pen = document.createElement("canvas").getContext("2d");
  take(root, picture, { x: left - MARGIN, y: top - MARGIN, pen, window: null });
  return picture;
}

function take(element, picture, look) {
  const style = getComputedStyle(element);
  if ("screen" in element.dataset || style.display === "none" || style.visibility === "hidden") return;
  const bounds = element.getBoundingClientRect();
  if (!seen(bounds, look.window)) return;
  const box = placed(bounds, look);
  if (element.matches("canvas")) return picture.append(svg("image", { ...box, href: element.toDataURL(), preserveAspectRatio: "none", style: "image-rendering: pixelated" }));
  if (element.matches("svg")) return picture.append(inner(element, box));
  drawBox(picture, style, box);
  if (element.matches("input")) return words(picture, element.value, { ...box, x: box.x + parseFloat(style.paddingLeft), width: 0 }, style, look);
  const within = style.overflowY === "auto" ? { ...look, window: bounds } : look;
  const into = Number(style.opacity) < 1 ? picture.appendChild(svg("g", { opacity: style.opacity })) : picture;
  for (const node of element.childNodes) {
    if (node.nodeType === Node.ELEMENT_NODE) take(node, into, within);
    else if (node.nodeType === Node.TEXT_NODE) takeText(node, style, into, within);
  }
}

// Whether it is not scrolled out of the window that it stands in.
function seen(bounds, window) {
  return !window || (bounds.top >= window.top - 1 && bounds.bottom <= window.bottom + 1);
}

function placed(bounds, { x, y }) {
  return { x: bounds.left - x, y: bounds.top - y, width: bounds.width, height: bounds.height };
}

function inner(element, box) {
  const copy = element.cloneNode(true);
  for (const [name, value] of Object.entries(box)) copy.setAttribute(name, value);
  copy.removeAttribute("style");
  return copy;
}

function drawBox(picture, style, { x, y, width, height }) {
  const clear = /rgba\(.*, 0\)|transparent/;
  const filled = !clear.test(style.backgroundColor);
  const [left, top, bottom] = ["Left", "Top", "Bottom"].map((side) => parseFloat(style[`border${side}Width`]));
  const framed = left > 0 && top > 0;
  if (filled || framed) {
    const edge = framed ? { stroke: style.borderTopColor, "stroke-width": style.borderTopWidth } : {};
    const rx = parseFloat(style.borderRadius) || 0;
    picture.append(svg("rect", { x, y, width, height, rx, fill: filled ? style.backgroundColor : "none", ...edge }));
  }
  if (framed) return;
  const line = (at, color) => picture.append(svg("line", { x1: x, x2: x + width, y1: at, y2: at, stroke: color }));
  if (top > 0) line(y, style.borderTopColor);
  if (bottom > 0) line(y + height, style.borderBottomColor);
}

// Word by word: where a line breaks is the browser's to say.
function takeText(node, style, picture, look) {
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const bounds = range.getBoundingClientRect();
    if (bounds.width && seen(bounds, look.window)) words(picture, word, placed(bounds, look), style, look);
  }
}

// A reader without the fonts sets the word as wide as it is here.
function words(picture, text, box, style, { pen }) {
  pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = pen.measureText(text);
  const y = box.y + (box.height - above - below) / 2 + above;
  const font = { "font-family": style.fontFamily, "font-size": style.fontSize, "font-weight": style.fontWeight, "font-style": style.fontStyle };
  const wide = box.width ? { textLength: box.width, lengthAdjust: "spacingAndGlyphs" } : {};
  picture.append(svg("text", { x: box.x, y, fill: style.color, ...font, ...wide }, text));
}
