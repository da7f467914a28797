// What stands beside the columns: the names of the rows at the left, and the keys to the colours below.

import { mix } from "../shared/colors.js";
import { add, put, svg } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { BAR, FLOW, FOOT, PILL, PULL } from "./layout.js";
import { putSign } from "./marks.js";

export const SIDE = { wide: 96, narrow: 62 };

export function patchSide(side, numbers, layout, colors, width, scale = 1) {
  const { data } = numbers;
  const key = [data.version, layout.height, colors.ink, width, scale].join();
  if (side.drawn === key) return;
  side.drawn = key;
  side.replaceChildren();
  put(side, { width: width * scale, height: layout.height * scale, viewBox: `0 0 ${width} ${layout.height}` });
  const right = width - 8;
  const line = (text, y, name = "") => {
    const element = add(side, "text", `row ${name}`, { x: right, y });
    if (Array.isArray(text)) putSign(element, text, "t");
    else element.textContent = text;
    return element;
  };
  line(width > 80 ? "next token" : "next", layout.target.y + PILL / 2 + 1);
  line("loss", layout.target.y + PILL + 10, "quiet");
  line(width > 80 ? "predicted" : "pred.", layout.guesses.y + BAR / 2);
  if (data.signs.prediction[0][0].length < 7) line(data.signs.prediction, layout.guesses.y + BAR * 1.6 + 6, "sign");
  for (const row of layout.rows) {
    const top = row.lanes.at(-1).y;
    numbers.lanes.forEach((lane, place) => {
      const { y, height } = row.lanes[place];
      const sign = lane.signs[row.layer];
      const middle = y + height / 2 + (y === top && numbers.layers > 1 ? 7 : 0);
      if (sign[0][0].length <= 2) line(sign, middle, "sign");
      else sign[0][0].split(" ").forEach((word, at) => line(word, middle - 6 + 13 * at));
    });
    if (numbers.layers > 1) line(`layer ${numbers.when(row.layer)}`, top + 8, "quiet");
    if (numbers.gradient) line("‖∂L/∂s‖", row.foot + FOOT / 2 + 0.5, "gradient").setAttribute("fill", colors.surprise);
  }
  line(width > 80 ? "token read" : "read", layout.token.y + 12);
  if (data.signs.input[0][0].length <= 2) line(data.signs.input, layout.token.y + 44, "sign");
}

// One entry for each scale: its name, a bar or arrows, its ends.
export function keysOf(numbers, colors) {
  const { data, scales, gradient, other } = numbers;
  const name = (lane) => plainSign(lane.signs[0]);
  const keys = numbers.lanes.map((lane, place) => ({
    name: `norm ‖${name(lane)}‖ (box)`, brief: `‖${name(lane)}‖`, from: mix(colors.paper, colors.gate, 0.1), to: mix(colors.paper, colors.gate, 0.9),
    low: digits(scales.norms[place].least), high: digits(scales.norms[place].most),
  }));
  numbers.lanes.forEach((lane, place) => {
    const drawn = numbers.drawn(place);
    keys.push({
      name: other ? `${name(lane)}: changed − original` : `units of ${name(lane)} (squares)`,
      brief: other ? `Δ ${name(lane)}` : `units of ${name(lane)}`,
      from: colors.negative, middle: colors.paper, to: colors.positive, low: drawn.finite ? digits(-drawn.full) : "", high: drawn.finite ? digits(drawn.full) : "no values",
      note: drawn.high > drawn.full || drawn.low < -drawn.full ? `(${digits(drawn.low)} to ${digits(drawn.high)} in all)` : "",
    });
  });
  keys.push({ name: "→ relative change, ‖sₜ − sₜ₋₁‖ / (‖sₜ‖ + ‖sₜ₋₁‖)", brief: "relative change", arrows: colors.family, ends: FLOW, low: "0%", high: "100%" });
  const costliest = numbers.losses.reduce((most, value) => (value > most ? value : most), 0);
  if (!data.overview) keys.push({
    name: "loss", brief: "loss", from: colors.paper, to: colors.surprise, low: "0", high: `${costliest > scales.loss ? "≥ " : ""}${digits(scales.loss)} nats`,
    note: `(uniform guess, ln ${data.vocabulary.toLocaleString("en")} = ${digits(Math.log(data.vocabulary))})`,
  });
  if (gradient) keys.push(...gradientKeys(numbers, colors));
  if (other) {
    keys.push({ name: "◆ changed here; outline: ‖changed − original‖", brief: "◆ changed here", outlines: colors.alarm, low: "0", high: digits(scales.apart) });
  }
  return keys;
}

// Boxes and arrows stand on one scale. An arrow is for what the losses from t on (L≥ₜ) send to t − 1 through the layer's
// own step, a box for that and what enters there.
function gradientKeys({ scales, gradient, other, when, lanes }, colors) {
  const { least, most, clipped } = scales.pull;
  const whole = gradient.of === "sum" ? "all losses" : `loss at t = ${when(gradient.of)}`;
  const ends = { low: `${clipped ? "≤ " : ""}${digits(least)}`, high: digits(most) };
  const [hidden, cell] = lanes.map((lane) => plainSign(lane.signs[0]));
  const states = cell ? `(s = (${hidden}, ${cell}); ∂L/∂${cell} includes the path through ${hidden} of the same step)` : "";
  const note = most ? states : gradient.norms.some(Number.isNaN) ? "(NaN)" : "(no gradient)";
  return [
    { brief: "‖∂L/∂s‖", name: `‖∂L/∂s‖ (foot of a box), ${whole}${other ? ", unchanged" : ""} (log)`, from: mix(colors.paper, colors.surprise, 0.08), to: colors.surprise, ...ends, note },
    { brief: "‖∂L≥ₜ/∂sₜ₋₁‖", name: "← ‖∂L≥ₜ/∂sₜ₋₁‖ through the recurrence (log)", arrows: colors.surprise, ends: { least: PULL.least + 0.08 * PULL.more, more: 0.92 * PULL.more }, back: true, ...ends },
  ];
}

// A state's name without its place: "a" rather than "a[1]⟨t⟩".
export function plainSign(sign) {
  return sign.filter(([, place]) => !place).map(([text]) => text).join("");
}

const KEY_BAR = 74;

const FONTS = new Map();
const SCRATCH = document.createElement("canvas").getContext("2d");

// How long a text is in the typeface of an element of the page. Asked of a canvas: the page need not be laid out for it.
function textLength(element, text) {
  const kind = element.getAttribute("class");
  if (!FONTS.has(kind)) {
    const { fontStyle, fontWeight, fontSize, fontFamily } = getComputedStyle(element);
    FONTS.set(kind, `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`);
  }
  SCRATCH.font = FONTS.get(kind);
  return SCRATCH.measureText(text).width;
}

// As thick at its ends as the arrows are that it explains; the head shows which way those go.
function wedge(left, { ends: { least, more }, back = false }) {
  const [thin, thick, y] = [least / 2, (least + more) / 2, 25];
  const right = left + KEY_BAR;
  if (back) return `M${left} ${y}L${left + 8} ${y - thin - 3}V${y - thin}L${right} ${y - thick}V${y + thick}L${left + 8} ${y + thin}V${y + thin + 3}Z`;
  return `M${left} ${y - thin}L${right - 9} ${y - thick}V${y - thick - 3}L${right} ${y}L${right - 9} ${y + thick + 3}V${y + thick}L${left} ${y + thin}Z`;
}

// An entry as SVG, so that it can leave with the picture. Its parent must be in the page, where text has a typeface;
// `wider` leaves room for another, as that of a file's reader.
export function drawKey(parent, key, place, wider = 1) {
  const group = add(parent, "g", "key");
  const id = `ramp-${place}`;
  const write = (text, name, x, y) => {
    const element = add(group, "text", name, { x, y });
    element.textContent = text;
    return x + wider * textLength(element, text);
  };
  const named = write(key.name, "key-name", 0, 9);
  const left = write(key.low, "tiny", 0, 25) + 5;
  if (key.arrows) add(group, "path", "", { d: wedge(left, key), fill: key.arrows });
  else if (key.outlines) {
    add(group, "rect", "", { x: left + 1, y: 19, width: 24, height: 12, rx: 3, fill: "none", stroke: key.outlines, "stroke-width": 1.4 });
    add(group, "rect", "", { x: left + KEY_BAR - 27, y: 19, width: 24, height: 12, rx: 3, fill: "none", stroke: key.outlines, "stroke-width": 5 });
  } else {
    const ramp = add(add(group, "defs"), "linearGradient", "", { id });
    const stops = key.middle ? [key.from, key.middle, key.to] : [key.from, key.to];
    stops.forEach((color, at) => add(ramp, "stop", "", { offset: at / (stops.length - 1), "stop-color": color }));
    add(group, "rect", "ramp", { x: left, y: 19, width: KEY_BAR, height: 11, rx: 2, fill: `url(#${id})` });
  }
  const end = write(key.high, "tiny", left + KEY_BAR + 5, 25);
  return Math.max(named, key.note ? write(key.note, "tiny quiet", end + 7, 25) : end) + 4;
}

// One line that names the scales; opened, each with its ends. They grow with the page's type, as the picture does:
// `scale`. `room` is the width that there is for them.
export function patchKeys(legend, numbers, colors, scale, room) {
  const list = legend.querySelector(".keys");
  const narrow = room < 480 * scale;
  const keys = keysOf(numbers, colors).map((key) => (narrow ? { ...key, note: "" } : key));
  const text = JSON.stringify([keys, colors.ink, scale]);
  if (list.drawn === text) return;
  list.drawn = text;
  list.replaceChildren();
  legend.querySelector("summary").replaceChildren(...keys.map(briefKey));
  keys.forEach((key, place) => {
    const picture = svg("svg", { "aria-hidden": "true" });
    list.append(picture);
    const width = Math.ceil(drawKey(picture, key, place));
    put(picture, { width: width * scale, height: 36 * scale, viewBox: `0 0 ${width} 36` });
  });
}

// A scale in one line: a bit of it, and what it is of.
function briefKey(key) {
  const entry = document.createElement("span");
  entry.className = "brief";
  entry.title = [key.name, `${key.low} to ${key.high}`, key.note].filter(Boolean).join(", ");
  const ramp = document.createElement("i");
  const stops = [key.from, key.middle, key.to].filter(Boolean);
  ramp.style.background = key.arrows || (stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "none");
  ramp.className = key.arrows ? "arrow" : key.outlines ? "outline" : "";
  if (key.outlines) ramp.style.borderColor = key.outlines;
  entry.append(ramp, key.brief);
  return entry;
}
