// Live values: numbers and colour strips on the tags, patched in place.

import { gateColor, signedColor } from "../shared/colors.js";
import { children, put, setText, svg } from "../shared/dom.js";
import { significant } from "../shared/equation.js";
import { digits, figure, floats } from "../shared/numbers.js";

export const SHOWN = { unit: 16, vector: 32 }; // values in a strip: around the chosen unit, or as many as can be told apart

export function unpackStreams(streams) {
  return Object.fromEntries(
    Object.entries(streams).map(([name, stream]) => [name, { ...stream, values: floats(stream.values), norm: figure(stream.norm), mean: figure(stream.mean) }]),
  );
}

// What is written on a wire: the chosen unit's number, or the whole vector in one.
export function writtenOn(stream, mode, unit, reads = "") {
  if (mode === "unit" && stream.by_unit) return brief(valueAt(stream, unit));
  if (stream.length === 1 && !stream.by_unit) return brief(stream.values[0]);
  if (reads) return reads;
  return summary(stream);
}

function summary(stream) {
  if (stream.nan) return stream.nan === stream.length ? "NaN" : `${stream.nan} NaN`;
  return stream.gate ? `ø ${brief(stream.mean)}` : `‖${brief(stream.norm)}‖`;
}

// At most six signs, which is what a tag has room for: as many digits as that leaves, up to four.
function brief(value) {
  for (let count = 4; count > 1; count--) {
    const text = significant(value, count);
    if (text.length <= 6) return text;
  }
  return digits(value, 1);
}

export function valueAt(stream, place) {
  const value = stream.values[place - stream.first];
  return value === undefined ? NaN : value;
}

export function colorOf(value, stream, colors, hatch) {
  if (!Number.isFinite(value)) return hatch;
  return stream.gate ? gateColor(value, 1, colors) : signedColor(value, stream.full, colors);
}

// The stretch of a vector that a strip shows: the page of it in which the chosen unit is.
function pageOf(stream, mode, unit) {
  const count = Math.min(SHOWN[mode], stream.values.length);
  const page = stream.by_unit ? Math.floor((unit - stream.first) / count) * count : 0;
  const first = Math.max(0, Math.min(page, stream.values.length - count));
  return { first, count };
}

export function fillTag(tag, stream, look) {
  const { mode, unit, colors, hatch } = look;
  const { first, count } = pageOf(stream, mode, unit);
  const wide = tag.width / count;
  children(tag.cells, count, () => svg("rect", { y: 0, height: 8 })).forEach((cell, at) => {
    put(cell, { x: (at * wide).toFixed(2), width: wide.toFixed(2), fill: colorOf(stream.values[first + at], stream, colors, hatch) });
  });
  const place = unit - stream.first - first;
  const shown = mode === "unit" && stream.by_unit && place >= 0 && place < count;
  put(tag.chosen, { visibility: shown ? "visible" : "hidden" });
  if (shown) put(tag.chosen, { x: (place * wide - 1).toFixed(2), width: (wide + 2).toFixed(2) });
  setText(tag.number, writtenOn(stream, mode, unit, tag.of === "input" ? quoted(look.reads) : ""));
  tag.group.classList.toggle("nan", stream.nan > 0 && (mode === "vector" || !stream.by_unit || Number.isNaN(valueAt(stream, unit))));
}

const LONGEST = 11; // letters of a token that a tag has room for

function quoted(token) {
  if (!token) return "";
  const letters = [...token];
  return `“${letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : token}”`;
}
