import { digits, figure } from "../shared/numbers.js";

// The kept training steps on one line, evenly spaced, over the validation loss: what is left of the head is past.
const WIDE = 1000;
const HIGH = 100;
const THUMB = 14; // px, as in the style sheet: the head moves between half of it from either end

// `act.scrub(step)` while it is moved, `act.settle()` when it is let go.
export function scrubber(root, act) {
  const find = (selector) => root.querySelector(selector);
  const [range, bubble] = ["input", ".bubble"].map(find);
  let kept = { steps: [], losses: [], training: [], measured: [], loss_unit: "" };
  let next = null; // what came while it was being dragged
  let now = { step: 0, newest: true };
  let held = false;
  let drawn = "";

  function load(given) {
    if (held) {
      next = given;
      return;
    }
    kept = given;
    const text = JSON.stringify([given.steps, given.losses, given.measured, given.training]);
    if (text === drawn) return;
    drawn = text;
    range.max = String(Math.max(0, kept.steps.length - 1));
    range.disabled = kept.steps.length < 2;
    drawCurve(root, kept);
  }

  function show(step, newest) {
    now = { step, newest };
    const place = placeOf(step, newest);
    if (!held && range.value !== String(place)) range.value = String(place);
    const words = said(step);
    range.setAttribute("aria-valuetext", words);
    root.style.setProperty("--at", share(place));
    point(place, words);
    root.classList.remove("asking");
  }

  function point(place, words) {
    root.style.setProperty("--pointed", share(place));
    if (bubble.textContent !== words) bubble.textContent = words;
  }

  // The newest weights of a run that trains are kept only now and then: they stand at the end.
  function placeOf(step, newest) {
    const last = kept.steps.length - 1;
    if (newest) return Math.max(0, last);
    const after = kept.steps.findIndex((other) => other > step);
    return Math.max(0, after < 0 ? last : after - 1);
  }

  function share(place) {
    return kept.steps.length > 1 ? (place / (kept.steps.length - 1)).toFixed(4) : "0";
  }

  function said(step) {
    if (!kept.steps.length) return "no weights saved yet";
    const words = [`step ${step.toLocaleString("en")}`];
    const place = kept.steps.indexOf(step);
    const loss = kept.losses[place] ?? kept.training[place] ?? null;
    const whose = (kept.losses[place] ?? null) === null ? " (training)" : "";
    if (loss !== null) words.push(typeof loss === "string" ? digits(figure(loss)) : `${digits(loss)} ${kept.loss_unit}${whose}`);
    if (kept.steps.length === 1) words.push("the only saved step");
    return words.join(" · ");
  }

  function release() {
    if (!held) return;
    held = false;
    act.settle();
    if (next) load(next);
    next = null;
    show(now.step, now.newest);
    range.blur(); // the arrow keys move along time again; whoever came by Tab never held it
  }

  range.oninput = () => act.scrub(kept.steps[Number(range.value)]);
  range.onchange = () => act.settle();
  range.onpointerdown = () => {
    held = !range.disabled;
  };
  // The browser ends its own drag after the pointer has gone up.
  const up = () => setTimeout(release);
  for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, up, true);

  range.onpointermove = (event) => {
    if (held || range.disabled || event.pointerType !== "mouse") return;
    const box = range.getBoundingClientRect();
    const part = (event.clientX - box.left - THUMB / 2) / (box.width - THUMB);
    const place = Math.round(Math.max(0, Math.min(1, part)) * (kept.steps.length - 1));
    point(place, said(kept.steps[place]));
    root.classList.add("asking");
  };
  range.onpointerleave = () => show(now.step, now.newest);

  return {
    load,
    show,
    words: () => said(now.step),
    stop: () => ["pointerup", "pointercancel"].forEach((type) => window.removeEventListener(type, up, true)),
  };
}

// The validation loss where it was measured, and before that, dashed, the loss in training.
function drawCurve(root, { steps, losses, measured, training }) {
  const finite = ([, loss]) => typeof loss === "number";
  const known = measured.filter(finite).filter(([step]) => step >= steps[0] && step <= steps.at(-1));
  const first = known[0]?.[0] ?? Infinity;
  const early = steps.map((step, place) => [step, training[place]]).filter(finite).filter(([step]) => step < first);
  const values = [...early, ...known].map(([, loss]) => loss);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const point = ([step, loss]) => `${across(steps, step)},${(94 - (86 * (loss - low)) / (high - low || 1)).toFixed(1)}`;
  const all = [...early, ...known];
  const foot = all.length > 1 ? `L${across(steps, all.at(-1)[0])},${HIGH} L${across(steps, all[0][0])},${HIGH} Z` : "";
  const broken = steps.filter((_, place) => typeof losses[place] === "string");
  const drawn = {
    area: foot && path(all.map(point)) + foot,
    line: path(known.map(point)),
    early: path([...early, ...known.slice(0, 1)].map(point)),
    ticks: steps.map((step) => `M${across(steps, step)},${HIGH} v-7`).join(" "),
    broken: broken.map((step) => `M${across(steps, step)},0 V${HIGH}`).join(" "),
  };
  for (const picture of root.querySelectorAll("svg")) {
    picture.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    for (const [name, shape] of Object.entries(drawn)) picture.querySelector(`.${name}`).setAttribute("d", shape);
  }
}

// Where a step stands: the kept ones evenly spaced, any other between its neighbours.
function across(steps, step) {
  const after = steps.findIndex((other) => other > step);
  const before = (after < 0 ? steps.length : after) - 1;
  const part = after < 0 ? 0 : (step - steps[before]) / (steps[after] - steps[before]);
  return ((WIDE * (before + part)) / Math.max(1, steps.length - 1)).toFixed(1);
}

function path(points) {
  return points.length > 1 ? `M${points.join(" L")}` : "";
}
