// One panel: its name, the key to its scale, the grid, and over it the axes and the crosshair.

import { label } from "../shared/axis.js";
import { add, children, make, put, setText, svg } from "../shared/dom.js";
import { paintDots } from "../shared/grid.js";
import { buildKey, fillKey } from "../shared/scale.js";
import { setSign } from "../shared/signs.js";
import { fitted } from "./axes.js";

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
  view.labels = drawAxes(view.groups.axis, data, layout, outer);
}

export function box(x, y, width, height) {
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

function drawAxes(group, { columns, rows, placeOf, rowAt }, { left, wide, height, line, letter, columnTicks, rowTicks }, outer) {
  const labels = [];
  const say = (text, name, x, y, more = {}) => labels.push({ text, name, x, y, transform: null, ...more });
  const half = (text) => ([...text].length * letter) / 2;
  const [across, down] = [wide / columns.count, height / rows.count];
  let marks = "";
  for (const place of columnTicks.places) {
    const x = left + (place + 0.5) * across;
    const text = fitted(label(columns, place));
    say(text, columns.texts.length ? "column code" : "column", x, height + 4 + line / 2, { column: [x, half(text)] });
    if (columnTicks.step > 1) marks += `M${x.toFixed(1)} ${height + 1}v3`;
  }
  for (const place of rowTicks.places) {
    const y = (place + 0.5) * down;
    const text = fitted(label(rows, rowAt(place)));
    say(text, rows.texts.length ? "row code" : "row", left - 6, inside(y, height, line), { row: [y, line / 2] });
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
    labels[at].element = element;
  });
  return labels;
}

export function inside(y, height, line) {
  return Math.max(line * 0.35, Math.min(height - line * 0.35, y));
}

export function parts(group, tags) {
  if (!group.childElementCount) for (const tag of tags) add(group, tag);
  return [...group.children];
}
