// A colour scale as it comes from `Scale` of `heatmap.py`, and its key: its ends, a bar of its shades, what lies beyond.

import { make, setText } from "./dom.js";
import { paintDots } from "./grid.js";
import { digits, figure } from "./numbers.js";

export function scaleOf(given) {
  return Object.fromEntries(["full", "low", "high", "farthest"].map((name) => [name, figure(given[name])]));
}

export function buildKey() {
  const element = make("span", "key");
  const parts = [make("span", "low"), make("canvas", "ramp"), make("span", "high"), make("span", "measure")];
  element.append(...parts);
  const [low, ramp, high, measure] = parts;
  return { element, low, ramp, high, measure, note: make("span", "note"), dots: null };
}

export function fillKey(key, scale, shades) {
  const { gate, full } = scale;
  setText(key.low, gate ? "0" : digits(-full));
  setText(key.high, gate ? "1" : digits(full));
  setText(key.measure, scale.measure);
  setText(key.note, notes(scale));
  const { dots } = gate ? shades.gate : shades.signed;
  if (key.dots === dots) return;
  key.dots = dots;
  const [first, columns] = gate ? [128, 128] : [1, 255];
  paintDots(key.ramp, Uint8Array.from({ length: columns }, (_, at) => first + at), { rows: 1, columns, dots });
}

// What the ends of a scale do not say.
function notes({ beyond, farthest, nan, infinite, low, high }) {
  const said = [];
  const count = (number) => number.toLocaleString("en");
  if (beyond) said.push(`beyond: ${count(beyond)} ${beyond === 1 ? "value" : "values"} up to ${digits(farthest)}`);
  if (nan) said.push(`${count(nan)} NaN`);
  if (infinite) said.push(`${count(infinite)} infinite`);
  if (low === high && !nan && !infinite) said.push(`all are ${digits(low)}`);
  return said.join(" · ");
}
