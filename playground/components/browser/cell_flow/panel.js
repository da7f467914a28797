import { channel, placeChannel } from "../shared/channel.js";
import { choices } from "../shared/choice.js";
import { colorsOf, mix } from "../shared/colors.js";
import { make, put, setText } from "../shared/dom.js";
import { takeAway } from "../shared/files.js";
import { mounted } from "../shared/mount.js";
import { card, computation } from "./card.js";
import { drawLayout, fitTexts, SIGNS } from "./drawing.js";
import { equationSheet } from "./equations.js";
import { player } from "./play.js";
import { fillTag, SHOWN, unpackStreams, writtenOn } from "./values.js";

// One step of a cell. The drawing is built for a cell and notation; values, places and lights are patched into it.
const BESIDE = 300; // width of the column of equations
const LEAST = 0.86; // the drawing is never smaller than this: it scrolls sideways instead
const asked = { mode: "unit" }; // outlives a visit to another page
let serial = 0;

export default mounted((parent, send) => {
  const find = (selector) => parent.querySelector(selector);
  const [root, picture, body] = [".cell-flow", ".picture", ".body"].map(find);
  const number = (serial += 1);
  let data = null;
  const choice = choices(send, fill);
  const places = placeChannel(receive);
  const terms = channel("term", receiveTerm);
  let layoutWord = "";
  let drawing = null;
  let operations = []; // names, in order
  let hovered = null;
  let pinned = null;
  let sent = null;

  const sheet = equationSheet(find(".equations"), hover);
  const info = card(find(".card"), chooseUnit);
  const motion = player(find(".player"), light);
  const watcher = new ResizeObserver(arrange);
  watcher.observe(body);
  document.fonts.ready.then(() => drawing && fitTexts(drawing));

  // ---- choosing

  function chooseUnit(chosen) {
    choice.choose({ unit: chosen }, true);
    places.send({ t: data.t, layer: data.layer, unit: chosen });
  }

  function receive({ unit }) {
    if (data && unit >= 0 && unit < data.units) choice.receive({ unit });
  }

  for (const button of parent.querySelectorAll("[data-mode]")) {
    button.onclick = () => {
      asked.mode = button.dataset.mode;
      fill();
    };
  }

  // ---- lighting up

  // What is looked at: under the pointer, or else kept, or else the operation that the animation has come to.
  function current() {
    return hovered ?? pinned ?? (motion.at() === null ? null : operations[motion.at()]);
  }

  function hover(name) {
    if (name === hovered) return;
    hovered = name;
    light();
  }

  function pin(name) {
    pinned = name === pinned ? null : name;
    hovered = null;
    light();
  }

  function light() {
    if (!drawing) return;
    const name = current();
    const node = name === null ? null : drawing.byName.get(name);
    const value = node?.value ?? null;
    const reads = new Set(node && node.operation !== "in" && node.operation !== "out" ? node.reads : []);
    for (const [key, group] of drawing.nodes) {
      const here = drawing.byName.get(key);
      group.classList.toggle("lit", key === name || (value !== null && here.value === value));
      group.classList.toggle("pinned", pinned !== null && here.value === pinned);
      group.setAttribute("aria-pressed", String(pinned !== null && here.value === pinned));
    }
    for (const [key, group] of drawing.nets) {
      group.classList.toggle("lit", key === value);
      group.classList.toggle("feeds", reads.has(key));
      for (const wire of group.querySelectorAll("[data-to]")) wire.classList.toggle("into", reads.has(key) && wire.dataset.to === name);
    }
    for (const tag of drawing.tags) tag.group.classList.toggle("lit", tag.of === value);
    sheet.light(value);
    stage();
    show(name);
    sendTerm(value);
  }

  // What is not computed yet at this stage of the animation is faint.
  function stage() {
    const at = motion.at();
    const done = new Set(at === null ? [] : operations.slice(0, at + 1));
    const known = (name) => at === null || done.has(name) || drawing.byName.get(name).operation === "in";
    for (const [name, group] of drawing.nodes) group.classList.toggle("ahead", !known(drawing.byName.get(name).value));
    for (const [name, group] of drawing.nets) group.classList.toggle("ahead", !known(name));
    for (const tag of drawing.tags) tag.group.classList.toggle("ahead", !known(tag.of));
    root.classList.toggle("playing", at !== null);
    const now = at === null ? null : operations[at];
    for (const [name, group] of drawing.nodes) group.classList.toggle("now", name === now);
    if (now !== null) reveal(now);
  }

  // Sideways alone: the page stays where it is.
  function reveal(name) {
    const frame = find(".window");
    if (frame.scrollWidth <= frame.clientWidth) return;
    const scale = picture.clientWidth / data.layout.size[0];
    const x = drawing.byName.get(name).at[0] * scale;
    if (x < frame.scrollLeft + 60 || x > frame.scrollLeft + frame.clientWidth - 90) frame.scrollLeft = x - frame.clientWidth / 2;
  }

  function sendTerm(value) {
    if (value === sent) return;
    sent = value;
    terms.send({ quantity: value });
  }

  function receiveTerm({ quantity: key = null }) {
    if (!drawing) return;
    const name = key === null ? null : drawing.byName.has(key) ? key : sheet.named(key);
    sent = drawing.byName.get(name)?.value ?? null; // the others know already
    hover(name);
  }

  // ---- the card

  function show(name) {
    const node = name === null ? null : drawing.byName.get(name);
    const look = looks();
    if (!node) return info.say(null, null, look);
    const source = drawing.byName.get(node.value);
    info.say({ written: source.written, about: about(node, source) }, data.streams[node.value], look, computation(source, data.streams));
  }

  function about(node, source) {
    if (node.operation === "in" && node.name !== "input" && !data.t) return "The initial state, before the first token of the input text.";
    const meaning = `${source.meaning[0].toUpperCase()}${source.meaning.slice(1)}`;
    return node.operation === "in" || node.operation === "out" ? `${meaning}; ${node.does}.` : `${meaning}. ${signOfOperation(node)} ${node.does}.`;
  }

  function looks() {
    const { unit } = choice.shown();
    return { mode: asked.mode, unit, base: data.first, reads: data.reads, colors: data.colors, hatch: `url(#nan-${number})`, idle: idle() };
  }

  function idle() {
    const level = data.layers > 1 ? `, layer ${data.layer + data.first}` : "";
    const reads = data.reads ? ` The model reads “${data.reads}”.` : "";
    return `${data.layout.title}, timestep t = ${data.t + data.first}${level}.${reads} Point at a wire or an operation to see its values; click to pin it.`;
  }

  // ---- pointer and keyboard

  picture.onpointermove = (event) => hover(event.target.closest("[data-name]")?.dataset.name ?? null);
  picture.onpointerleave = () => hover(null);
  picture.onclick = (event) => {
    const name = event.target.closest("[data-name]")?.dataset.name;
    if (name) pin(drawing.byName.get(name).value);
    else if (pinned) pin(pinned);
  };
  picture.addEventListener("focusin", (event) => {
    const name = event.target.closest(".node")?.dataset.name;
    if (name && event.target.matches(":focus-visible")) hover(name);
  });
  picture.addEventListener("focusout", () => hover(null));
  picture.onkeydown = (event) => {
    const names = data.layout.nodes.map((node) => node.name);
    const here = names.indexOf(event.target.closest?.(".node")?.dataset.name);
    if (here < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = { ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to !== undefined) focus(names[Math.max(0, Math.min(names.length - 1, to))]);
    else if (event.key === "Enter" || event.key === " ") pin(drawing.byName.get(names[here]).value);
    else if (event.key === "Escape" && pinned) pin(pinned);
    else return;
    event.preventDefault();
  };

  function focus(name) {
    for (const [key, group] of drawing.nodes) group.setAttribute("tabindex", key === name ? 0 : -1);
    drawing.nodes.get(name).focus();
    hover(name);
    reveal(name);
  }

  // ---- drawing

  function build() {
    drawing = drawLayout(picture, data.layout, number);
    operations = data.layout.nodes.filter((node) => node.operation !== "in" && node.operation !== "out").map((node) => node.name);
    drawing.nodes.get(data.layout.nodes[0].name).setAttribute("tabindex", 0);
    sheet.build(data.layout.equations);
    hovered = null;
    if (!drawing.byName.has(pinned)) pinned = null;
    picture.setAttribute("aria-label", `One step of the ${data.layout.title}: arrow keys move between operations, Enter pins one.`);
  }

  function fill() {
    const look = looks();
    for (const tag of drawing.tags) fillTag(tag, data.streams[tag.of], look);
    for (const [name, group] of drawing.nodes) {
      const node = drawing.byName.get(name);
      const stream = data.streams[node.value];
      put(group, { "aria-label": `${spelled(drawing.byName.get(node.value).written)}, ${drawing.byName.get(node.value).meaning}: ${writtenOn(stream, look.mode, look.unit)}` });
    }
    for (const button of parent.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === look.mode));
    setText(find("[data-mode=unit]"), `unit ${look.unit + data.first}`);
    legend(find(".legend"), look, data);
    light();
  }

  function arrange() {
    if (!data) return;
    const natural = data.layout.size[0];
    root.classList.toggle("beside", body.clientWidth >= natural * LEAST + BESIDE + 24);
    fitTexts(drawing);
    info.paint();
  }

  function paint() {
    const colors = (data.colors = colorsOf(root, data.family));
    const tones = { wire: mix(colors.paper, colors.ink, 0.62), faded: mix(colors.paper, colors.ink, 0.68), inside: mix(colors.paper, colors.ink, 0.04), edge: mix(colors.paper, colors.ink, 0.18) };
    tones.weights = mix(colors.paper, colors.family, 0.14);
    tones.missing = mix(colors.nan, colors.ink, 0.35);
    for (const name of ["paper", "ink"]) tones[name] = colors[name];
    for (const [name, color] of Object.entries(tones)) root.style.setProperty(`--${name}`, color);
    // As attributes, for they leave with the picture.
    for (const stop of picture.querySelectorAll("stop")) put(stop, { "stop-color": mix(colors.paper, colors[stop.dataset.tone], 0.42) });
  }

  takeAway(find(".take-away"), () => fileName(data), () => picture, () => flowRows(data, drawing));

  return {
    load(given) {
      data = { ...given, streams: unpackStreams(given.streams) };
      data.streams.input.isInput = true;
      choice.acknowledge({ unit: given.unit }, given.acknowledged);
      const word = JSON.stringify(given.layout);
      const fresh = word !== layoutWord;
      layoutWord = word;
      if (fresh) build();
      paint();
      arrange();
      motion.load(operations.length, fresh);
      fill();
    },
    stop() {
      watcher.disconnect();
      motion.stop();
      for (const one of [choice, places, terms]) one.stop();
    },
  };
});

function signOfOperation(node) {
  return { product: "W", diagonal: "The peephole" }[node.operation] ?? SIGNS[node.operation];
}

function spelled(parts) {
  return parts.map((part) => part.text).join(" ");
}

function legend(element, { mode, unit, base }, data) {
  if (!element.childElementCount) {
    for (const kind of ["gate", "signed", "nan", "strips"]) element.append(make("span", kind));
  }
  const [gate, signed, nan, strips] = element.children;
  const scale = (parent, left, right) => {
    if (parent.childElementCount) return;
    parent.append(left, make("i", "scale"), right);
  };
  scale(gate, "gate 0", "1");
  scale(signed, "− signed", "+");
  setText(nan, Object.values(data.streams).some((stream) => stream.nan) ? "▨ NaN" : "");
  const count = Math.min(SHOWN[mode], data.units);
  const first = Math.min(Math.floor(unit / count) * count, data.units - count);
  const words = count < data.units ? `strips: units ${first + base} to ${first + count - 1 + base} of ${data.units}` : `strips: all ${count} units`;
  setText(strips, mode === "vector" ? `${words}; ø mean of a gate, ‖·‖ norm of other vectors` : words);
}

function fileName(data) {
  return `${data.run}-step-${data.step}-cell-t${data.t + data.first}-layer${data.layer + data.first}`;
}

function flowRows(data, drawing) {
  const rows = [["quantity", "written", "place", "value"]];
  for (const [name, stream] of Object.entries(data.streams)) {
    const node = drawing.byName.get(name);
    if (node.value !== name) continue;
    stream.values.forEach((value, place) => rows.push([name, spelled(node.written), stream.first + place + data.first, value]));
  }
  return rows;
}
