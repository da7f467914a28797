// Every timestep reads the same weights: one line from each token into one box, in which the matrices stand once.

import { children, make, setText, svg } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { setSign } from "../shared/signs.js";
import { TALL } from "./equations.js";
import { matrixPicture } from "./values.js";

const TICKS = { top: 22, bend: 78, box: 84 };
const LETTER = 7.6; // px of one letter in the fixed face

// Which tokens are named, `letters` to a timestep: the chosen one, and all that keep clear of each other. Every second
// letter of a text would be no text: single letters are named all or not at all.
function namesThatFit(names, chosen, letters) {
  const named = new Set([chosen]);
  if (names.every((name) => name.length === 1) && letters < 1) return named;
  const half = (at) => (names[at].length + (names[at].length > 1 ? 1 : 0)) / 2 / letters;
  const clear = (one, other) => Math.abs(one - other) >= half(one) + half(other);
  let last = -1;
  names.forEach((_, at) => {
    if (!clear(at, chosen) || (last >= 0 && !clear(at, last))) return;
    named.add(at);
    last = at;
  });
  return named;
}

// The line from a token down to the middle of the box.
function strand(x, middle, zoom) {
  const end = middle + (x - middle) * 0.04;
  const [top, bend, bottom] = [TICKS.top, TICKS.bend, TICKS.box].map((y) => y * zoom);
  return `M${x.toFixed(1)} ${top}C${x.toFixed(1)} ${bend * 0.75} ${end.toFixed(1)} ${bend * 0.45} ${end.toFixed(1)} ${bottom}`;
}

export function weightChain(parent, on) {
  const drawing = svg("svg", { class: "fan", role: "img" });
  const box = make("div", "box");
  const caption = make("p", "caption");
  parent.append(drawing, box, caption);
  const lines = svg("g");
  const names = svg("g");
  const chosen = svg("path", { fill: "none", "stroke-width": 2.5 });
  drawing.append(lines, chosen, names);
  let pictures = new Map(); // key -> {element, sign, view, note}
  let data = null;

  function load(given) {
    data = given;
    const keys = Object.keys(data.matrices);
    if (keys.join() !== [...pictures.keys()].join()) {
      pictures = new Map(keys.map((key) => [key, picture(key)]));
      box.replaceChildren(...[...pictures.values()].map(({ element }) => element));
    }
    for (const [key, one] of pictures) {
      const matrix = data.matrices[key];
      one.view.load(matrix);
      setSign(one.sign, data.symbols[key]);
      const [rows, columns] = matrix.dot;
      const mean = rows * columns > 1 ? `, means of ${rows} × ${columns}` : "";
      setText(one.note, `${matrix.rows} × ${matrix.columns}, ±${digits(matrix.full)}${mean}`);
    }
    setText(caption, said());
  }

  function said() {
    const count = data.weights.toLocaleString("en");
    const steps = data.names.length === 1 ? "used at the one timestep" : `shared by all ${data.names.length} timesteps`;
    return `One set of weights, ${count} parameters, ${steps}. They change during training (now step ${data.step.toLocaleString("en")}), never along the text.`;
  }

  function picture(key) {
    const element = make("span", "held quantity");
    element.dataset.key = key;
    const [sign, view, note] = [make("span", "sign"), matrixPicture(TALL.chain), make("span", "scale")];
    element.append(sign, view.element, note);
    return { element, sign, view, note };
  }

  function draw(look) {
    for (const { view } of pictures.values()) view.draw(look);
    fan(look);
  }

  function fan({ colors, width, zoom, t }) {
    const { length } = data.names;
    const height = TICKS.box * zoom;
    const space = width / length;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", height);
    drawing.setAttribute("aria-label", `${length} timesteps, one set of weights; timestep ${t + data.first} is selected`);
    const named = namesThatFit(data.names, t, space / (LETTER * zoom));
    const paths = children(lines, length, () => svg("path", { fill: "none" }));
    const texts = children(names, length, () => svg("text", { "text-anchor": "middle" }));
    for (let at = 0; at < length; at++) {
      const here = at === t;
      const x = (at + 0.5) * space;
      paths[at].setAttribute("d", strand(x, width / 2, zoom));
      paths[at].setAttribute("stroke", colors.muted);
      paths[at].setAttribute("opacity", length > 100 ? 0.25 : 0.5);
      const half = (data.names[at].length * LETTER * zoom) / 2;
      texts[at].setAttribute("x", Math.max(half, Math.min(width - half, x)).toFixed(1));
      texts[at].setAttribute("y", (TICKS.top - 7) * zoom);
      texts[at].setAttribute("fill", here ? colors.accent : colors.ink);
      texts[at].setAttribute("font-weight", here ? 700 : 400);
      const name = named.has(at) ? data.names[at] : "";
      if (texts[at].textContent !== name) texts[at].textContent = name;
    }
    chosen.setAttribute("d", strand((t + 0.5) * space, width / 2, zoom));
    chosen.setAttribute("stroke", colors.accent);
  }

  // Which timestep is under the pointer.
  const at = (event) => {
    const frame = drawing.getBoundingClientRect();
    const place = Math.floor(((event.clientX - frame.left) / frame.width) * data.names.length);
    return Math.max(0, Math.min(data.names.length - 1, place));
  };
  drawing.onclick = (event) => on.time(at(event));
  drawing.onmousemove = (event) => {
    const t = at(event);
    on.tip(event, `timestep ${t + data.first}: ${data.names[t]}`);
  };
  drawing.onmouseleave = () => on.tip(null);

  return {
    load,
    draw,
    light: (key) => pictures.forEach(({ element }, own) => element.classList.toggle("lit", own === key)),
  };
}
