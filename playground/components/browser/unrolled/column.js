// One column: the token read, a box for each layer, the predicted distribution, and what really came next.

import { gateColor, inkOn, mix } from "../shared/colors.js";
import { add, put } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { patchGuesses, patchTarget, patchToken } from "./ends.js";
import { arrowAlong, arrowUp, BAR, columnX, FLOW, FOOT, PULL, roundedBox } from "./layout.js";
import { buildUnits, fillOf, numberClass, patchUnits } from "./marks.js";
import { pulledTo, seen } from "./motion.js";
import { normShare, percent, pullShare } from "./numbers.js";

export function buildColumn(parent, numbers, layout, t) {
  const column = { g: add(parent, "g", t < 0 ? "column start" : "column"), cells: [], bars: [] };
  column.band = add(column.g, "rect", "band");
  for (let layer = 0; layer < numbers.layers; layer++) column.cells.push(buildCell(column.g, numbers, layout, layer, t));
  if (t >= 0) buildEnds(column, numbers, layout);
  return column;
}

function buildCell(parent, numbers, layout, layer, t) {
  const g = add(parent, "g", "cell", { "data-layer": layer });
  const cell = { g, lanes: [], frame: null };
  cell.up = add(g, "path", "plain");
  for (let lane = 0; lane < numbers.lanes.length; lane++) {
    const made = { flow: add(g, "path", "flow"), share: add(g, "text", "tiny share") };
    made.back = add(g, "path", "back");
    made.half = numbers.other ? add(g, "path", "half") : null;
    made.inset = t < 0 ? null : add(g, "rect", "inset");
    made.units = t < 0 ? null : buildUnits(g, layout, numbers.units);
    made.norm = add(g, "text", "norm");
    cell.lanes.push(made);
  }
  if (numbers.gradient) {
    cell.foot = add(g, "g", "pull");
    cell.pull = add(cell.foot, "path");
    cell.pulled = add(cell.foot, "text", "tiny number");
    cell.travel = add(cell.foot, "path");
  }
  cell.frame = add(g, "rect", "frame");
  if (numbers.other) cell.mark = add(g, "text", "mark");
  return cell;
}

function buildEnds(column, numbers, layout) {
  const { g } = column;
  column.token = add(g, "g", "token");
  column.tokenBox = add(column.token, "rect");
  column.tokenText = add(column.token, "text", "code");
  column.tokenSign = add(column.token, "text", "sign");
  column.instead = numbers.other ? add(column.token, "text", "tiny instead") : null;
  column.rise = add(g, "path", "plain");
  column.out = add(g, "g", "out");
  for (let rank = 0; rank < layout.bars; rank++) {
    const bar = { back: add(column.out, "rect", "room"), fill: add(column.out, "rect"), then: null };
    if (numbers.other) bar.then = add(column.out, "rect", "then");
    bar.name = add(column.out, "text", "code small");
    bar.value = add(column.out, "text", "tiny percent");
    column.bars.push(bar);
  }
  if (numbers.gradient) {
    column.entry = add(g, "path", "entry");
    column.cut = add(g, "g", "cut");
    column.cutTitle = add(column.cut, "title");
    column.cutReach = add(column.cut, "path", "reach");
    column.cutLine = add(column.cut, "path", "line");
    column.cutMark = add(column.cut, "text");
  }
  column.target = add(g, "g", "target");
  column.goal = add(column.target, "rect");
  column.goalText = add(column.target, "text", "code");
  column.loss = add(column.target, "text", "loss");
  column.chance = add(column.target, "text", "tiny");
}

// Sets all that a column shows. `view` says what is chosen, hovered and so far revealed.
export function patchColumn(column, numbers, layout, t, view) {
  const { colors, reveal } = view;
  column.t = t;
  put(column.g, { transform: `translate(${columnX(layout, t)} 0)`, "data-t": t });
  const chosen = t === view.t;
  const edge = t < 0 ? 0 : layout.gap - 5;
  put(column.band, {
    x: edge, y: 2, width: t < 0 ? 0 : layout.box + 10, height: layout.height - 4, rx: 9,
    class: chosen ? "band chosen" : t === view.hover ? "band hover" : "band",
  });
  for (let layer = 0; layer < numbers.layers; layer++) patchCell(column.cells[layer], numbers, layout, layer, t, view);
  if (t < 0) return;
  patchToken(column, numbers, layout, t, view);
  put(column.rise, { d: arrowUp(layout.middle, layout.rows.at(-1).y - 2, layout.guesses.y + layout.bars * BAR + 3), opacity: seen(reveal, t, numbers.layers, numbers) });
  put(column.out, { opacity: seen(reveal, t, numbers.layers, numbers) });
  patchGuesses(column, numbers, layout, t, colors);
  patchTarget(column, numbers, layout, t, view);
  if (column.cut && !layout.rolled) patchCut(column, numbers, layout, t, view);
}

function patchCell(cell, numbers, layout, layer, t, view) {
  const { colors, reveal } = view;
  const row = layout.rows[layer];
  const start = t < 0;
  const [x, width] = start ? [2, layout.start - 4] : [layout.gap, layout.box];
  const shown = start && reveal?.phase !== "backward" ? 1 : seen(reveal, t, layer);
  put(cell.g, { class: "cell" });
  const below = layer ? layout.rows[layer - 1].y - 2 : layout.token.y - 2;
  put(cell.up, start ? { d: "" } : { d: arrowUp(layout.middle, below, row.y + row.height + 2), opacity: shown });
  cell.lanes.forEach((made, lane) => {
    const place = row.lanes[lane];
    const norm = numbers.norm(lane, layer, t);
    const color = gateColor(normShare(norm, numbers.scales.norms[lane]), 1, colors);
    const ends = { top: lane === numbers.lanes.length - 1, bottom: lane === 0 && !cell.foot };
    put(made.back, { d: roundedBox(x, place.y, width, place.height, ends), fill: fillOf(color, norm), opacity: shown });
    patchFlow(made, numbers, layout, { lane, layer, t, y: place.flow, shown, colors });
    if (made.units) {
      const { width: wide, height: high } = layout.fields;
      const [left, top] = [x + (width - wide) / 2, place.y + 5];
      put(made.inset, { x: left - 2, y: top - 2, width: wide + 4, height: high + 4, fill: colors.paper, opacity: shown });
      put(made.units.group, { opacity: shown });
      const first = numbers.first(layer, t);
      patchUnits(made.units, numbers.drawn(lane), layout, { first, units: numbers.units, chosen: view.unit, x: left, y: top, colors });
    }
    const text = numbers.other && !start ? `Δ ${digits(numbers.apart(lane, layer, t))}` : digits(norm);
    const ink = Number.isFinite(norm) ? inkOn(color) : colors.nan;
    const middle = start ? place.flow + 1 : place.y + place.height - 8.5;
    put(made.norm, { x: x + width / 2, y: middle, fill: ink, opacity: shown, class: numberClass("norm", norm) }, text);
    if (made.half) patchHalf(made, numbers, { lane, layer, t, x, place, width, shown, colors });
  });
  if (cell.foot) patchPull(cell, numbers, layout, { layer, t, x, width, row, reveal, colors });
  const picked = t === view.t && layer === view.layer;
  put(cell.frame, {
    x, y: row.y, width, height: row.height, rx: 7, opacity: shown,
    class: picked ? "frame chosen" : "frame", stroke: picked ? colors.ink : colors.family,
    "stroke-dasharray": start ? "3 2.5" : null,
  });
  if (cell.mark) patchMark(cell, numbers, { layer, t, x, row, picked, colors });
}

function patchFlow(made, numbers, layout, { lane, layer, t, y, shown, colors }) {
  if (t < 0 || layout.rolled) return;
  const change = numbers.change(lane, layer, t);
  const thick = Number.isFinite(change) ? FLOW.least + FLOW.more * change : 2;
  put(made.flow, { d: arrowAlong(2, layout.gap - 2, y, thick), fill: fillOf(colors.family, change), opacity: shown });
  put(made.share, { x: layout.gap / 2 - 1, y: y - thick / 2 - 6, opacity: shown }, percent(change));
}

// With something changed, a box is split: its norm before at the upper left, after at the lower right.
function patchHalf(made, numbers, { lane, layer, t, x, place, width, shown, colors }) {
  const norm = numbers.normThen(lane, layer, t);
  const color = gateColor(normShare(norm, numbers.scales.norms[lane]), 1, colors);
  const [right, bottom] = [x + width, place.y + place.height];
  put(made.half, { d: `M${right} ${place.y}V${bottom}H${x}Z`, fill: fillOf(color, norm), opacity: shown });
  if (Number.isFinite(norm)) put(made.norm, { fill: inkOn(color) });
}

function patchPull(cell, numbers, layout, { layer, t, x, width, row, reveal, colors }) {
  const shown = pulledTo(reveal, t, layer);
  const value = numbers.pull(layer, t);
  const share = pullShare(value, numbers.scales.pull);
  const color = mix(colors.paper, colors.surprise, share);
  put(cell.foot, { opacity: shown });
  put(cell.pull, { d: roundedBox(x, row.foot, width, FOOT, { top: false, bottom: true }), fill: fillOf(color, value) });
  const ink = Number.isFinite(value) ? inkOn(color) : colors.nan;
  put(cell.pulled, { x: x + width / 2, y: row.foot + FOOT / 2 + 0.5, fill: ink, class: numberClass("tiny", value) }, digits(value));
  if (t < 0 || layout.rolled) return;
  const carried = numbers.carried(layer, t);
  const travels = carried > 0 || Number.isNaN(carried);
  const thick = Number.isFinite(carried) ? PULL.least + PULL.more * pullShare(carried, numbers.scales.pull) : 2;
  const shape = travels ? arrowAlong(layout.gap - 2, 2, row.foot + FOOT / 2, thick) : "";
  put(cell.travel, { d: shape, fill: fillOf(colors.surprise, carried), opacity: reveal?.phase === "backward" ? pulledTo(reveal, t - 1, layer) : 1 });
}

// Where the gradient was cut while the run trained, between a chunk and the one before it.
function patchCut(column, numbers, layout, t, { colors }) {
  const cut = numbers.cut(t);
  const top = layout.rows.at(-1).y - 9;
  const bottom = layout.rows[0].y + layout.rows[0].height + 9;
  put(column.cut, { visibility: cut ? null : "hidden" });
  put(column.cutLine, { d: cut ? `M0 ${top}V${bottom}` : "", stroke: colors.muted });
  put(column.cutReach, { d: cut ? `M0 ${top}V${bottom}` : "" });
  put(column.cutMark, { x: 0, y: top - 6, fill: colors.muted }, cut ? "✂" : "");
  put(column.cutTitle, {}, cut ? cutWords(numbers, t) : "");
}

// What is said of such a place.
export function cutWords(numbers, t) {
  const { chunk } = numbers.data;
  const steps = chunk === 1 ? "at every timestep" : `every ${chunk} timesteps`;
  return `Truncated backpropagation: in training, the gradient was cut ${steps} (counted here from the first token), so none flowed from t = ${numbers.when(t)} to t = ${numbers.when(t - 1)}; the hidden state was carried over. The picture shows the full gradient.`;
}

// A diamond where something was changed, and an outline as thick as the states are now apart.
function patchMark(cell, numbers, { layer, t, x, row, picked, colors }) {
  const here = numbers.other.marks.some((mark) => mark.t === t && mark.layer === layer);
  put(cell.mark, { x: x - 9, y: row.y + 2, fill: colors.alarm }, here ? "◆" : "");
  const apart = numbers.apartInAll(layer, t) / (numbers.scales.apart || 1);
  if (apart > 0) put(cell.frame, { stroke: picked ? colors.ink : colors.alarm, "stroke-width": (1.4 + 3.6 * apart).toFixed(2) });
  else put(cell.frame, { "stroke-width": null });
}
