// Both ends of a column: the token that is read, the tokens that are expected, and the one that came.

import { gateColor, inkOn, mix } from "../shared/colors.js";
import { put } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { arrowUp, BAR, PILL } from "./layout.js";
import { fitted, NOT_A_NUMBER, putSign } from "./marks.js";
import { pulledTo, seen } from "./motion.js";
import { percent } from "./numbers.js";

export function patchToken(column, numbers, layout, t, view) {
  const { data } = numbers;
  const { colors } = view;
  const unknown = data.unknown.includes(t);
  const replaced = numbers.other?.tokens[t] ?? null;
  const name = replaced ?? data.tokens[t];
  const room = Math.floor((layout.box - 8) / 9);
  const shown = fitted(name, room);
  const wide = Math.max(Math.min(34, layout.step - 3), Math.min(layout.box, [...shown].length * 9.4 + 16));
  const { y } = layout.token;
  put(column.tokenBox, {
    x: layout.middle - wide / 2, y, width: wide, height: 30, rx: 7,
    class: unknown ? "read unknown" : replaced !== null ? "read replaced" : "read", stroke: replaced !== null ? colors.alarm : null,
    "stroke-dasharray": unknown ? "3 3" : null,
  });
  put(column.tokenText, { x: layout.middle, y: y + 16, class: unknown ? "code unknown" : "code" }, shown);
  put(column.tokenSign, { x: layout.middle, y: y + 44 });
  const read = unknown && !data.unknown_read_as ? [...data.signs.input, [" = 0", ""]] : data.signs.input; // a zero vector stands in
  putSign(column.tokenSign, read, String(numbers.when(t)));
  if (column.instead) {
    put(column.instead, { x: layout.middle + wide / 2 + 3, y: y + 4, fill: colors.alarm }, replaced !== null ? `was ${fitted(data.tokens[t], 4)}` : "");
  }
}

// What comes next: in the changed text, if a token was replaced, for the network is judged on that.
export function goalOf(numbers, t) {
  return numbers.other ? numbers.other.targets[t] : numbers.data.targets[t];
}

export function patchGuesses(column, numbers, layout, t, colors) {
  const goal = goalOf(numbers, t);
  const left = layout.gap + 1;
  const wide = layout.box - 2 - (numbers.other ? 60 : 34); // the shares stand beside the bars
  const room = Math.max(1, Math.floor((wide - 4) / 7));
  numbers.guesses(t).slice(0, layout.bars).forEach(({ name, chance, then }, rank) => {
    const bar = column.bars[rank];
    const y = layout.guesses.y + rank * BAR;
    const right = name === goal && Number.isFinite(chance) && !unknownNext(numbers.data, t);
    const long = (share) => Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0)) * wide;
    put(bar.back, { x: left, y: y + 1, width: wide, height: BAR - 3, rx: 3 });
    const color = mix(colors.paper, colors.gate, right ? 0.5 : 0.24); // light enough for ink, wherever the bar ends
    put(bar.fill, { x: left, y: y + 1, width: long(chance), height: BAR - 3, rx: 3, fill: color });
    const weight = right ? 700 : 500;
    put(bar.name, { x: left + 4, y: y + BAR / 2 - 0.5, fill: colors.ink, "font-weight": weight }, Number.isFinite(chance) ? fitted(name, room) : "");
    const moved = bar.then && bareShare(chance) !== bareShare(then);
    const said = moved ? `${bareShare(chance)}→${bareShare(then)}%` : percent(chance);
    put(bar.value, { x: layout.gap + layout.box - 2, y: y + BAR / 2 - 0.5, fill: colors.ink, "font-weight": weight }, said);
    if (bar.then) put(bar.then, { x: left, y: y + BAR - 4, width: moved ? long(then) : 0, height: 3, fill: colors.alarm });
  });
}

function bareShare(share) {
  return Number.isFinite(share) ? String(Math.round(100 * share)) : "NaN";
}

export function patchTarget(column, numbers, layout, t, view) {
  const { data, gradient } = numbers;
  const { colors, reveal } = view;
  const goal = goalOf(numbers, t);
  const replaced = goal !== data.targets[t];
  const loss = numbers.loss(t);
  const { y } = layout.target;
  const known = goal !== null;
  const judged = Number.isFinite(loss);
  const color = judged ? gateColor(loss, numbers.scales.loss, colors, colors.surprise) : colors.paper;
  const source = gradient && gradient.entry.includes(t);
  const alone = source && gradient.of === t;
  put(column.target, { opacity: reveal?.phase === "backward" && source ? 1 : seen(reveal, t, numbers.layers), class: judged ? "target choosable" : "target" });
  put(column.goal, {
    x: layout.gap + 1, y, width: layout.box - 2, height: PILL, rx: 7, fill: known && !judged && !unknownNext(data, t) ? NOT_A_NUMBER : color,
    class: alone ? "goal alone" : replaced ? "goal replaced" : known ? "goal" : "goal none", stroke: alone ? colors.surprise : replaced ? colors.alarm : null,
  });
  const name = known ? fitted(goal, Math.floor((layout.box - 8) / 9)) : "?";
  put(column.goalText, { x: layout.middle, y: y + PILL / 2 + 1, fill: judged ? inkOn(color) : colors.muted, class: known && !judged && !unknownNext(data, t) ? "code on-hatching" : "code" }, name);
  const after = numbers.other?.losses[t];
  const changed = numbers.other && judged && short(after) !== short(loss);
  const said = judged ? (changed ? `${short(loss)}→${short(after)}` : `${short(loss)} nats`) : Number.isFinite(after) ? `→${short(after)} nats` : known ? (unknownNext(data, t) ? "unknown" : "NaN") : "";
  put(column.loss, { x: layout.middle, y: y + PILL + 10, fill: changed ? colors.alarm : null }, said);
  const [was, now] = (changed ? [loss, after] : []).map((nats) => percent(Math.exp(-nats)).replace("%", ""));
  const chance = was !== now ? `${was}→${now}%` : (judged ? `p = ${percent(Math.exp(-loss))}`.replace(/= ([<>])/, "$1 ") : "");
  put(column.chance, { x: layout.middle, y: y + PILL + 23 }, chance);
  if (column.entry) patchEntry(column, numbers, layout, t, { source, reveal, colors });
}

// Whether what comes next has no chance and so no loss: nothing stands for it in the vocabulary.
export function unknownNext(data, t) {
  return !data.unknown_read_as && data.unknown.includes(t + 1);
}

// Where the gradient enters: from a loss down into the top layer. It has no width of its own to show.
function patchEntry(column, numbers, layout, t, { source, reveal, colors }) {
  const x = layout.middle + 9;
  const shape = source ? arrowUp(x, layout.guesses.y + layout.bars * BAR + 3, layout.rows.at(-1).y - 2, 2) : "";
  put(column.entry, { d: shape, fill: colors.surprise, opacity: !reveal ? 1 : pulledTo(reveal, t, numbers.layers - 1) });
}

// Two significant digits, for narrow columns; the card has three.
function short(value) {
  return digits(value, 2);
}
