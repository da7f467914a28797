// Panels of values under one crosshair: what is pointed at, what is chosen, and the numbers of both. What is drawn is
// patched in place, so that data may come at any time.

import { announcer } from "../shared/announce.js";
import { spelled, within } from "../shared/axis.js";
import { AXES, placeChannel } from "../shared/channel.js";
import { choices } from "../shared/choice.js";
import { colorsOf } from "../shared/colors.js";
import { children, make, setText } from "../shared/dom.js";
import { takeAway } from "../shared/files.js";
import { shadesOf } from "../shared/grid.js";
import { mounted } from "../shared/mount.js";
import { setSign } from "../shared/signs.js";
import { snapshot } from "../shared/snapshot.js";
import { layoutOf } from "./axes.js";
import { crossPanel } from "./crosshair.js";
import { arrangePanel, buildPanel, fillPanel } from "./panel.js";
import { tableOf, unpacked, written } from "./values.js";

const PAGE = 10; // rows

export default mounted((parent, send) => {
  const find = (selector) => parent.querySelector(selector);
  const [root, field] = [".heatmaps", ".panels"].map(find);
  const pen = document.createElement("canvas").getContext("2d");
  const views = [];
  const choice = choices(send, cross);
  const places = placeChannel(receive);
  const aloud = announcer(find(".said"));
  const watcher = new ResizeObserver(arrange);
  watcher.observe(root);
  let [data, layout, shades, shadesFor] = [null, null, null, ""];
  let pointer = "";
  let pointed = null; // {row, column} under the pointer, or under the keys where nothing can be chosen

  // ---- choosing

  function chosen() {
    const now = choice.shown();
    const at = (axis) => (Number.isInteger(now[axis.choice]) ? within(axis, now[axis.choice]) : null);
    return { row: at(data.rows), column: at(data.columns) };
  }

  function choose({ row, column }, settled) {
    const values = {};
    if (column !== null) values[data.columns.choice] = column;
    if (row !== null) values[data.rows.choice] = row;
    choice.choose(values, settled);
    places.send(Object.fromEntries(Object.entries(values).filter(([name]) => AXES.includes(name))));
  }

  function receive(place) {
    if (!data) return;
    const mine = [data.columns, data.rows].filter(({ choice: name }) => name in place);
    if (mine.length) choice.receive(Object.fromEntries(mine.map((axis) => [axis.choice, within(axis, place[axis.choice])])));
  }

  // ---- pointer: a finger that goes sideways takes the crosshair along, and leaves it where it is lifted

  function placeAt(event) {
    const view = views.find(({ plot }) => plot === event.target.closest?.(".plot"));
    if (!view) return null;
    const box = view.grid.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const inside = x >= 0 && x < 1 && y >= 0 && y < 1;
    if (!inside && event.pointerType !== "touch") return null;
    const row = data.rowAt(within(data.rows, Math.floor(y * data.rows.count)));
    return { row, column: within(data.columns, Math.floor(x * data.columns.count)) };
  }

  function point(place) {
    if (pointed?.row === place?.row && pointed?.column === place?.column) return;
    pointed = place;
    cross();
  }

  field.onpointermove = (event) => {
    const spot = `${event.clientX} ${event.clientY}`;
    if (spot !== pointer) point(placeAt(event)); // browsers also tell of a pointer that rests, where the page below it moved
    pointer = spot;
  };
  field.onpointerdown = (event) => event.pointerType === "touch" && point(placeAt(event));
  field.onpointercancel = () => point(null);
  field.onpointerleave = ({ pointerType }) => pointerType !== "touch" && point(null);
  field.onclick = (event) => {
    field.focus({ preventScroll: true }); // the keys go on from here
    const place = placeAt(event);
    if (!place || !data.choosable) return;
    choose(place, true);
    if (event.pointerType === "touch") point(null);
  };

  // ---- keyboard

  field.onkeydown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const here = data.choosable ? chosen() : (pointed ?? chosen());
    const [column, line] = [here.column ?? 0, data.placeOf(here.row ?? data.rowAt(0))];
    const steps = {
      ArrowLeft: [column - 1, line], ArrowRight: [column + 1, line], ArrowUp: [column, line - 1], ArrowDown: [column, line + 1],
      Home: [0, line], End: [Infinity, line], PageUp: [column, line - PAGE], PageDown: [column, line + PAGE],
      Enter: [column, line],
    };
    if (!(event.key in steps)) return;
    event.preventDefault(); // also tells the page's own keys that this one is taken
    const [toColumn, toLine] = steps[event.key];
    const place = { column: within(data.columns, toColumn), row: data.rowAt(within(data.rows, toLine)) };
    point(data.choosable ? null : place); // a pointer that rests is not what is looked at now
    if (data.choosable) choose(place, event.key === "Enter");
    aloud(() => spoken(place));
  };

  // ---- what is seen

  function cross() {
    if (!layout) return;
    const now = chosen();
    const shown = pointed && within(data.rows, pointed.row) === pointed.row && within(data.columns, pointed.column) === pointed.column ? pointed : null;
    const marked = now.row === null && now.column === null ? null : now;
    for (const view of views) crossPanel(view, marked, shown, data, layout);
    tell(shown ?? now, shown !== null);
    for (const chip of find(".names").children) chip.setAttribute("aria-pressed", String(Number(chip.dataset.row) === now.row));
  }

  function tell({ row, column }, hovered) {
    setText(find(".which"), hovered ? "pointer" : row === null && column === null ? "" : "selected");
    const at = [column === null ? "" : spelled(data.columns, column), row === null ? "" : spelled(data.rows, row)];
    setText(find(".place"), at.filter(Boolean).join(", "));
    const known = row !== null && column !== null;
    children(find(".values"), data.panels.length, valueField).forEach((element, place) => {
      const panel = data.panels[place];
      const [name, value] = element.children;
      if (panel.symbol) setSign(name, panel.symbol);
      else setText(name, panel.name);
      setText(value, known ? written(panel, row * data.columns.count + column) : "");
    });
  }

  function spoken({ row, column }) {
    const values = data.panels.map((panel) => `${panel.name} ${written(panel, row * data.columns.count + column)}`);
    return `${spelled(data.columns, column)}, ${spelled(data.rows, row)}: ${values.join(", ")}`;
  }

  // Rows that have a name, to be chosen by it.
  function offerNames() {
    const rows = Object.entries(data.rows.names).map(([row, name]) => [Number(row), name]);
    const list = find(".names");
    list.hidden = !rows.length;
    children(list, rows.length, nameChip).forEach((chip, at) => {
      const [row, name] = rows[at];
      chip.dataset.row = row;
      chip.disabled = !data.choosable;
      chip.onclick = () => choose({ row, column: chosen().column }, true);
      setText(chip, `${data.rows.form.replace("{}", row + data.rows.first)}: ${name}`);
    });
  }

  function arrange() {
    if (!data || !field.clientWidth) return;
    const zoom = Math.max(1, Math.min(2, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1));
    pen.font = `${11.5 * zoom}px ${getComputedStyle(root).getPropertyValue("--st-code-font")}`;
    layout = layoutOf(data, field.clientWidth, zoom, (text) => pen.measureText(text).width);
    field.style.gridTemplateColumns = `repeat(${layout.across}, minmax(0, 1fr))`;
    field.style.columnGap = `${layout.gap}px`;
    const last = Math.floor((views.length - 1) / layout.across);
    views.forEach((view, at) => {
      const outer = { left: at % layout.across === 0, bottom: Math.floor(at / layout.across) === last };
      arrangePanel(view, data, layout, outer);
    });
    cross();
  }

  function paint() {
    const colors = colorsOf(root);
    const wanted = JSON.stringify(colors);
    if (wanted !== shadesFor) shades = shadesOf(colors);
    shadesFor = wanted;
    while (views.length > data.panels.length) views.pop().element.remove();
    while (views.length < data.panels.length) {
      views.push(buildPanel());
      field.append(views.at(-1).element);
    }
    views.forEach((view, at) => fillPanel(view, data.panels[at], data, shades));
  }

  takeAway(find(".take-away"), () => data.file, printed, () => tableOf(data));

  // The picture has to stand in the page while it is read.
  function printed() {
    const picture = snapshot(root);
    find(".printing").replaceChildren(picture);
    setTimeout(() => find(".printing").replaceChildren(), 0);
    return picture;
  }

  return {
    load(given) {
      data = unpacked(given, data);
      choice.acknowledge(Object.fromEntries([data.columns, data.rows].map((axis) => [axis.choice, axis.chosen])), given.acknowledged);
      field.setAttribute("aria-label", `${data.about} Arrow keys move along ${data.columns.title}s and ${data.rows.title}s.`);
      root.classList.toggle("choosable", data.choosable);
      paint();
      offerNames();
      arrange();
    },
    stop() {
      watcher.disconnect();
      aloud(null);
      for (const one of [choice, places]) one.stop();
    },
  };
});

function valueField() {
  const element = make("span", "value");
  element.append(make("span", "of"), make("b"));
  return element;
}

function nameChip() {
  const chip = make("button", "chip");
  chip.type = "button";
  return chip;
}
