// One panel: its name, the key to its scale, the grid, and over it the axes and the crosshair.

import { label } from "../shared/axis.js";
import { add, children, make, put, setText, svg } from "../shared/dom.js";
import { paintDots } from "../shared/grid.js";
import { buildKey, fillKey } from "../shared/scale.js";
import { setSign } from "../shared/signs.js";
import { fitted } from "./axes.js";

const LEAST = 3; // px that an outline leaves open
const MOST_RUNS = 4000; // of cells without a number that are hatched; more are seen by their colour alone

export function buildPanel() {
  const element = make("figure", "panel");
  const caption = make("figcaption");
  const [sign, name, key] = [make("span", "sign"), make("span", "name"), buildKey()];
  caption.append(sign, name, key.element, key.note);
  const plot = make("div", "plot");
  const grid = make("canvas", "grid");
  const over = svg("svg", { class: "over", "aria-hidden": "true" });
  plot.append(grid, over);
  element.append(caption, plot);
  const groups = Object.fromEntries(["hatched", "axis", "chosen", "hovered"].map((part) => [part, add(over, "g", part)]));
  return { element, sign, name, key, plot, grid, over, groups, missing: [] };
}

// Name, scale and picture; each only where it is another than before.
export function fillPanel(view, panel, data, shades) {
  view.sign.hidden = !panel.symbol;
  if (panel.symbol) setSign(view.sign, panel.symbol);
  setText(view.name, panel.name);
  fillKey(view.key, panel, shades);
  const scale = panel.gate ? shades.gate : shades.signed;
  const { rows, columns } = data;
  if (view.source === panel.source && view.full === panel.full && view.scale === scale && view.order === String(rows.order)) return;
  Object.assign(view, { source: panel.source, full: panel.full, scale, order: String(rows.order) });
  paintDots(view.grid, panel.places, { rows: rows.count, columns: columns.count, dots: scale.dots, order: rows.order });
  view.missing = panel.nan || panel.infinite ? runsOf(panel, data) : [];
}

// Where cells that have no finite number follow each other in a row: [place of the row, first column, how many].
function runsOf({ places }, { rows, columns, rowAt }) {
  const runs = [];
  for (let place = 0; place < rows.count && runs.length <= MOST_RUNS; place++) {
    const from = rowAt(place) * columns.count;
    for (let column = 0; column < columns.count; column++) {
      if (places[from + column]) continue;
      const first = column;
      while (column < columns.count && !places[from + column]) column++;
      runs.push([place, first, column - first]);
    }
  }
  return runs.length > MOST_RUNS ? [] : runs;
}

// `outer` says whether the panel has the titles of its axes: those at the left and at the bottom do.
export function arrangePanel(view, data, layout, outer) {
  const { left, wide, height, line, each } = layout;
  const bottom = (outer.bottom ? 2.4 : 1.4) * line;
  Object.assign(view.grid.style, { left: `${left}px`, width: `${wide}px`, height: `${height}px` });
  const [cellWide, cellHigh] = [wide / data.columns.count, height / data.rows.count];
  const blended = Math.min(cellWide, cellHigh) * (window.devicePixelRatio || 1) < 1;
  view.grid.classList.toggle("blended", blended);
  put(view.over, { width: each, height: height + bottom, viewBox: `0 0 ${each} ${height + bottom}` });
  const path = view.missing.map(([place, column, count]) => box(left + column * cellWide, place * cellHigh, count * cellWide, cellHigh));
  const [solid, lines] = hatching(view.groups.hatched);
  put(solid, { d: blended ? path.join("") : "" }); // what has no number must not fade among its neighbours
  put(lines, { d: path.join("") });
  drawAxes(view.groups.axis, data, layout, outer);
}

function box(x, y, width, height) {
  return `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h-${width.toFixed(1)}z`;
}

let serial = 0;

function hatching(group) {
  if (group.childElementCount) return [...group.children].slice(1);
  const id = `no-number-${(serial += 1)}`;
  const pattern = add(add(group, "defs"), "pattern", "", { id, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  add(pattern, "rect", "stripe", { width: 1.3, height: 4 });
  return [add(group, "path", "solid"), add(group, "path", "lined", { fill: `url(#${id})` })];
}

function drawAxes(group, { columns, rows, placeOf, rowAt }, { left, wide, height, line, columnTicks, rowTicks }, outer) {
  const labels = [];
  const say = (text, name, x, y, more = {}) => labels.push({ text, name, x, y, transform: null, ...more });
  const [across, down] = [wide / columns.count, height / rows.count];
  let marks = "";
  for (const place of columnTicks.places) {
    const x = left + (place + 0.5) * across;
    say(fitted(label(columns, place)), columns.texts.length ? "column code" : "column", x, height + 4 + line / 2);
    if (columnTicks.step > 1) marks += `M${x.toFixed(1)} ${height + 1}v3`;
  }
  for (const place of rowTicks.places) {
    const y = (place + 0.5) * down;
    say(fitted(label(rows, rowAt(place))), rows.texts.length ? "row code" : "row", left - 6, inside(y, height, line));
    if (rowTicks.step > 1) marks += `M${left - 1} ${y.toFixed(1)}h-3`;
  }
  if (outer.left) say(rows.title, "title", line * 0.45, height / 2, { transform: `rotate(-90 ${line * 0.45} ${height / 2})` });
  if (outer.bottom) say(columns.title, "title", left + wide / 2, height + 5 + line * 1.6);
  const named = Object.keys(rows.names).map((row) => (placeOf(Number(row)) + 0.5) * down);
  const flags = named.map((y) => `M${left - 0.5} ${y.toFixed(1)}l-5 -3v6z`).join("");
  const [ticks, flag, texts] = parts(group, ["path", "path", "g"]);
  put(ticks, { class: "ticks", d: marks });
  put(flag, { class: "flags", d: flags });
  children(texts, labels.length, () => svg("text")).forEach((element, at) => {
    const { text, name, x, y, transform } = labels[at];
    put(element, { class: name, x: x.toFixed(1), y: y.toFixed(1), transform }, text);
  });
}

function inside(y, height, line) {
  return Math.max(line * 0.35, Math.min(height - line * 0.35, y));
}

function parts(group, tags) {
  if (!group.childElementCount) for (const tag of tags) add(group, tag);
  return [...group.children];
}

// The row and the column at a place, and what they are called at the axes; null hides them.
export function crossPanel(group, place, data, layout) {
  put(group, { visibility: place ? null : "hidden" });
  if (!place) return;
  const { columns, rows } = data;
  const { left, wide, height, line } = layout;
  const [across, down] = [wide / columns.count, height / rows.count];
  const [under, lines, below, beside] = parts(group, ["path", "path", "g", "g"]);
  let d = "";
  const [broad, high] = [Math.max(LEAST, across), Math.max(LEAST, down)];
  if (place.column !== null) d += box(left + (place.column + 0.5) * across - broad / 2 - 0.5, -0.5, broad + 1, height + 1);
  if (place.row !== null) d += box(left - 0.5, (data.placeOf(place.row) + 0.5) * down - high / 2 - 0.5, wide + 1, high + 1);
  put(under, { class: "casing", d });
  put(lines, { class: "lines", d });
  const at = place.column === null ? "" : fitted(label(columns, place.column));
  tag(below, at, columns.texts.length, left + ((place.column ?? 0) + 0.5) * across, height + 4 + line / 2, layout, "middle");
  const row = place.row === null ? "" : fitted(label(rows, place.row));
  tag(beside, row, rows.texts.length, left - 6, inside((data.placeOf(place.row ?? 0) + 0.5) * down, height, line), layout, "end");
}

// A label on paper, over those that are there anyway.
function tag(group, text, code, x, y, { letter, line }, anchor) {
  put(group, { visibility: text ? null : "hidden" });
  const [paper, word] = parts(group, ["rect", "text"]);
  const long = [...text].length * letter + 0.7 * letter;
  const from = anchor === "end" ? x - long + 0.35 * letter : x - long / 2;
  put(paper, { class: "paper", x: from.toFixed(1), y: (y - line / 2).toFixed(1), width: long.toFixed(1), height: line });
  put(word, { class: `${anchor === "end" ? "row" : "column"}${code ? " code" : ""}`, x: x.toFixed(1), y: y.toFixed(1) }, text);
}
