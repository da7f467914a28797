// Grids of values as dots of colour: the shades of both scales, values as places in them, and the picture itself.

import { channels, gateColor, signedColor } from "./colors.js";

const STEPS = 127; // of colour on either side of zero, as in `packing.py`
const ZERO = 128; // place of zero among 256 shades; place 0 is for what is no finite number

// All shades of both scales by place, as colours of a style sheet and as dots of an image; computed once for a theme.
export function shadesOf(colors) {
  const scale = (shade) => {
    const words = Array.from({ length: 2 * ZERO }, (_, place) => (place ? shade(place - ZERO) : colors.nan));
    return { words, dots: Uint32Array.from(words, dotOf) };
  };
  const { nan, ink, paper } = colors;
  return {
    signed: scale((level) => signedColor(level, STEPS, colors)),
    gate: scale((level) => gateColor(level, STEPS, colors)),
    nan, ink, paper, paperDot: dotOf(paper),
  };
}

// A colour in the order in which an image has its bytes.
function dotOf(color) {
  const [red, green, blue] = channels(color);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

// The place of a value among the shades of its scale, which ends at `full` on either side.
export function shadePlace(value, full) {
  return Number.isFinite(value) ? ZERO + Math.round(Math.max(-1, Math.min(1, value / full)) * STEPS) : 0;
}

export function shadePlaces(values, full) {
  const places = new Uint8Array(values.length);
  for (let at = 0; at < values.length; at++) places[at] = shadePlace(values[at], full); // ten times as fast as `from`
  return places;
}

// The same of signed bytes as `levels` of `packing.py` makes them.
export function levelPlaces(levels) {
  const places = new Uint8Array(levels.length);
  for (let at = 0; at < levels.length; at++) places[at] = levels[at] + ZERO;
  return places;
}

// The value that a place stands for; NaN for what is no finite number.
export function valueOfPlace(place, full) {
  return place ? ((place - ZERO) / STEPS) * full : NaN;
}

export function atEnd(place) {
  return Math.abs(place - ZERO) === STEPS;
}

// A canvas of one dot a cell. `order` has the row that stands at each place; of a chequer in `odd` and the scale's own
// colour is what is no finite number, where the dots are too small for a hatching.
export function paintDots(canvas, places, { rows, columns, dots, order = null, odd = dots[0] }) {
  if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  const target = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row++) {
    const from = (order ? order[row] : row) * columns;
    for (let column = 0; column < columns; column++) {
      const place = places[from + column];
      target[row * columns + column] = place || (row + column) % 2 === 0 ? dots[place] : odd;
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Lines across a cell that has no finite number.
export function hatch(pen, x, y, width, height, color) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.strokeStyle = color;
  pen.lineWidth = 1;
  for (let at = -height; at < width; at += 4) {
    pen.beginPath();
    pen.moveTo(x + at, y + height);
    pen.lineTo(x + at + height, y);
    pen.stroke();
  }
  pen.restore();
}
