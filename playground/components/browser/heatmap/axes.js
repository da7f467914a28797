// Where panels stand, how large their cells are, and which places on their axes have room for a label.

import { label } from "../shared/axis.js";

const SIDE_BY_SIDE = [[880, 3], [540, 2], [0, 1]]; // from so many px on, so many panels
const GAP = 18;
const HIGH = 240; // px of a panel whose rows are as high as a few dots of the screen
const ROW = 22; // of a row at most
const MOST_HIGH = 480;
const TICK = 4;
const MARKED = 7; // rows at most, where numbers alone are said of them
export const LETTERS = 8; // of a label at most
const STEPS = [1, 2, 3, 4, 5, 10, 20, 25, 50, 100, 200, 250, 500];

// All lengths in px of the page; type and heights grow with its type: `zoom`.
export function layoutOf({ panels, columns, rows }, width, zoom, measure) {
  const fit = SIDE_BY_SIDE.find(([from]) => width >= from * zoom)[1];
  const across = Math.min(panels.length, fit === 3 && panels.length === 4 ? 2 : fit);
  const each = Math.floor((width - (across - 1) * GAP * zoom) / across);
  const letter = measure("0");
  const line = Math.round(15 * zoom);
  const left = Math.ceil(widest(rows, measure) + TICK + 3 + line);
  const height = heightOf(rows.count, zoom);
  const wide = Math.max(40, each - left - 2);
  const layout = { across, gap: GAP * zoom, each, left, wide, height, letter, line, zoom };
  const room = Math.min(LETTERS, longest(columns)) * letter + 0.5 * letter;
  layout.columnTicks = ticks(columns, wide / columns.count, room);
  layout.rowTicks = ticks(rows, height / rows.count, rows.texts.length ? line : Math.max(line, height / MARKED));
  return layout;
}

// A whole number of px to a row, so that all rows are equally high; where there are more rows than px, a part of one.
function heightOf(count, zoom) {
  const row = Math.max(1, Math.min(ROW, Math.round(HIGH / count)));
  return Math.round(zoom * Math.min(MOST_HIGH, row * count));
}

function longest(axis) {
  let most = 1;
  for (let place = 0; place < axis.count; place++) most = Math.max(most, [...label(axis, place)].length);
  return most;
}

function widest(axis, measure) {
  const letters = Math.min(LETTERS, longest(axis));
  return measure("0") * letters;
}

// The places that are labelled: all where there is room, else every so many, counted by the numbers they have.
function ticks(axis, size, room) {
  const step = STEPS.find((one) => one * size >= room) ?? axis.count;
  const shift = step > 1 && !axis.texts.length ? axis.first : 0;
  const places = [];
  for (let place = 0; place < axis.count; place++) if ((place + shift) % step === 0) places.push(place);
  if (shift && step > 1 && (step - shift) * size >= room) places.unshift(0);
  return { places: [...new Set(places)], step };
}

export function fitted(text) {
  const letters = [...text];
  return letters.length > LETTERS ? `${letters.slice(0, LETTERS - 1).join("")}…` : text;
}
