// What moves: the front of a pass, columns that fold into one, the pointer, and the whole probe in small.

import { channel } from "../shared/channel.js";
import { gateColor, inkOn } from "../shared/colors.js";
import { add, put } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { unknownNext } from "./ends.js";
import { columnX, PILL } from "./layout.js";
import { frontWords } from "./motion.js";
import { ROLLED_LEFT } from "./rolled.js";

export function buildFront(parent) {
  const g = add(parent, "g", "front");
  return { g, ring: add(g, "rect", "glow"), bubble: add(g, "rect", "bubble"), text: add(g, "text", "bubble-text") };
}

export function patchFront(front, numbers, layout, { reveal, colors }) {
  const { t, layer, phase } = reveal;
  const words = frontWords(numbers, reveal);
  const color = phase === "backward" ? colors.surprise : colors.family;
  const row = layer < numbers.layers ? layout.rows[layer] : { y: layout.target.y, height: PILL };
  const [x, width] = t < 0 ? [2, layout.start - 4] : [layout.gap, layout.box];
  const long = words.length * 6.6 + 14;
  front.g.setAttribute("style", `transform: translate(${columnX(layout, t) + x}px, ${row.y}px)`);
  put(front.ring, { x: -3, y: -3, width: width + 6, height: row.height + 6, rx: 9, stroke: color });
  const left = t < 0 ? -2 : width / 2 - long / 2;
  put(front.bubble, { x: left, y: -27, width: long, height: 20, rx: 10, fill: color });
  put(front.text, { x: left + long / 2, y: -16.5, fill: inkOn(color) }, words);
}

export const FOLDING = 420; // ms

export function foldColumns(columns, layout, t, port) {
  const goal = port.left() + ROLLED_LEFT;
  for (const [time, column] of columns) {
    column.g.classList.add("folding");
    column.g.getBoundingClientRect(); // the place to move from
    column.g.style.transform = `translate(${goal}px, 0)`;
    if (time !== t) column.g.style.opacity = "0";
  }
}

export function unfoldColumns(columns, layout, t, port) {
  const from = port.left() + ROLLED_LEFT;
  for (const [time, column] of columns) {
    column.g.style.transform = `translate(${from}px, 0)`;
    if (time !== t) column.g.style.opacity = "0";
    column.g.getBoundingClientRect();
    column.g.classList.add("folding");
    column.g.style.transform = `translate(${columnX(layout, time)}px, 0)`;
    column.g.style.opacity = "1";
    setTimeout(() => {
      column.g.classList.remove("folding");
      column.g.removeAttribute("style");
    }, FOLDING + 60);
  }
}

// Hovering shows a place's numbers, a click chooses it; on a target's loss it chooses whose gradient is drawn.
export function listenTo(pane, port, { root, numbers, layout, folded, hover, pick, at }) {
  const whereIs = (event) => {
    const [box, place, data] = [pane.getBoundingClientRect(), layout(), numbers()];
    if (!place) return null;
    const [x, y] = [(event.clientX - box.left) / port.scale + port.left(), (event.clientY - box.top) / port.scale];
    if (folded()) {
      const inside = x >= place.fixed && x <= place.fixed + place.box;
      return inside ? { t: at(), layer: layerAt(place, y), x, y, left: place.fixed, width: place.box } : null;
    }
    const t = Math.floor((x - place.start) / place.step);
    if (t >= data.length || y > place.height) return null;
    const left = columnX(place, Math.max(-1, t));
    return { t: Math.max(-1, t), layer: layerAt(place, y), x, y, left, width: t < 0 ? place.start : place.step };
  };
  const frame = root.querySelector(".frame");
  pane.onpointermove = (event) => {
    const here = whereIs(event);
    if (!here) return hover(-2);
    const [outer, inner] = [frame.getBoundingClientRect(), pane.getBoundingClientRect()];
    hover(here.t, here.layer ?? numbers().layers - 1, {
      x: (here.left - port.left()) * port.scale + inner.left - outer.left, y: here.y * port.scale, width: here.width * port.scale,
    });
  };
  pane.onpointerleave = () => hover(-2);
  pane.onclick = (event) => {
    const here = whereIs(event);
    if (!here || here.t < 0) return;
    const { t, layer, y } = here;
    const place = layout();
    if (!folded() && y < place.target.y + PILL + 30 && Number.isFinite(numbers().loss(t))) return pick.target(t);
    const unit = place.few ? unitAt(numbers(), place, here) : undefined;
    pick({ t, layer: layer ?? undefined, unit });
  };
}

// Which of few units is drawn at a point of a column; undefined beside them.
function unitAt(numbers, layout, { layer, x, y, left }) {
  if (layer === null) return undefined;
  const { across, wide, high, width } = layout.fields;
  const lane = layout.rows[layer].lanes.find(({ y: top, height }) => y >= top && y < top + height);
  const corner = left + layout.gap + (layout.box - width) / 2;
  const [column, row] = [Math.floor((x - corner) / wide), lane ? Math.floor((y - lane.y - 5) / high) : -1];
  const unit = row * across + column;
  return row >= 0 && column >= 0 && column < across && unit < numbers.units ? unit : undefined;
}

function layerAt(layout, y) {
  const row = layout.rows.find(({ y: top, height }) => y >= top && y <= top + height);
  return row ? row.layer : null;
}

// What is no number is hatched on a canvas too.
function striped(pen, colors) {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [6, 6];
  const ink = tile.getContext("2d");
  [ink.strokeStyle, ink.lineWidth] = [colors.nan, 2];
  for (const shift of [-6, 0, 6]) {
    ink.moveTo(shift, 6);
    ink.lineTo(shift + 6, 0);
  }
  ink.stroke();
  return pen.createPattern(tile, "repeat");
}

// The whole probe in small: every loss, the window, the chosen place. Dragging in it scrolls.
export function startMap(map, port, { numbers, layout, view }) {
  let shown = false;
  const name = map.previousElementSibling;
  let [size, within] = [null, 0];

  function draw(wanted) {
    const place = layout();
    const now = wanted && place.width > port.width() + 4;
    if (now !== shown) map.style.display = now ? "block" : "none";
    if (now !== shown || within !== port.within) size = null;
    [shown, within] = [now, port.within];
    name.hidden = !now;
    if (!now) return;
    const ratio = window.devicePixelRatio || 1;
    size ||= [map.clientWidth, map.clientHeight];
    const [wide, high] = size;
    const unit = wide / numbers().length;
    if (map.width !== Math.round(wide * ratio)) [map.width, map.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
    const pen = map.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const { data, losses, length, scales } = numbers();
    put(name, {}, `loss ${numbers().other ? "before the change " : ""}at every timestep, 0 to ${digits(scales.loss)} nats; the frame marks the part shown above`);
    for (let t = 0; t < length; t++) {
      const broken = !Number.isFinite(losses[t]) && data.targets[t] !== null && !unknownNext(data, t);
      const share = broken ? 1 : Math.min(1, losses[t] / scales.loss);
      pen.fillStyle = Number.isFinite(share) ? gateColor(losses[t], scales.loss, view.colors, view.colors.surprise) : view.colors.muted;
      if (broken) pen.fillStyle = striped(pen, view.colors);
      const tall = Number.isFinite(share) ? 2 + share * (high - 8) : 1;
      pen.fillRect(t * unit, high - 3 - tall, Math.max(1, unit - 0.6), tall);
    }
    const scale = wide / (length * place.step);
    pen.strokeStyle = view.colors.ink;
    pen.globalAlpha = 0.55;
    const from = Math.max(0.5, (port.left() - place.start) * scale);
    pen.strokeRect(from, 0.5, Math.min(wide - 0.5, (port.right() - place.start) * scale) - from, high - 1);
    pen.globalAlpha = 1;
    pen.fillStyle = view.colors.ink;
    const at = (view.t + 0.5) * unit;
    pen.beginPath();
    pen.moveTo(at - 4, 0);
    pen.lineTo(at + 4, 0);
    pen.lineTo(at, 6);
    pen.fill();
  }

  const go = (event) => {
    const share = (event.clientX - map.getBoundingClientRect().left) / map.clientWidth;
    port.to(layout().start + share * numbers().length * layout().step - port.width() / 2);
  };
  map.onpointerdown = (event) => {
    map.setPointerCapture(event.pointerId);
    go(event);
  };
  map.onpointermove = (event) => event.buttons && go(event);
  return { draw };
}

// The scrolled window in the drawing's own units, which grow with the page's type. Pictures beside each other scroll
// together, by timestep.
export function portOf(pane) {
  const type = () => Math.max(1, Math.min(2, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1));
  const port = {
    scale: type(),
    layout: null,
    within: 0,
    measure: () => ([port.held, port.scale, port.within] = [null, type(), pane.clientWidth]),
    changed: () => pane.clientWidth !== port.within || type() !== port.scale,
    held: null, // [left, width] while neither can change
    hold: () => (port.held = [pane.scrollLeft, pane.clientWidth]),
    release: () => (port.held = null),
    left: () => (port.held?.[0] ?? pane.scrollLeft) / port.scale,
    width: () => (port.held?.[1] ?? pane.clientWidth) / port.scale,
    right: () => port.left() + port.width(),
    to: (left, behavior = "auto") => pane.scrollTo({ left: left * port.scale, behavior }),
    sendScroll(layout) {
      if (!layout || layout.rolled || port.sent === Math.round(pane.scrollLeft)) return;
      const time = (port.left() - layout.start) / layout.step;
      others.send({ time });
    },
    stop: () => others.stop(),
  };
  const others = channel("scroll", ({ time }) => {
    if (!port.layout || port.layout.rolled) return;
    port.to(port.layout.start + time * port.layout.step);
    port.sent = Math.round(pane.scrollLeft); // this one is not passed on
  });
  return port;
}
