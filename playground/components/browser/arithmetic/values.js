// How values are seen: a strip of coloured cells, a picture of a weight matrix, or, where all is small, the numbers.

import { gateColor, inkOn, signedColor } from "../shared/colors.js";
import { children, make, setText, sharpen } from "../shared/dom.js";
import { hatch, levelPlaces, paintDots, shadePlace } from "../shared/grid.js";
import { bytes } from "../shared/numbers.js";

const STRIPS = [
  { upTo: 16, across: 16, wider: 2.6, height: 19 },
  { upTo: 64, across: 32, wider: 1, height: 12 },
  { upTo: 256, across: 32, wider: 1, height: 7 },
  { upTo: Infinity, across: 64, wider: 1, height: 5 },
];
const WIDTHS = { least: 3, most: 5 }; // of a cell
const LINE = { cells: 160, rest: 340 }; // of an equation that should fit in one line: five strips; signs and a matrix
const ROW_GAP = 1.5;
const PAD = 2; // around a strip, for the mark of the chosen unit
const GUTTER = 8; // left of a matrix, for the mark of the chosen row

function shade(value, { full, gate }, shades) {
  return shades[gate ? "gate" : "signed"].words[shadePlace(value, full)];
}

// The width of a strip's cell, so that an equation fits in one line where it can.
export function cellWidth(width) {
  const fits = Math.floor((2 * (width - LINE.rest)) / LINE.cells) / 2;
  return Math.max(WIDTHS.least, Math.min(WIDTHS.most, fits));
}

// A vector as cells in rows, read like a text. `load` takes the vector, `draw` the shades, sizes and the chosen unit.
export function strip() {
  const canvas = make("canvas", "strip");
  canvas.setAttribute("aria-hidden", "true"); // the quantity around it says what it is
  let vector = null;
  let grid = null;

  function draw({ shades, cell, zoom, unit, hovered }) {
    const count = vector.numbers.length;
    const cells = STRIPS.find(({ upTo }) => count <= upTo);
    const across = Math.min(count, cells.across);
    const width = cell * cells.wider * zoom;
    const height = cells.height * zoom;
    const rows = Math.ceil(count / across);
    grid = { across, rows, width, height, step: height + ROW_GAP };
    const pen = sharpen(canvas, across * width + 2 * PAD, rows * grid.step - ROW_GAP + 2 * PAD);
    vector.numbers.forEach((value, place) => {
      const [x, y] = corner(place);
      pen.fillStyle = shade(value, vector, shades);
      pen.fillRect(x, y, width + 0.3, height);
      if (!Number.isFinite(value)) hatch(pen, x, y, width, height, shades.paper);
    });
    pen.strokeStyle = shades.ink;
    pen.globalAlpha = 0.22;
    pen.lineWidth = 1;
    for (let row = 0; row < rows; row++) {
      const there = Math.min(across, count - row * across);
      pen.strokeRect(PAD - 0.5, PAD + row * grid.step - 0.5, there * width + 1, height + 1);
    }
    pen.globalAlpha = 1;
    if (vector.axis !== "unit") return;
    if (unit < count) outline(pen, unit, shades, 1.5);
    if (hovered >= 0 && hovered < count) outline(pen, hovered, shades, 0.8);
  }

  function outline(pen, place, shades, thick) {
    const [x, y] = corner(place);
    pen.strokeStyle = shades.paper;
    pen.lineWidth = thick + 2;
    pen.strokeRect(x - 0.5, y - 0.5, grid.width + 1, grid.height + 1);
    pen.strokeStyle = shades.ink;
    pen.lineWidth = thick;
    pen.strokeRect(x - 0.5, y - 0.5, grid.width + 1, grid.height + 1);
  }

  function corner(place) {
    return [PAD + (place % grid.across) * grid.width, PAD + Math.floor(place / grid.across) * grid.step];
  }

  return {
    element: canvas,
    load: (given) => (vector = given),
    draw,
    // Which value is under the pointer: its place, or -1.
    at(event) {
      const box = canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left - PAD) / grid.width);
      const row = Math.floor((event.clientY - box.top - PAD) / grid.step);
      const place = row * grid.across + column;
      const inside = column >= 0 && column < grid.across && row >= 0 && place < vector.numbers.length;
      return inside ? place : -1;
    },
    step: () => grid.across,
  };
}

// A weight matrix as dots of colour, `tall` pixels high at most, with a mark at the chosen unit's row.
export function matrixPicture(tall) {
  const canvas = make("canvas", "matrix");
  canvas.setAttribute("aria-hidden", "true");
  const dots = document.createElement("canvas");
  let matrix = null;
  let drawn = "";

  function dot(shades) {
    const wanted = `${matrix.key} ${shades.paper}`;
    if (drawn === wanted) return;
    drawn = wanted;
    const places = levelPlaces(new Int8Array(bytes(matrix.levels).buffer));
    paintDots(dots, places, { rows: matrix.height, columns: matrix.width, dots: shades.signed.dots, odd: shades.paperDot });
  }

  return {
    element: canvas,
    load: (given) => (matrix = given),
    draw({ shades, zoom, unit, marked = true }) {
      dot(shades);
      const side = Math.min(11, Math.max(tall / matrix.height, 0.4)) * zoom;
      const gap = matrix.joined === null ? 0 : 3;
      const left = marked ? GUTTER : 0;
      const height = matrix.height * side;
      const width = matrix.width * side + gap;
      const pen = sharpen(canvas, left + width + 1, height + 2);
      pen.imageSmoothingEnabled = side < 1;
      const first = matrix.joined ?? matrix.width;
      const blocks = [[0, first, 0]];
      if (gap) blocks.push([first, matrix.width - first, gap]);
      for (const [from, count, shift] of blocks) {
        const [x, wide] = [left + from * side + shift, count * side];
        pen.drawImage(dots, from, 0, count, matrix.height, x, 1, wide, height);
        pen.strokeStyle = shades.ink;
        pen.globalAlpha = 0.3;
        pen.strokeRect(x + 0.5, 0.5, wide - 0.5, height + 1);
        pen.globalAlpha = 1;
      }
      if (marked && matrix.row_axis === "unit") point(pen, Math.max(3.5, Math.min(height - 1.5, ((unit + 0.5) / matrix.rows) * height + 1)), shades.ink);
    },
  };
}

function point(pen, y, ink) {
  pen.fillStyle = ink;
  pen.beginPath();
  pen.moveTo(0, y - 3.5);
  pen.lineTo(GUTTER - 2, y);
  pen.lineTo(0, y + 3.5);
  pen.fill();
}

// All numbers of a matrix, or of a vector as a column, in coloured cells; names beside those over the vocabulary.
export function numberTable() {
  const table = make("span", "numbers");
  let content = null;

  return {
    element: table,
    // { numbers, print, width, full, gate, rowNames, columnNames, rowAxis, on, past }: of the columns from `past` on a one-hot
    // input picks `on`
    load: (given) => (content = given),
    draw({ colors, unit, hovered }) {
      const { numbers, width, rowNames, columnNames } = content;
      const height = numbers.length / width;
      table.style.gridTemplateColumns = `${rowNames ? "auto " : ""}repeat(${width}, auto)`;
      const wanted = [];
      if (columnNames) wanted.push(...(rowNames ? [{ head: "" }] : []), ...columnNames.map((head) => ({ head, column: true })));
      for (let row = 0; row < height; row++) {
        if (rowNames) wanted.push({ head: rowNames[row] });
        for (let column = 0; column < width; column++) wanted.push({ row, column });
      }
      children(table, wanted.length, () => make("span")).forEach((cell, at) => {
        const { head, row, column } = wanted[at];
        if (head !== undefined) return paintHead(cell, head, column === true);
        const value = numbers[row * width + column];
        const color = content.gate ? gateColor(value, 1, colors) : signedColor(value, content.full, colors);
        setText(cell, content.print(value));
        cell.className = `number${Number.isNaN(value) ? " nan" : ""}`;
        cell.classList.toggle("chosen", content.rowAxis === "unit" && row === unit);
        cell.classList.toggle("hovered", content.rowAxis === "unit" && row === hovered);
        cell.classList.toggle("off", content.on >= 0 && column >= content.past && column !== content.on);
        cell.dataset.place = width === 1 ? row : "";
        cell.style.background = color;
        cell.style.color = inkOn(color);
      });
    },
    at: (event) => Number(event.target.closest?.(".number")?.dataset.place || -1),
    step: () => 1,
  };
}

function paintHead(cell, text, above) {
  setText(cell, text);
  cell.className = above ? "head above" : "head";
  cell.removeAttribute("style");
}
