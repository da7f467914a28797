// Where everything stands, in pixels. A column is its gap, through which arrows come in from the left, and its box.

const START = 58; // width of the state before the first token
export const PILL = 26;
export const BAR = 17;
export const FOOT = 17;
export const FLOW = { least: 1, more: 9 }; // how thick an arrow is that shows a share from 0 to 1
export const PULL = { least: 1, more: 7 }; // the same of one that shows where a gradient stands on its scale
const FIELD = 28;
const OUT_OF_SIGHT = -400; // where an overview has what it does not show

export function layoutOf(numbers, width) {
  const { data, lanes, units } = numbers;
  const few = lanes[0].values !== null;
  const phone = width < 420;
  const words = data.kind === "word";
  const overview = Boolean(data.overview);
  const start = overview ? 26 : START;
  const least = overview ? (few || words ? 60 : 29) : few ? (units > 4 ? 172 : phone ? 124 : 140) : (words && numbers.other ? 148 : words || numbers.other ? 112 : 88) - (phone ? 4 : 0);
  const most = few ? 216 : 148;
  const step = Math.max(least, Math.min(most, Math.floor((width - start - 10) / numbers.length)));
  const gap = Math.round(Math.max(overview ? 10 : 30, Math.min(52, step * 0.3)));
  const layout = { few, step, gap, box: step - gap, middle: gap + (step - gap) / 2, start, overview };
  const fields = overview ? gridOf(units, layout.box - 6, lanes.length > 1 ? 18 : 30) : few ? fieldsOf(units, layout.box - 10) : gridOf(units, layout.box - 10, lanes.length > 1 ? 26 : 44);
  layout.fields = fields;
  layout.bars = overview ? 0 : Math.min(numbers.ranks, few ? 5 : 3);
  placeRows(layout, numbers);
  layout.width = start + step * numbers.length + 10;
  return layout;
}

// Few units: one rectangle each, wide enough for its number.
export function fieldsOf(units, width) {
  const across = Math.max(1, Math.min(units, Math.floor(width / 33)));
  return { across, wide: width / across, high: FIELD, height: FIELD * Math.ceil(units / across), width };
}

// Many units: squares, as large as fit.
export function gridOf(units, width, height) {
  let best = { across: 1, side: 0 };
  for (let across = 1; across <= units; across++) {
    const side = Math.min(width / across, height / Math.ceil(units / across), 9);
    if (side > best.side) best = { across, side };
  }
  const { across, side } = best;
  return { across, wide: side, high: side, height: side * Math.ceil(units / across), width: side * across };
}

export function placeRows(layout, numbers) {
  const { overview } = layout;
  let y = 10;
  layout.target = { y: overview ? OUT_OF_SIGHT : y };
  y += PILL + 34;
  layout.guesses = { y: overview ? OUT_OF_SIGHT : y };
  y = overview ? 16 : y + layout.bars * BAR + 24;
  layout.rows = [];
  const foot = numbers.gradient ? FOOT : 0;
  for (let layer = numbers.layers - 1; layer >= 0; layer--) {
    const row = { layer, y, lanes: [] };
    for (let lane = numbers.lanes.length - 1; lane >= 0; lane--) { // the cell state above the hidden state
      const height = layout.fields.height + (overview ? 10 : 24);
      row.lanes[lane] = { y, height, flow: y + 5 + layout.fields.height / 2 };
      y += height + (lane ? 2 : 0);
    }
    row.foot = y;
    y += foot;
    row.height = y - row.y;
    layout.rows[layer] = row;
    y += overview ? 13 : 26;
  }
  layout.token = { y };
  y += overview ? 34 : 32 + 22;
  layout.height = y;
}

export function columnX(layout, t) {
  if (layout.fixed !== undefined) return layout.fixed;
  return t < 0 ? 0 : layout.start + layout.step * t;
}

// A box with its upper corners, its lower ones, both or none rounded.
export function roundedBox(x, y, width, height, { top, bottom }) {
  const [a, b] = [top ? 7 : 0, bottom ? 7 : 0];
  const [right, base] = [x + width, y + height];
  return `M${x} ${y + a}Q${x} ${y} ${x + a} ${y}H${right - a}Q${right} ${y} ${right} ${y + a}V${base - b}Q${right} ${base} ${right - b} ${base}H${x + b}Q${x} ${base} ${x} ${base - b}Z`;
}

// A filled arrow along a line of constant y, its shaft `thick` pixels.
export function arrowAlong(from, to, y, thick) {
  const way = Math.sign(to - from);
  const head = Math.min(Math.abs(to - from), 5 + thick * 0.45) * way;
  const [half, wing] = [thick / 2, thick / 2 + 3];
  const neck = to - head;
  return `M${from} ${y - half}H${neck}V${y - wing}L${to} ${y}L${neck} ${y + wing}V${y + half}H${from}Z`;
}

export function arrowUp(x, from, to, thick = 1.5) {
  const way = Math.sign(to - from);
  const neck = to - 6 * way;
  const half = thick / 2;
  return `M${x - half} ${from}V${neck}H${x - 4}L${x} ${to}L${x + 4} ${neck}H${x + half}V${from}Z`;
}
