// What lies behind the text: the ground of each token, or bands below it, and the dots under those that are marked.

import { sharpen } from "../shared/dom.js";
import { hatch } from "../shared/grid.js";

const GROUND = "ground"; // of the only line

// Where each token stands, in px of the page of text: [left, top, width, height] of its parts, one for each row of text
// that it stands in; and the rows themselves, by the tops of their parts.
export function placesOf(page, spans) {
  const frame = page.getBoundingClientRect();
  const [x, y] = [frame.left + page.clientLeft - page.scrollLeft, frame.top + page.clientTop - page.scrollTop];
  return spans.map((span) => [...span.getClientRects()].filter(({ width }) => width > 0).map(({ left, top, width, height }) => [left - x, top - y, width, height]));
}

export function rowsOf(places) {
  const rows = [];
  places.forEach((parts, token) => {
    for (const [, top] of parts) {
      if (Math.abs((rows.at(-1)?.top ?? -Infinity) - top) > 4) rows.push({ top, tokens: [] });
      rows.at(-1).tokens.push(token);
    }
  });
  return rows;
}

// `size` has the width and height of the page, `band` that of one band with the gap below it.
export function paintBands(canvas, { places, rows, lines, shades, size, band, left, font, marks, chosen }) {
  const pen = sharpen(canvas, ...size);
  const grounds = lines.length === 1 ? [[GROUND, 0]] : lines.map((_, at) => [at, at]);
  for (const [kind, at] of grounds) {
    const { words } = lines[at].gate ? shades.gate : shades.signed;
    places.forEach((parts, token) => {
      const place = lines[at].places[token];
      for (const [x, top, width, height] of parts) {
        const [y, high] = kind === GROUND ? [top, height] : [bandTop(top, height, band, at), band.high];
        pen.fillStyle = words[place];
        pen.fillRect(x, y, width + 0.3, high); // no seam between one and the next
        if (!place) hatch(pen, x, y, width, high, shades.paper);
      }
    });
  }
  if (lines.length > 1) nameBands(pen, { places, rows, lines, shades, band, left, font });
  markTokens(pen, places, marks, shades.ink);
  if (chosen !== null && lines.length > 1) outline(pen, places[chosen] ?? [], lines.length, band, shades);
}

function bandTop(top, height, band, at) {
  return top + height + band.gap + at * band.step;
}

// The names of the bands, at the left of each row of text.
function nameBands(pen, { places, rows, lines, shades, band, left, font }) {
  pen.fillStyle = shades.ink;
  pen.globalAlpha = 0.72;
  pen.font = font;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const { top, tokens } of rows) {
    const height = places[tokens[0]].find(([, one]) => Math.abs(one - top) < 4)[3];
    lines.forEach(({ label }, at) => pen.fillText(label, left - 6, bandTop(top, height, band, at) + band.high / 2 + 0.5));
  }
  pen.globalAlpha = 1;
}

function markTokens(pen, places, marks, ink) {
  pen.strokeStyle = ink;
  pen.lineWidth = 1.6;
  pen.lineCap = "round";
  pen.setLineDash([0.1, 3.4]);
  places.forEach((parts, token) => {
    if (!marks[token]) return;
    for (const [x, top, width, height] of parts) {
      pen.beginPath();
      pen.moveTo(x + 1, top + height - 1.2);
      pen.lineTo(x + width - 0.5, top + height - 1.2);
      pen.stroke();
    }
  });
  pen.setLineDash([]);
}

function outline(pen, parts, count, band, shades) {
  pen.lineWidth = 1.5;
  pen.strokeStyle = shades.ink;
  for (const [x, top, width, height] of parts) {
    pen.strokeRect(x - 0.5, bandTop(top, height, band, 0) - 0.5, width + 1, count * band.step - (band.step - band.high) + 1);
  }
}
