// One timestep's arithmetic. What is drawn is patched in place: only another cell or notation builds equations anew.

import { channel, placeChannel } from "../shared/channel.js";
import { choices } from "../shared/choice.js";
import { colorsOf } from "../shared/colors.js";
import { children, make, setText } from "../shared/dom.js";
import { takeAway } from "../shared/files.js";
import { shadesOf } from "../shared/grid.js";
import { mounted } from "../shared/mount.js";
import { digits, figure, floats } from "../shared/numbers.js";
import { snapshot } from "../shared/snapshot.js";
import { weightChain } from "./chain.js";
import { equationList } from "./equations.js";
import { arithmeticRows } from "./export.js";
import { unitSums } from "./sums.js";
import { cellWidth } from "./values.js";

export default mounted((parent, send) => {
  const find = (selector) => parent.querySelector(selector);
  const root = find(".arithmetic");
  let data = null;
  const choice = choices(send, draw);
  const places = placeChannel(receive);
  const terms = channel("term", ({ quantity }) => light(quantity ?? null, true));
  let shades = null;
  let shadesFor = "";

  const on = { unit: (unit) => choose({ unit }), time: (t) => choose({ t }), tip };
  const cell = equationList(find(".cell.equations"));
  const output = equationList(find(".output.equations"));
  const chain = weightChain(find(".chain"), on);
  const sums = unitSums(find(".one"), on);
  const lists = [cell, output];
  const grids = [find(".cell.equations"), find(".output.equations")];
  const watcher = new ResizeObserver(draw);
  watcher.observe(root);

  // ---- choosing

  function choose(change) {
    choice.choose(change, true);
    places.send(choice.shown());
  }

  // Of another layer there are no numbers here yet.
  function receive(place) {
    if (!data) return;
    const { t, unit } = { ...choice.shown(), ...place };
    if (t < data.names.length && unit < data.units) choice.receive({ t, unit });
  }

  // ---- lighting up one quantity, here and in the cell's diagram

  function light(key, received = false) {
    for (const one of [...lists, chain]) one.light(key);
    if (!received) terms.send({ quantity: key });
  }

  // ---- pointer

  function under(event) {
    for (const list of lists) {
      const one = list.of(event.target);
      if (one) return { one, at: one.view?.at && event.target !== one.sign ? one.view.at(event) : -1 };
    }
    return null;
  }

  let lighted = null;
  let pointer = null;
  let hovered = -1; // unit under the pointer
  root.onpointermove = (event) => {
    pointer = event;
    if (!event.target.closest(".fan")) preview(under(event), event.target.closest(".held"));
  };
  root.onpointerleave = () => {
    pointer = null;
    preview(null);
  };
  root.onclick = (event) => {
    const found = under(event);
    if (found && found.at >= 0 && found.one.vector?.axis === "unit") choose({ unit: found.at });
  };

  // What is under the pointer is lit up and described, its unit marked in every strip.
  function preview(found, held = null) {
    const key = found?.one.key ?? held?.dataset.key ?? null;
    if (key !== lighted) light((lighted = key));
    tip(pointer, found ? described(found) : "");
    const unit = found?.one.vector?.axis === "unit" ? found.at : -1;
    if (unit === hovered) return;
    hovered = unit;
    drawEquations();
  }

  // ---- keyboard: from quantity to quantity

  lists.forEach((list, which) => {
    const grid = grids[which];
    let at = -1;
    const move = (to) => {
      const all = list.all();
      all[at]?.element.classList.remove("current");
      at = to === null ? -1 : Math.max(0, Math.min(all.length - 1, to));
      const one = all[at];
      light(one?.key ?? null);
      if (!one) return grid.removeAttribute("aria-activedescendant");
      one.element.classList.add("current");
      one.element.id ||= `quantity-${which}-${at}`;
      one.element.setAttribute("aria-label", list.spoken(one, choice.shown().unit, data.first));
      grid.setAttribute("aria-activedescendant", one.element.id);
      one.element.scrollIntoView({ block: "nearest" });
    };
    grid.onfocus = () => (grid.matches(":focus-visible") ? move(Math.max(at, 0)) : grid.blur());
    grid.onblur = () => at >= 0 && move(null);
    grid.onkeydown = (event) => {
      const rows = [...new Set(list.all().map(({ element }) => element.closest(".equation")))];
      const row = rows.indexOf(list.all()[at]?.element.closest(".equation"));
      const start = (line) => list.all().findIndex(({ element }) => element.closest(".equation") === rows[line]);
      const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: Infinity };
      if (event.key === "ArrowDown" && row < rows.length - 1) move(start(row + 1));
      else if (event.key === "ArrowUp" && row > 0) move(start(row - 1));
      else if (event.key in steps) move(steps[event.key]);
      else if (event.key === "Escape") grid.blur();
      else return;
      event.preventDefault();
    };
  });

  function described({ one, at }) {
    if (one.matrix) return `${one.text}: the same at every timestep`;
    if (at < 0 || !one.vector) return "";
    const { numbers, places, axis } = one.vector;
    const index = places?.[at] ?? at;
    const where = axis === "token" ? `“${data.tokens[index]}”` : `${axis === "unit" ? "unit" : "value"} ${index + data.first}`;
    return `${one.text}, ${where}: ${digits(numbers[at])}`;
  }

  function tip(event, text = "") {
    const element = find(".tip");
    element.hidden = !event || !text;
    if (element.hidden) return;
    setText(element, text);
    const frame = root.getBoundingClientRect();
    const left = event.clientX - frame.left + 12;
    element.style.left = `${Math.max(0, Math.min(left, frame.width - element.offsetWidth))}px`;
    element.style.top = `${event.clientY - frame.top + 16}px`;
  }

  // ---- drawing

  function look() {
    const colors = data.colors;
    const width = Math.floor(find(".sheet").clientWidth);
    const zoom = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
    const { t, unit } = choice.shown();
    return { colors, shades, width, cell: cellWidth(width / zoom), zoom, t, unit, hovered };
  }

  function draw() {
    if (!data || !find(".sheet").clientWidth) return;
    const now = look();
    drawEquations(now);
    chain.draw(now);
  }

  function drawEquations(now = look()) {
    for (const list of lists) list.draw(now);
  }

  function paint() {
    data.colors = colorsOf(root, data.family);
    const wanted = JSON.stringify(data.colors);
    if (wanted !== shadesFor) shades = shadesOf(data.colors);
    shadesFor = wanted;
  }

  takeAway(find(".take-away"), () => fileName(data), () => printed(), () => arithmeticRows(data));

  // The picture has to stand in the page while it is read.
  function printed() {
    root.classList.add("printed"); // nothing is scrolled away
    const picture = snapshot(find(".sheet"));
    root.classList.remove("printed");
    find(".printing").replaceChildren(picture);
    setTimeout(() => find(".printing").replaceChildren(), 0);
    return picture;
  }

  return {
    load(given) {
      data = unpacked(given);
      choice.acknowledge({ t: given.t, layer: given.layer, unit: given.unit }, given.acknowledged);
      paint();
      root.classList.toggle("every-number", data.every_number);
      setText(find(".place"), headline(data));
      setText(find(".reads"), reading(data));
      cell.load(data.equations, data);
      output.load(data.outputs, data);
      likely(find(".likely"), data);
      chain.load(data);
      sums.load(data);
      draw();
      const found = pointer && under(pointer);
      if (found) tip(pointer, described(found));
    },
    stop() {
      watcher.disconnect();
      choice.stop();
      if (lighted) light(null);
      for (const one of [places, terms]) one.stop();
    },
  };
});

// Numbers out of their packing; names beside what is over the vocabulary; every symbol by its key.
function unpacked(given) {
  const data = { ...given, symbols: {}, texts: {} };
  for (const part of [...given.equations, ...given.outputs].flatMap(({ parts, summed }) => [...parts, ...summed])) {
    if (part.key) [data.symbols[part.key], data.texts[part.key]] = [part.symbol, part.text];
  }
  const named = (key, vector) => {
    const numbers = floats(vector.values);
    const names = vector.axis === "token" ? [...numbers].map((_, at) => given.tokens[vector.places?.[at] ?? at]) : null;
    return [key, { ...vector, key, numbers, names }];
  };
  data.vectors = Object.fromEntries(Object.entries(given.vectors).map(([key, vector]) => named(key, vector)));
  data.matrices = Object.fromEntries(
    Object.entries(given.matrices).map(([key, matrix]) => [
      key,
      { ...matrix, key: `${key} ${given.run} ${given.step} ${given.layer} ${matrix.levels}`, numbers: matrix.values && floats(matrix.values) },
    ]),
  );
  data.numbers = Object.fromEntries(Object.entries(given.numbers).map(([key, value]) => [key, figure(value)]));
  data.tokenNames = Object.values(given.tokens);
  return data;
}

function headline({ run, t, first, names, layer, layers, step }) {
  const of = (count) => (first ? `of ${count}` : `(0 to ${count - 1})`);
  const depth = layers > 1 ? `, layer ${layer + first} ${of(layers)}` : "";
  return `${run}: timestep ${t + first} ${of(names.length)}${depth}, after training step ${step.toLocaleString("en")}`;
}

function reading({ reads, names, t, layer, first, target }) {
  const token = `“${names[t]}”`;
  const input = {
    "one-hot": `reads ${token} as a one-hot vector`,
    embedding: `reads ${token} as its embedding`,
    state: `reads the state of layer ${layer - 1 + first} (the token is ${token})`,
    unknown: "reads a token that is not in the vocabulary: a zero vector",
  }[reads];
  return target === null ? `${input}; the next token is unknown` : `${input}; the next token is “${target}”`;
}

function likely(parent, data) {
  const rows = children(parent, data.likeliest.length, () => {
    const row = make("div", "chance");
    row.setAttribute("role", "row");
    row.append(make("span", "name"), make("span", "bar"), make("span", "share"), make("span", "mark"));
    row.children[1].append(make("i"));
    return row;
  });
  rows.forEach((row, at) => {
    const { name, probability, target } = data.likeliest[at];
    const value = figure(probability);
    const [label, bar, number, mark] = row.children;
    setText(label, name);
    bar.firstChild.style.width = `${Number.isFinite(value) ? 100 * value : 0}%`;
    setText(number, digits(value));
    setText(mark, target ? "target" : "");
    row.classList.toggle("target", target);
  });
}

function fileName({ run, step, t, first, layer, layers }) {
  return `${run}-step-${step}-t-${t + first}${layers > 1 ? `-layer-${layer + first}` : ""}-arithmetic`;
}
