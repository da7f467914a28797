// Cards of task shapes. A live one shows the run's tokens, norms and chances; another shows boxes and arrows alone.

import { colorsOf, gateColor, inkOn } from "../shared/colors.js";
import { add, put, svg } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { arrowAlong, arrowUp } from "../unrolled/layout.js";
import { fillOf, fitted, hatching, putSign } from "../unrolled/marks.js";
import { normShare, percent } from "../unrolled/numbers.js";

const [STEP, BOX, TOP, STATE_ROW, READ_ROW] = [60, 40, 10, 74, 142];
const PICTURE = { width: 390, height: 196 };
const cards = new WeakMap();

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".shapes");
  const colors = colorsOf(list, data.family);
  const key = JSON.stringify([data, colors.ink, colors.paper]);
  if (cards.get(list) === key) return;
  cards.set(list, key);
  const known = new Map([...list.children].map((card) => [card.dataset.shape, card]));
  for (const shape of data.shapes) {
    const card = known.get(shape.name) || list.appendChild(buildCard(shape));
    patchCard(card, shape, data, colors);
  }
}

function buildCard(shape) {
  const card = document.createElement("article");
  card.dataset.shape = shape.name;
  card.setAttribute("role", "listitem");
  for (const [tag, name] of [["h4", "title"], ["p", "task"]]) {
    const element = document.createElement(tag);
    element.className = name;
    card.append(element);
  }
  card.append(svg("svg", { viewBox: `0 0 ${PICTURE.width} ${PICTURE.height}`, role: "img" }));
  const said = document.createElement("p");
  said.className = "said";
  card.append(said);
  return card;
}

function patchCard(card, shape, data, colors) {
  card.classList.toggle("live", shape.live);
  put(card.querySelector(".title"), {}, shape.title);
  put(card.querySelector(".task"), {}, shape.task);
  put(card.querySelector(".said"), {}, shape.caption);
  const picture = card.querySelector("svg");
  picture.setAttribute("aria-label", `${shape.title}. ${shape.caption}`);
  picture.replaceChildren();
  hatching(picture, colors);
  const left = (PICTURE.width - (shape.cells.length - 1) * STEP - BOX) / 2;
  shape.cells.forEach((cell, place) => drawStep(picture, shape, cell, place, left + place * STEP, data, colors));
}

function drawStep(picture, shape, cell, place, x, data, colors) {
  const g = add(picture, "g");
  const middle = x + BOX / 2;
  const line = shape.live ? colors.family : colors.muted;
  const value = shape.live ? (cell.norm ?? NaN) : null;
  const fill = value === null ? "none" : fillOf(gateColor(normShare(value, { least: shape.low, most: shape.high }), 1, colors), value);
  if (place > 0) add(g, "path", "", { d: arrowAlong(x - STEP + BOX + 2, x - 2, STATE_ROW + 22, 3), fill: line });
  add(g, "rect", "state", { x, y: STATE_ROW, width: BOX, height: 44, rx: 7, fill, stroke: line, "stroke-dasharray": shape.live ? null : "4 3" });
  const time = String((cell.t ?? place) + data.first);
  if (value === null) putSign(add(g, "text", "sign", { x: middle, y: STATE_ROW + 22, fill: colors.muted }), brieflyNamed(data.signs.hidden), time);
  else {
    const ink = Number.isFinite(value) ? inkOn(fill) : colors.nan;
    put(add(g, "text", "norm", { x: middle, y: STATE_ROW + 22, fill: ink }), {}, digits(value));
  }
  if (cell.reads !== null) {
    add(g, "path", "", { d: arrowUp(middle, READ_ROW - 2, STATE_ROW + 46, 2), fill: line });
    drawPill(g, cell.reads, { x: middle, y: READ_ROW, sign: data.signs.input, time, colors, live: shape.live });
  }
  if (cell.says !== null) {
    add(g, "path", "", { d: arrowUp(middle, STATE_ROW - 2, TOP + 42, 2), fill: line });
    const strong = cell.right ? colors.gate : null;
    drawPill(g, cell.says, { x: middle, y: TOP + 14, sign: data.signs.prediction, time, colors, live: shape.live, strong });
    if (shape.live) put(add(g, "text", "tiny", { x: middle, y: TOP + 4, fill: colors.ink }), {}, cell.chance === null ? "NaN" : percent(cell.chance));
  }
  if (cell.fed_back) drawFeedback(g, x, line);
}

function brieflyNamed(sign) {
  return sign[0][0].length > 2 ? [["", ""]] : sign;
}

function drawPill(g, token, { x, y, sign, time, colors, live, strong = null }) {
  const name = fitted(token, 5);
  const wide = Math.max(30, [...name].length * 8.4 + 12);
  add(g, "rect", live ? "pill" : "pill empty", { x: x - wide / 2, y, width: wide, height: 26, rx: 6, stroke: strong });
  const text = add(g, "text", live ? "code" : "sign", { x, y: y + 13.5, fill: live ? colors.ink : colors.muted });
  if (live) put(text, {}, name);
  else putSign(text, brieflyNamed(sign), time);
}

// From what was said at the timestep before, down between the two columns, to what is read now.
function drawFeedback(g, x, line) {
  const [from, to] = [x - STEP + BOX / 2 + 17, x + BOX / 2 - 17];
  const between = x - (STEP - BOX) / 2;
  const path = `M${from} ${TOP + 27}H${between - 4}Q${between} ${TOP + 27} ${between} ${TOP + 31}V${READ_ROW + 9}Q${between} ${READ_ROW + 13} ${between + 3} ${READ_ROW + 13}H${to}`;
  add(g, "path", "feedback", { d: path, stroke: line });
  add(g, "path", "", { d: `M${to + 1} ${READ_ROW + 13}l-6 -3.5v7z`, fill: line });
}
