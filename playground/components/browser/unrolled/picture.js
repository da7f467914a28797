// The picture as a whole: which columns are drawn, what is chosen, and what is sent to the server. Columns outside the
// window are not drawn, and those that leave it are used again; data of the same version touches nothing but the marks.

import { placeChannel } from "../shared/channel.js";
import { choices } from "../shared/choice.js";
import { colorsOf } from "../shared/colors.js";
import { put } from "../shared/dom.js";
import { takeAway } from "../shared/files.js";
import { mounted } from "../shared/mount.js";
import { fillCard, placeCard } from "./card.js";
import { buildColumn, patchColumn } from "./column.js";
import { columnX, layoutOf } from "./layout.js";
import { hatching } from "./marks.js";
import { startMotion } from "./motion.js";
import { buildFront, foldColumns, FOLDING, listenTo, patchFront, portOf, startMap, unfoldColumns } from "./moves.js";
import { numbersOf } from "./numbers.js";
import { printed } from "./print.js";
import { buildRolled, patchRolled, rolledLayout } from "./rolled.js";
import { patchKeys, patchSide, SIDE } from "./sides.js";
import { describe, describeFold, offerTargets, tableOf } from "./captions.js";

const BEYOND = 2; // columns drawn on either side of the window

export default mounted((parent, send) => {
  const root = parent.querySelector(".unrolled");
  const find = (selector) => root.querySelector(selector);
  const [side, pane, sheet, chip, map] = [".side", ".window", ".sheet", ".chip", ".map"].map(find);
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const columns = new Map(); // t -> column
  const view = { t: 0, layer: 0, unit: 0, hover: -2, reveal: null, colors: {} };
  const choice = choices(send, showChosen);
  const places = placeChannel((place) => choice.receive(place));
  let [data, numbers, layout, front, rolled, shown] = [null, null, null, null, null, 0];
  let [spare, folded, heading, frame, key] = [[], false, false, 0, ""]; // `heading` is ahead of `folded` while it folds
  const port = portOf(pane);

  const motion = startMotion(find(".transport"), reveal);
  const resized = new ResizeObserver(() => layout && pane.clientWidth && port.changed() && arrange());
  resized.observe(pane);
  pane.onscroll = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(drawWindow);
    port.sendScroll(layout);
  };
  takeAway(find(".take-away"), () => `${numbers.data.run}-step-${numbers.data.step}-unrolled`, wholePicture, () => tableOf(numbers));
  find(".fold").onclick = () => choice.choose({ folded: !heading }, true);
  find(".of select").onchange = (event) => {
    const { value } = event.target;
    pick.target(value === "sum" ? "sum" : Number(value));
  };
  chip.onclick = () => bring(view.t, "smooth");
  listenTo(pane, port, { root, numbers: () => numbers, layout: () => layout, folded: () => folded, hover, pick, at: () => view.t });
  pick.target = (target) => choice.choose({ target }, true);
  const atlas = startMap(map, port, { numbers: () => numbers, layout: () => layout, view });

  function load(given) {
    data = given;
    view.colors = colorsOf(root, data.family);
    const state = [data.version, view.colors.paper, view.colors.ink, data.overview].join();
    const fresh = state !== key;
    const first = !numbers;
    if (fresh) {
      key = state;
      const shape = numbers && [numbers.length, numbers.layers, numbers.units, Boolean(numbers.gradient), Boolean(numbers.other)].join();
      numbers = numbersOf(data);
      const same = shape === [numbers.length, numbers.layers, numbers.units, Boolean(numbers.gradient), Boolean(numbers.other)].join();
      if (!same) clear();
      describe(root, numbers);
    }
    const { t, layer, unit } = data;
    choice.acknowledge({ t, layer, unit, folded: data.folded, target: data.gradient?.of ?? null }, data.acknowledged);
    if (first) folded = heading = data.folded;
    describeFold(root, numbers, heading);
    if (fresh || port.changed()) arrange();
    showChosen();
    if (fresh) motion.load(numbers);
    if (fresh && view.hover >= -1) hover(...(view.hover < numbers.length ? view.under : [-2])); // its numbers are others
    if (first) bring(view.t, "auto");
    if (data.show && data.show !== shown) root.scrollIntoView({ behavior: still.matches ? "auto" : "smooth" });
    shown = data.show || shown;
    offerTargets(find(".of"), numbers, view.t);
  }

  // Everything of another shape goes; what stays is patched in place.
  function clear() {
    columns.clear();
    [spare, front, rolled] = [[], null, null];
    sheet.replaceChildren();
    hatching(sheet, view.colors);
  }

  function arrange() {
    const scale = port.scale;
    port.measure();
    // All that is asked of the page is asked before anything of it is changed: each question after that lays it out anew.
    root.classList.toggle("overview", Boolean(data.overview) && !folded);
    root.classList.toggle("later", !data.legend); // that of another picture with the same scales serves this one too
    const [width, whole] = [Math.max(200, port.width()), root.clientWidth];
    const before = layout;
    layout = folded ? rolledLayout(numbers, width) : layoutOf(numbers, width);
    port.layout = layout;
    if (before && (before.step !== layout.step || before.height !== layout.height || before.rolled !== layout.rolled)) clear();
    const [wide, high] = [layout.width, layout.height];
    if (before && before.width === wide && before.height === high) port.hold();
    put(sheet, { width: wide * port.scale, height: high * port.scale, viewBox: `0 0 ${wide} ${high}` });
    patchKeys(find(".legend"), numbers, view.colors, port.scale, whole);
    patchSide(side, numbers, layout, view.colors, whole < 560 ? SIDE.narrow : SIDE.wide, port.scale);
    if (folded) drawRolled();
    else drawWindow(true);
    port.release();
    // Columns of another width, or type of another size, must not push it out of sight.
    if (before && (before.step !== layout.step || scale !== port.scale)) bring(view.t, "auto");
  }

  function drawRolled() {
    rolled ||= buildRolled(sheet, numbers, layout);
    patchRolled(rolled, numbers, layout, view);
    chip.hidden = true;
    atlas.draw(false);
  }

  function drawWindow(all = false) {
    if (!layout || folded) return;
    const from = Math.floor((port.left() - layout.start) / layout.step) - BEYOND;
    const to = Math.ceil((port.right() - layout.start) / layout.step) + BEYOND;
    const [first, last] = [Math.max(-1, from), Math.min(numbers.length - 1, to)];
    for (const [t, column] of columns) {
      if ((t >= first && t <= last) || t < 0) continue;
      columns.delete(t);
      spare.push(column);
    }
    for (let t = first; t <= last; t++) {
      const column = columns.get(t) || (t >= 0 && spare.pop()) || buildColumn(sheet, numbers, layout, t);
      const known = columns.has(t);
      columns.set(t, column);
      if (all === true || !known) patchColumn(column, numbers, layout, t, view);
    }
    for (const column of spare.splice(0)) column.g.remove();
    drawFront();
    showChip();
    atlas.draw(true);
  }

  function patchSome(...times) {
    if (folded) return drawRolled();
    for (const t of new Set(times)) if (columns.has(t)) patchColumn(columns.get(t), numbers, layout, t, view);
  }

  // What is chosen, here or elsewhere, is drawn. What was chosen elsewhere comes into sight.
  function showChosen() {
    if (!numbers) return;
    const wanted = choice.shown();
    if (wanted.folded !== heading) fold(wanted.folded);
    const before = view.t;
    mark(wanted);
    if (before !== view.t) bring(view.t, "auto");
    showChip();
  }

  function mark({ t, layer, unit }) {
    const within = (place, count) => Math.max(0, Math.min(count - 1, place));
    const next = { t: within(t, numbers.length), layer: within(layer, numbers.layers), unit: within(unit, numbers.units) };
    if (Object.entries(next).every(([name, value]) => view[name] === value)) return;
    const [before, all] = [view.t, next.unit !== view.unit];
    Object.assign(view, next);
    if (all && !folded) drawWindow(true);
    else patchSome(before, view.t);
    if (before !== view.t) offerTargets(find(".of"), numbers, view.t);
    atlas.draw(!folded);
  }

  function pick({ t, layer = view.layer, unit = view.unit }) {
    mark({ t, layer, unit }); // in sight already, so that nothing need be scrolled
    choice.choose({ t, layer, unit }, true);
    places.send({ t, layer, unit });
  }

  function hover(t, layer, box) {
    const before = view.hover;
    Object.assign(view, { hover: t, under: [t, layer, box] });
    if (before !== t && !folded) patchSome(before, t);
    const card = find(".card");
    if (t < -1) card.hidden = true;
    else {
      const shown = `${key}${t}/${layer}/${view.unit}`;
      if (card.shown !== shown) fillCard(card, numbers, t, layer);
      card.shown = shown;
      placeCard(card, find(".frame"), box.x, box.y, box.width);
    }
  }

  function bring(t, behavior) {
    if (!layout || folded) return;
    const left = columnX(layout, t);
    if (left >= port.left() && left + layout.step <= port.right()) return;
    const middle = left + layout.step / 2 - port.width() / 2;
    port.to(middle, still.matches ? "auto" : behavior);
    drawWindow();
  }

  function showChip() {
    const left = columnX(layout, view.t) + layout.middle;
    const hidden = folded || (left > port.left() && left < port.right());
    chip.hidden = hidden;
    if (hidden) return;
    const right = left > port.left();
    chip.classList.toggle("right", right);
    put(chip, {}, right ? `to t = ${numbers.when(view.t)} →` : `← to t = ${numbers.when(view.t)}`);
  }

  function reveal(step) {
    view.reveal = step;
    if (!layout) return;
    if (step && folded) choice.choose({ folded: false }, true);
    if (step && step.t >= 0 && motion.playing()) follow(step);
    else if (step && step.t >= 0) bring(step.t, "auto");
    if (!folded) drawWindow(true);
  }

  // The window goes along with a front that is about to leave it.
  function follow(step) {
    const left = columnX(layout, step.t);
    if (step.phase === "forward" && left + 2 * layout.step > port.right()) port.to(left - layout.step);
    if (step.phase === "backward" && left - layout.step < port.left()) port.to(left - port.width() + 2 * layout.step);
  }

  function drawFront() {
    if (!view.reveal) {
      front?.g.remove();
      front = null;
      return;
    }
    front ||= buildFront(sheet);
    if (front.g.nextSibling) sheet.append(front.g);
    patchFront(front, numbers, layout, view);
  }

  function fold(now) {
    heading = now;
    const switchOver = () => {
      if (heading !== now) return; // called back meanwhile
      folded = now;
      clear();
      arrange();
      describeFold(root, numbers, folded);
      if (!folded) bring(view.t, "auto");
      if (folded && view.reveal) motion.load(numbers);
    };
    hover(-2);
    if (still.matches || !layout) return switchOver();
    if (now) {
      foldColumns(columns, layout, view.t, port);
      setTimeout(switchOver, FOLDING);
    } else {
      switchOver();
      unfoldColumns(columns, layout, view.t, port);
    }
    describeFold(root, numbers, now);
  }

  // All columns, however many, with title, row names and keys: as it leaves in a file.
  function wholePicture() {
    const printing = find(".printing");
    printing.replaceChildren();
    setTimeout(() => printing.replaceChildren(), 5000);
    return printed(printing, numbers, folded ? layout : layoutOf(numbers, port.width()), { ...view, hover: -2 }, folded);
  }

  function stop() {
    motion.stop();
    port.stop();
    resized.disconnect();
    cancelAnimationFrame(frame);
    for (const one of [choice, places]) one.stop();
  }

  return { load, stop };
});
