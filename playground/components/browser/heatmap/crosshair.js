// The crosshair over a panel: the row and the column of a place, outlined, with their names at the axes.

import { label } from "../shared/axis.js";
import { put } from "../shared/dom.js";
import { fitted } from "./axes.js";
import { box, inside, parts } from "./panel.js";

const LEAST = 3; // px that an outline leaves open

// What is chosen and what is pointed at, each a place or null. Labels of the axes give way to their names.
export function crossPanel({ groups, labels }, chosen, hovered, data, layout) {
  const names = [...cross(groups.chosen, chosen, data, layout), ...cross(groups.hovered, hovered, data, layout)];
  for (const one of labels) {
    const covered = names.some((name) => meet(one.column, name.column) || meet(one.row, name.row));
    put(one.element, { visibility: covered ? "hidden" : null });
  }
}

// Stretches of an axis, each as its middle and half its length.
function meet(one, other) {
  return one && other && Math.abs(one[0] - other[0]) < one[1] + other[1];
}

// Gives the stretches of the axes that its names take.
function cross(group, place, data, layout) {
  put(group, { visibility: place ? null : "hidden" });
  if (!place) return [];
  const { columns, rows, placeOf } = data;
  const { left, wide, height, line, letter } = layout;
  const [across, down] = [wide / columns.count, height / rows.count];
  const [under, lines, below, beside] = parts(group, ["path", "path", "g", "g"]);
  const taken = [];
  let d = "";
  if (place.column === null) put(below, { visibility: "hidden" });
  else {
    const [x, broad] = [left + (place.column + 0.5) * across, Math.max(LEAST, across) + 1];
    d += box(x - broad / 2, -0.5, broad, height + 1);
    const text = fitted(label(columns, place.column));
    const long = ([...text].length + 0.6) * letter;
    nameAt(below, text, columns.texts.length ? "column code" : "column", [x, height + 4 + line / 2], [x - long / 2, long], line);
    taken.push({ column: [x, long / 2] });
  }
  if (place.row === null) put(beside, { visibility: "hidden" });
  else {
    const [y, high] = [(placeOf(place.row) + 0.5) * down, Math.max(LEAST, down) + 1];
    d += box(left - 0.5, y - high / 2, wide + 1, high);
    const text = fitted(label(rows, place.row));
    const long = ([...text].length + 0.6) * letter;
    nameAt(beside, text, rows.texts.length ? "row code" : "row", [left - 6, inside(y, height, line)], [left - 6 - long, long], line);
    taken.push({ row: [y, line / 2] });
  }
  put(under, { class: "casing", d });
  put(lines, { class: "lines", d });
  return taken;
}

// On paper, for what it may cover.
function nameAt(group, text, name, [x, y], [from, long], line) {
  const [paper, word] = parts(group, ["rect", "text"]);
  put(group, { visibility: null });
  put(paper, { class: "paper", x: from.toFixed(1), y: (y - line / 2).toFixed(1), width: long.toFixed(1), height: line });
  put(word, { class: name, x: x.toFixed(1), y: y.toFixed(1) }, text);
}
