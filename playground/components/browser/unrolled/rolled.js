// The same network folded into one column whose state goes round: the values are those of the chosen timestep, and the
// weights, named beside the arrows, are the same at every one.

import { add, put } from "../shared/dom.js";
import { digits, floats } from "../shared/numbers.js";
import { buildColumn, patchColumn } from "./column.js";
import { fieldsOf, FLOW, gridOf, placeRows } from "./layout.js";
import { fillOf, putSign } from "./marks.js";
import { percent } from "./numbers.js";
import { plainSign } from "./sides.js";

export const ROLLED_LEFT = 44;

export function rolledLayout(numbers, width) {
  const { lanes, units } = numbers;
  const few = lanes[0].values !== null;
  const roomy = width > 560;
  const box = Math.max(120, Math.min(few ? 250 : 220, width - 150));
  const layout = { few, roomy, gap: 0, box, step: box, middle: box / 2, start: 0, rolled: true, width };
  layout.fixed = roomy ? ROLLED_LEFT : 8;
  layout.fields = few ? fieldsOf(units, box - 12) : gridOf(units, box - 14, lanes.length > 1 ? 44 : 70);
  layout.bars = Math.min(numbers.ranks, 5);
  placeRows(layout, numbers);
  return layout;
}

export function buildRolled(parent, numbers, layout) {
  const g = add(parent, "g", "rolled");
  const rolled = { g, column: buildColumn(g, numbers, layout, 0), loops: [], into: [] };
  for (let layer = 0; layer < numbers.layers; layer++) {
    rolled.loops.push(
      numbers.lanes.map(() => ({
        loop: add(g, "path", "loop"), head: add(g, "path"), name: add(g, "text", "weight"), share: add(g, "text", "aside quiet"),
      })),
    );
    rolled.into.push(add(g, "text", "weight"));
  }
  rolled.out = add(g, "text", "weight");
  rolled.when = add(g, "text", "when");
  rolled.words = Array.from({ length: 3 + numbers.layers }, () => add(g, "text", "aside"));
  return rolled;
}

export function patchRolled(rolled, numbers, layout, view) {
  const { data } = numbers;
  const { colors, t } = view;
  patchColumn(rolled.column, numbers, layout, t, { ...view, reveal: null, hover: -2 });
  put(rolled.column.band, { class: "band" });
  const right = layout.fixed + layout.box;
  const beside = layout.fixed + layout.middle + (numbers.gradient ? 22 : 12);
  for (let layer = 0; layer < numbers.layers; layer++) {
    const row = layout.rows[layer];
    rolled.loops[layer].forEach((parts, lane) => patchLoop(parts, numbers, { lane, layer, t, right, place: row.lanes[lane], roomy: layout.roomy, colors }));
    put(rolled.into[layer], { x: layout.fixed + layout.middle + 12, y: row.y + row.height + 15 });
    putSign(rolled.into[layer], data.signs.weight_ih, "");
  }
  put(rolled.out, { x: beside, y: layout.rows.at(-1).y - 12 });
  putSign(rolled.out, data.signs.weight_out, "");
  patchAside(rolled, numbers, layout, t, right + 190);
}

// Where there is room: which timestep it is, and what stays the same at every one, with its size.
function patchAside(rolled, numbers, layout, t, x) {
  const { data } = numbers;
  const shown = layout.roomy ? null : "hidden";
  const top = layout.guesses.y + 4;
  put(rolled.when, { x, y: top, visibility: shown }, `t = ${numbers.when(t)} of ${numbers.when(numbers.length - 1)}`);
  const size = (name, layer) => [["‖", ""], ...data.signs[name], [`‖ = ${digits(floats(data.weights[name])[layer])}    `, ""]];
  const words = [[["Step through time: the values change,", ""]], [["the weights are the same at every timestep:", ""]]];
  for (let layer = 0; layer < numbers.layers; layer++) {
    const level = numbers.layers > 1 ? [[`layer ${numbers.when(layer)}: `, ""]] : [];
    words.push([...level, ...size("weight_ih", layer), ...size("weight_hh", layer)]);
  }
  words.push(size("weight_out", 0));
  rolled.words.forEach((text, place) => {
    put(text, { x, y: top + 32 + 21 * place, visibility: shown });
    putSign(text, words[place], "");
  });
}

// Out at the right, round, and in again one timestep later. As thick as the relative change of the state just now.
function patchLoop(parts, numbers, { lane, layer, t, right, place, roomy, colors }) {
  const change = numbers.change(lane, layer, t);
  const thick = Number.isFinite(change) ? FLOW.least + FLOW.more * change : 2;
  const rise = Math.min(20, place.height * 0.3);
  const middle = place.y + place.height / 2;
  const [from, to] = [middle - rise, middle + rise];
  const color = fillOf(colors.family, change);
  put(parts.loop, { d: `M${right + 1} ${from}C${right + 62} ${from - 6} ${right + 62} ${to + 6} ${right + 9} ${to}`, stroke: color, "stroke-width": thick });
  const wing = thick / 2 + 4;
  put(parts.head, { d: `M${right + 1} ${to - 1}L${right + 13} ${to - wing}V${to + wing}Z`, fill: color });
  const whose = numbers.lanes.length > 1 ? ` of ${plainSign(numbers.lanes[lane].signs[layer])}` : "";
  const shares = roomy ? `relative change${whose} ${percent(change)}` : percent(change);
  put(parts.share, { x: right + 58, y: middle + (lane ? 0 : 11) }, shares);
  put(parts.name, { x: right + 58, y: middle - 9 });
  putSign(parts.name, lane ? [] : numbers.data.signs.weight_hh, "");
}
