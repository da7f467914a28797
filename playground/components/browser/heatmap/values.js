// The values of the panels: out of their packing once, by place of row and column, and as they are written.

import { label } from "../shared/axis.js";
import { atEnd, levelPlaces, shadePlaces, valueOfPlace } from "../shared/grid.js";
import { bytes, digits, floats } from "../shared/numbers.js";
import { scaleOf } from "../shared/scale.js";

// `before` is what was unpacked last: numbers that came again are not unpacked again.
export function unpacked(given, before) {
  const panels = given.panels.map((panel, at) => unpackedPanel(panel, given, before?.panels[at]));
  const { order } = given.rows;
  const placeOf = new Int32Array(given.rows.count);
  for (let place = 0; place < given.rows.count; place++) placeOf[order ? order[place] : place] = place;
  return {
    ...given, panels,
    rowAt: (place) => (order ? order[place] : place),
    placeOf: (row) => placeOf[row],
  };
}

function unpackedPanel(panel, given, before) {
  const source = panel.values ?? panel.levels;
  const scale = scaleOf(panel);
  const exact = exactOf(panel, given);
  if (before?.source === source && before.full === scale.full) return { ...before, ...panel, ...scale, exact, numbers: before.numbers };
  const numbers = panel.values && floats(panel.values);
  const places = numbers ? shadePlaces(numbers, scale.full) : levelPlaces(new Int8Array(bytes(panel.levels).buffer));
  return { ...panel, ...scale, source, exact, numbers, places };
}

// The number of a cell in the chosen row or column, which is known where the others are but levels; else null.
function exactOf({ across, down }, { rows, columns }) {
  const [row, column] = [across && floats(across), down && floats(down)];
  return (at) => {
    const [r, c] = [Math.floor(at / columns.count), at % columns.count];
    if (row && r === rows.chosen) return row[c];
    return column && c === columns.chosen ? column[r] : null;
  };
}

// Three digits of a number; of a level of colour two, and where the scale ends it is only known to lie there or beyond.
export function written(panel, at) {
  const number = panel.numbers ? panel.numbers[at] : panel.exact(at);
  if (number !== null) return digits(number);
  const place = panel.places[at];
  if (!place) return panel.infinite && panel.nan ? "NaN or ±∞" : panel.infinite ? "±∞" : "NaN";
  const value = valueOfPlace(place, panel.full);
  const sign = panel.beyond && atEnd(place) ? (value < 0 ? "≤" : "≥") : "≈";
  return `${sign} ${digits(value, 2)}`;
}

// A line for each cell: panel, row and column by their numbers and texts, value.
export function tableOf({ columns, rows, panels, rowAt }) {
  const token = ({ title }) => (hasBoth(rows) && hasBoth(columns) ? `token at ${title}` : "token");
  const heads = [rows, columns].flatMap((axis) => (hasBoth(axis) ? [axis.title, token(axis)] : [axis.title]));
  const table = [["panel", ...heads, "value"]];
  for (const panel of panels) {
    for (let place = 0; place < rows.count; place++) {
      const row = rowAt(place);
      for (let column = 0; column < columns.count; column++) {
        const at = row * columns.count + column;
        const value = panel.numbers ? panel.numbers[at] : valueOfPlace(panel.places[at], panel.full);
        table.push([panel.name, ...entries(rows, row), ...entries(columns, column), Number(value.toPrecision(panel.numbers ? 7 : 2))]);
      }
    }
  }
  return table;
}

function hasBoth({ numbered, texts }) {
  return numbered && texts.length > 0;
}

function entries(axis, place) {
  return hasBoth(axis) ? [place + axis.first, axis.texts[place]] : [label(axis, place)];
}
