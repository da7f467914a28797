// The drawing: wires below, operations on them, tags beside. Built once for a layout; what changes is patched.

import { svg } from "../shared/dom.js";

const CORNER = 9;
const ARROW = 7;
export const SIGNS = { times: "×", plus: "+", one_minus: "1−", turn: "mod T = 0", join: "[ ]", sigmoid: "σ", tanh: "tanh", relu: "ReLU" };
const ROUND = new Set(["times", "plus", "one_minus"]);
const WIDE = new Set(["join"]); // what they give out is two vectors in one: a thicker line

export function drawLayout(picture, layout, serial) {
  const [width, height] = layout.size;
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.style.setProperty("--natural", `${width}px`);
  picture.style.setProperty("--rems", `${width / 16}rem`); // as large as it is beside type of the usual size
  const [left, top, across, down] = layout.frame;
  const frame = svg("rect", { class: "frame", x: left, y: top, width: across, height: down, rx: 20 });
  const wires = svg("g", { class: "wires" });
  const nodes = svg("g", { class: "nodes" });
  const tags = svg("g", { class: "tags" });
  picture.replaceChildren(patterns(serial), frame, wires, nodes, tags);
  const found = { nets: new Map(), nodes: new Map(), tags: [], byName: new Map(), texts: [] };
  for (const node of layout.nodes) found.byName.set(node.name, node);
  for (const [name, group] of netsOf(layout, found.byName)) {
    wires.append(group);
    found.nets.set(name, group);
  }
  for (const node of layout.nodes) {
    const group = drawNode(node, serial);
    for (const text of group.querySelectorAll(".label")) found.texts.push([text, node.size[0] - 6]);
    nodes.append(group);
    found.nodes.set(node.name, group);
  }
  for (const tag of layout.tags) {
    const drawn = drawTag(tag, found.byName.get(tag.of));
    tags.append(drawn.group);
    if (tag.named) found.texts.push([drawn.group.querySelector(".name"), tag.size[0]]);
    found.tags.push(drawn);
  }
  return found;
}

// Colour scales for the shapes of activation functions, and hatching for what is no number.
function patterns(serial) {
  const defs = svg("defs");
  const stops = { sigmoid: ["paper", "gate"], turn: ["paper", "gate"], tanh: ["negative", "paper", "positive"], relu: ["paper", "paper", "positive"] };
  for (const [name, colors] of Object.entries(stops)) {
    const gradient = svg("linearGradient", { id: `${name}-${serial}` });
    colors.forEach((color, at) => gradient.append(svg("stop", { offset: at / (colors.length - 1), "data-tone": color })));
    defs.append(gradient);
  }
  const hatch = svg("pattern", { id: `nan-${serial}`, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(svg("rect", { width: 4, height: 4, class: "nan-paper" }), svg("rect", { width: 2, height: 4, class: "nan-line" }));
  defs.append(hatch);
  return defs;
}

// ---- wires

// One group for each value: all the ways it goes, with their forks. Where it crosses another, a gap stays around it.
function netsOf(layout, byName) {
  const nets = new Map();
  for (const [source, target, points] of layout.wires) {
    if (!nets.has(source)) nets.set(source, svg("g", { class: "net", "data-name": source }));
    const thick = WIDE.has(byName.get(source).operation);
    if (thick) nets.get(source).classList.add("thick");
    const line = rounded(points, ARROW - 2);
    nets.get(source).append(svg("path", { class: "wire", d: line, "data-to": target }));
    nets.get(source).append(svg("path", { class: "arrow", d: arrow(points), "data-to": target }));
    nets.get(source).append(svg("path", { class: "reach", d: line }));
  }
  for (const [source, [cx, cy]] of layout.forks) nets.get(source).append(svg("circle", { class: "fork", cx, cy, r: 3.6 }));
  const over = new Set(layout.crossings.map(([name]) => name));
  for (const [name, [cx, cy]] of layout.crossings) nets.get(name).prepend(svg("circle", { class: "gap", cx, cy, r: 8 }));
  return [...nets].sort(([one], [other]) => over.has(one) - over.has(other)); // those that others pass under come last
}

function rounded(points, short) {
  const last = points.length - 1;
  const end = towards(points[last], points[last - 1], short);
  let path = `M${points[0]}`;
  for (let at = 1; at < last; at++) {
    const corner = points[at];
    const next = at + 1 === last ? end : points[at + 1];
    const radius = Math.min(CORNER, apart(points[at - 1], corner) / 2, apart(corner, next) / 2);
    path += `L${towards(corner, points[at - 1], radius)}Q${corner} ${towards(corner, next, radius)}`;
  }
  return `${path}L${end}`;
}

function arrow(points) {
  const tip = points.at(-1);
  const [x, y] = towards(tip, points.at(-2), ARROW);
  const [dx, dy] = [(tip[0] - x) * 0.55, (tip[1] - y) * 0.55];
  return `M${tip}L${[x - dy, y + dx]}L${[x + dy, y - dx]}Z`;
}

function apart([x, y], [toX, toY]) {
  return Math.abs(toX - x) + Math.abs(toY - y);
}

function towards([x, y], [toX, toY], by) {
  const far = apart([x, y], [toX, toY]) || 1;
  return [x + ((toX - x) * by) / far, y + ((toY - y) * by) / far];
}

// ---- operations

function drawNode(node, serial) {
  const [x, y] = node.at;
  const group = svg("g", { class: `node ${node.operation}`, "data-name": node.name, transform: `translate(${x} ${y})`, tabindex: -1, role: "button" });
  const [width, height] = node.size;
  if (!width) {
    group.append(svg("circle", { class: "shape end", r: 4 }));
    node.caption.forEach((words, at) => group.append(svg("text", { class: `caption ${node.operation}`, y: 18 + 14 * at }, words)));
    return group;
  }
  const fill = SIGNS[node.operation]?.length > 0 && !ROUND.has(node.operation) && node.operation !== "join" ? `url(#${node.operation}-${serial})` : null;
  const radius = ROUND.has(node.operation) ? height / 2 : node.operation === "join" ? 6 : 8;
  const place = { x: -width / 2, y: -height / 2, width, height, rx: radius };
  group.append(svg("rect", { class: "under", ...place }), svg("rect", { class: "shape", ...place, style: fill && `fill: ${fill}` }));
  const rows = node.labels.length ? node.labels : [[SIGNS[node.operation]]];
  rows.forEach((row, at) => {
    const text = svg("text", { class: "label", y: rows.length === 1 ? 5 : at ? 15 : -4 });
    if (typeof row[0] === "string") text.append(svg("tspan", { class: ROUND.has(node.operation) || node.operation === "join" ? "sign" : "function" }, row[0]));
    else row.forEach((symbol, place) => setSymbol(text, symbol, place ? "\u2009" : at ? "+\u2009" : ""));
    group.append(text);
  });
  return group;
}

// A letter with its marks, as pieces of an SVG text; `before` is set upright in front of it.
function setSymbol(text, [base, below, above, upright, belowUpright], before = "") {
  if (before) text.append(svg("tspan", { class: "upright" }, before));
  text.append(svg("tspan", { class: upright || /^[Α-Ω]$/.test(base) ? "upright" : "letter" }, base));
  let shift = 0;
  const raise = (words, by, name) => {
    text.append(svg("tspan", { class: `mark ${name}`, dy: `${by - shift}em`, dx: "0.06em" }, words));
    shift = by;
  };
  if (below) raise(below, 0.36, belowUpright || /\d/.test(below) ? "upright" : "letter");
  if (above) raise(above, -0.55, "upright");
  if (shift) text.append(svg("tspan", { class: "mark", dy: `${-shift}em` }, "\u200b"));
}

// Words that are wider than their place are set smaller. Measured, for fonts differ; and so again when one has come.
export function fitTexts(drawing) {
  for (const [text, room] of drawing.texts) {
    text.style.fontSize = "";
    const wide = text.getComputedTextLength();
    if (wide > room) text.style.fontSize = `${(parseFloat(getComputedStyle(text).fontSize) * room) / wide}px`;
  }
}

function setWritten(text, parts) {
  text.replaceChildren();
  for (const part of parts) {
    if (part.kind === "quantity") setSymbol(text, part.symbol);
    else text.append(svg("tspan", { class: "upright" }, ["−", "+", "⊙", "mod", "= 0]"].includes(part.text) ? `\u2009${part.text}\u2009` : part.text));
  }
}

// ---- tags

function drawTag(tag, node) {
  const [width, height] = tag.size;
  const group = svg("g", { class: "tag", "data-name": tag.of, transform: `translate(${tag.at})` });
  const name = tag.named ? svg("text", { class: "name", y: 16 }) : null;
  if (name) setWritten(name, node.written);
  const number = svg("text", { class: "number", y: tag.named ? 34 : 13 });
  const cells = svg("g", { class: "cells", transform: `translate(0 ${height - 9})` });
  const edge = svg("rect", { class: "edge", width, height: 8, y: height - 9 });
  const chosen = svg("rect", { class: "chosen", height: 10, y: height - 10, visibility: "hidden" });
  const reach = svg("rect", { class: "reach", x: -3, y: -2, width: width + 6, height: height + 4 });
  group.append(reach, ...(name ? [name] : []), number, cells, edge, chosen);
  return { of: tag.of, group, number, cells, chosen, width };
}
