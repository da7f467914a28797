// The card of what is pointed at: its name, what it means, its whole vector, and the chosen unit's number.

import { make, setText, sharpen } from "../shared/dom.js";
import { FUNCTIONS, bracketed, digitsThatHold, significant } from "../shared/equation.js";
import { digits } from "../shared/numbers.js";
import { signOf } from "../shared/signs.js";
import { kindOf, shownSign } from "./equations.js";
import { colorOf, valueAt } from "./values.js";

const ROW = 64; // values in a row of the strip at most
const BAND = 16; // height of a row

export function card(element, choose) {
  const find = (selector) => element.querySelector(selector);
  const canvas = find(".strip");
  let shown = null; // {stream, look}
  let under = -1;

  // `computed` are the operation and its inputs, where the value is that of one; else null.
  function say(node, stream, look, computed = null) {
    const word = node ? JSON.stringify(node.written) : "";
    const head = find(".written");
    if (head.dataset.word !== word) {
      head.dataset.word = word;
      head.replaceChildren(...(node ? node.written.map(written) : [document.createTextNode("One step of the cell")]));
    }
    setText(find(".meaning"), node ? node.about : look.idle);
    find(".strip").hidden = !stream;
    shown = stream ? { stream, look, computed } : null;
    under = -1;
    paint();
    tell();
  }

  function tell() {
    setText(find(".numbers"), shown ? numbers(shown.stream, shown.look, under, shown.computed) : "");
  }

  function rowsOf(stream) {
    const count = stream.values.length;
    const width = Math.max(120, element.clientWidth - 26);
    const fit = count <= ROW / 2 ? count : Math.min(ROW, Math.max(32, 32 * Math.ceil(count / 32 / 4)));
    const columns = Math.min(fit, count);
    return { columns, rows: Math.ceil(count / columns), wide: Math.min(28, width / columns) };
  }

  function paint() {
    if (!shown) return;
    const { stream, look } = shown;
    const { columns, rows, wide } = rowsOf(stream);
    canvas.classList.toggle("choosable", stream.by_unit);
    const pen = sharpen(canvas, columns * wide, rows * BAND);
    stream.values.forEach((value, place) => {
      const [x, y] = [(place % columns) * wide, Math.floor(place / columns) * BAND];
      pen.fillStyle = Number.isFinite(value) ? colorOf(value, stream, look.colors, "") : look.colors.nan;
      pen.fillRect(x, y + 1, wide + 0.3, BAND - 2);
      if (!Number.isFinite(value)) strike(pen, x, y + 1, wide, BAND - 2, look.colors.paper);
    });
    const place = look.unit - stream.first;
    if (!stream.by_unit || place < 0 || place >= stream.values.length) return;
    pen.strokeStyle = look.colors.ink;
    pen.lineWidth = 2;
    pen.strokeRect((place % columns) * wide + 0.5, Math.floor(place / columns) * BAND + 1, Math.max(3, wide - 1), BAND - 2);
  }

  function placeAt(event) {
    if (!shown) return -1;
    const box = canvas.getBoundingClientRect();
    const { columns, rows } = rowsOf(shown.stream);
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const place = row * columns + column;
    return column >= 0 && column < columns && place >= 0 && place < shown.stream.values.length ? place : -1;
  }

  canvas.onpointermove = (event) => {
    under = placeAt(event);
    tell();
  };
  canvas.onpointerleave = () => {
    under = -1;
    tell();
  };
  canvas.onclick = (event) => {
    const place = placeAt(event);
    if (place >= 0 && shown.stream.by_unit) choose(shown.stream.first + place);
  };

  return { say, paint };
}

function strike(pen, x, y, width, height, paper) {
  pen.strokeStyle = paper;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, y + height);
  pen.lineTo(x + width, y);
  pen.stroke();
}

function written(part) {
  if (part.kind === "quantity") return signOf(part.symbol, "piece");
  return make("span", `piece ${kindOf(part)}`, shownSign(part));
}

const PRINTED = { times: "×", plus: "+", one_minus: "1 −", sigmoid: "σ", tanh: "tanh", relu: "ReLU" };
const COMPUTED = {
  times: (values) => values.reduce((one, other) => one * other),
  plus: (values) => values.reduce((one, other) => one + other),
  one_minus: ([value]) => 1 - value,
  sigmoid: ([value]) => FUNCTIONS.σ(value),
  tanh: ([value]) => FUNCTIONS.tanh(value),
  relu: ([value]) => FUNCTIONS.ReLU(value),
};

// "0.9821 × (−1.019) = −1.00": how one unit's value was computed, with the digits that it takes to hold.
function equation({ operation, inputs }, stream, place) {
  const values = inputs.map((input) => valueAt(input, place));
  const { count, print, holds } = digitsThatHold(values, COMPUTED[operation], valueAt(stream, place));
  if (!holds) return digits(valueAt(stream, place)); // put in place of what is computed
  const written = values.map((value) => significant(value, count));
  const sign = PRINTED[operation];
  const left = operation === "times" || operation === "plus" ? written.map((text, at) => (at ? bracketed(text) : text)).join(` ${sign} `)
    : operation === "one_minus" ? `${sign} ${bracketed(written[0])}` : `${sign}(${written[0]})`;
  return `${left} = ${print(valueAt(stream, place))}`;
}

// What an operation unit by unit was computed from; null of all else.
export function computation(node, streams) {
  const inputs = (node.reads ?? []).map((name) => streams[name]);
  return node.operation in COMPUTED && inputs.every((input) => input?.by_unit) ? { operation: node.operation, inputs } : null;
}

// "unit 6: 0.98 × 0.49 = 0.480 · norm 3.1 · from −0.9 to 0.8 · 64 units"
function numbers(stream, { unit, base, reads }, under, computed) {
  if (stream.length === 1 && !stream.by_unit) return `${digits(stream.values[0])}, for all units`;
  const said = [];
  const kind = stream.by_unit ? "unit" : "value";
  const place = under >= 0 ? stream.first + under : stream.by_unit ? unit : -1;
  const known = place >= 0 && Number.isFinite(valueAt(stream, place));
  if (place >= 0) said.push(`${kind} ${place + base}: ${computed && known ? equation(computed, stream, place) : digits(valueAt(stream, place))}`);
  else if (reads && stream.isInput) said.push(`token “${reads}”`);
  if (stream.nan) said.push(`${stream.nan} of ${stream.length} are NaN`);
  else said.push(stream.gate ? `mean ${digits(stream.mean)}` : `norm ${digits(stream.norm)}`, spanned(stream));
  const part = stream.values.length < stream.length ? `${stream.values.length} of ${stream.length.toLocaleString("en")}` : stream.length;
  said.push(`${part} ${kind}s`);
  return said.join(" · ");
}

function spanned({ values }) {
  const finite = values.filter(Number.isFinite);
  return finite.length ? `from ${digits(Math.min(...finite))} to ${digits(Math.max(...finite))}` : "no finite value";
}
