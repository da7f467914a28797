// The numbers that the picture is drawn from, read off the packed arrays. Layers and timesteps count from 0; t = -1 is
// the state before the first token.

import { bytes, floats } from "../shared/numbers.js";

export function numbersOf(data) {
  const { length, layers, units } = data;
  const at = (layer, t) => layer * length + t;
  const after = (layer, t) => layer * (length + 1) + t + 1; // arrays that begin with the state before the first token
  const lanes = data.lanes.map(unpackedLane);
  const other = data.other && {
    ...data.other,
    lanes: data.other.lanes.map(unpackedLane),
    apart: data.other.apart.map(floats),
    losses: floats(data.other.losses),
  };
  const gradient = data.gradient && { ...data.gradient, norms: floats(data.gradient.norms), carried: floats(data.gradient.carried) };
  const losses = floats(data.losses);
  const chances = floats(data.predictions.chances);
  const later = data.predictions.other && floats(data.predictions.other);
  const ranks = data.predictions.tokens[0]?.length || 0;
  const numbers = {
    data, length, layers, units, lanes, other, gradient, losses, ranks,
    norm: (lane, layer, t) => lanes[lane].norms[after(layer, t)],
    normThen: (lane, layer, t) => other.lanes[lane].norms[after(layer, t)],
    apart: (lane, layer, t) => (t < 0 ? 0 : other.apart[lane][at(layer, t)]),
    apartInAll: (layer, t) => (t < 0 ? 0 : Math.hypot(...other.apart.map((values) => values[at(layer, t)]))),
    change: (lane, layer, t) => lanes[lane].changes[at(layer, t)],
    unit: (lane, layer, t) => lanes[lane].unit[at(layer, t)],
    unitThen: (lane, layer, t) => other.lanes[lane].unit[at(layer, t)],
    pull: (layer, t) => gradient.norms[after(layer, t)],
    carried: (layer, t) => gradient.carried[at(layer, t)], // from t to t - 1
    cut: (t) => t > 0 && t % data.chunk === 0, // whether it was cut between t and t - 1 while the run trained
    drawn: (lane) => (other ? other.lanes[lane] : lanes[lane]), // whose units fill the boxes: of the difference, if any
    first: (layer, t) => at(layer, t) * units, // where the units of a place begin
    guesses: (t) =>
      Array.from({ length: ranks }, (_, rank) => ({
        name: data.predictions.names[data.predictions.tokens[t][rank]],
        chance: chances[t * ranks + rank],
        then: later && later[t * ranks + rank],
      })),
    when: (t) => t + data.first,
    loss: (t) => losses[t],
  };
  return { ...numbers, scales: scalesOf(numbers) };
}

function unpackedLane(lane) {
  return {
    ...lane,
    norms: floats(lane.norms),
    changes: floats(lane.changes),
    unit: floats(lane.unit),
    values: lane.values === null ? null : floats(lane.values),
    levels: lane.levels === null ? null : new Int8Array(bytes(lane.levels).buffer),
    finite: lane.low !== 0 || lane.high !== 0,
  };
}

// Where each scale begins and ends: the least and the greatest value that is drawn on it.
function scalesOf({ data, lanes, gradient, other }) {
  const common = data.scales; // with other pictures
  const greatest = (values) => values.reduce((most, value) => (value > most && Number.isFinite(value) ? value : most), 0);
  const norms = lanes.map((lane, place) => {
    const [least, most] = common?.norms[lane.name] || [];
    return common ? { least, most } : spanOf(lane, other?.lanes[place]);
  });
  const apart = other ? greatest(other.apart[0].map((_, place) => Math.hypot(...other.apart.map((values) => values[place])))) : 0;
  const pulls = gradient ? [...gradient.norms, ...gradient.carried].filter((value) => value > 0 && Number.isFinite(value)) : [];
  const most = common ? common.pull[1] : pulls.length ? pulls.reduce((a, b) => Math.max(a, b)) : 0;
  const least = common ? common.pull[0] : pulls.length ? pulls.reduce((a, b) => Math.min(a, b)) : 0;
  return { norms, apart, loss: 2 * Math.log(data.vocabulary), pull: { most, least: Math.max(least, most * 1e-6), clipped: least < most * 1e-6 } };
}

// The least and the greatest norm of a state, the one before the first token aside: it is zero, or another text's.
function spanOf(lane, then) {
  const every = lane.norms.length / lane.signs.length;
  const later = (values) => [...values].filter((value, place) => place % every && Number.isFinite(value));
  const values = [...later(lane.norms), ...(then ? later(then.norms) : [])];
  if (!values.length) return { least: NaN, most: NaN };
  return { least: values.reduce((a, b) => Math.min(a, b)), most: values.reduce((a, b) => Math.max(a, b)) };
}

// Where a norm stands between them, from 0.1 to 0.9; a state of zero has no colour.
export function normShare(value, { least, most }) {
  if (value === 0) return 0;
  return 0.1 + 0.8 * Math.max(0, Math.min(1, most > least ? (value - least) / (most - least) : 1));
}

// Where a gradient's norm stands on the logarithmic scale, from 0.08 (the least that is drawn) to 1.
export function pullShare(value, { most, least }) {
  if (!(value > 0)) return 0;
  if (most === least) return 1;
  return Math.max(0.08, Math.min(1, 0.08 + (0.92 * Math.log(value / least)) / Math.log(most / least)));
}

export function percent(share) {
  if (!Number.isFinite(share)) return "NaN";
  const value = 100 * share;
  if (value > 0 && value < 0.5) return "<1%";
  return `${value > 99.4 && share < 1 ? ">99" : Math.round(value)}%`;
}
