// The passes step by step: the states travel right, layer by layer, then the gradient travels left from its loss.

import { put } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";
import { spokenSign } from "./marks.js";
import { percent } from "./numbers.js";

const WHOLE = 14000; // milliseconds that all steps take together, where there are many
const [FASTEST, SLOWEST] = [45, 480];
const FAINT = 0.13;
const DIM = 0.5;

function stepsOf(numbers) {
  const steps = [];
  for (let t = 0; t < numbers.length; t++) {
    for (let layer = 0; layer <= numbers.layers; layer++) steps.push({ phase: "forward", t, layer });
  }
  const last = numbers.gradient?.entry.at(-1) ?? -1;
  for (let t = last; t >= 0; t--) {
    for (let layer = numbers.layers - 1; layer >= 0; layer--) steps.push({ phase: "backward", t, layer });
  }
  if (last >= 0) steps.push({ phase: "backward", t: -1, layer: 0 });
  return steps;
}

// `show(step)` draws up to a step, or the finished picture for null.
export function startMotion(bar, show) {
  const find = (name) => bar.querySelector(`.${name}`);
  const motion = { steps: [], at: null, timer: 0, numbers: null };
  const said = find("said");

  function go(at) {
    motion.at = at === null || at < 0 || at >= motion.steps.length ? null : at;
    const step = motion.at === null ? null : motion.steps[motion.at];
    said.textContent = step ? spokenStep(motion.numbers, step) : restingWords(motion.numbers);
    said.classList.toggle("backward", step?.phase === "backward");
    find("fill").style.width = step ? `${(100 * (motion.at + 1)) / motion.steps.length}%` : "0";
    show(step);
  }

  function pause() {
    clearInterval(motion.timer);
    motion.timer = 0;
    put(find("play"), { "aria-label": "Animate both passes (key a)", class: "play" });
    put(said, { "aria-live": "polite" });
  }

  function play() {
    if (motion.timer) return pause();
    if (motion.at === null) go(0);
    const beat = Math.max(FASTEST, Math.min(SLOWEST, WHOLE / motion.steps.length));
    motion.timer = setInterval(() => {
      go(motion.at === null ? null : motion.at + 1);
      if (motion.at === null) pause();
    }, beat);
    put(find("play"), { "aria-label": "Pause (key a)", class: "play on" });
    put(said, { "aria-live": "off" }); // a screen reader need not say every step
  }

  const single = (way) => {
    pause();
    go(motion.at === null ? (way > 0 ? 0 : motion.steps.length - 1) : motion.at + way);
  };
  find("begin").onclick = () => { pause(); go(0); };
  find("back").onclick = () => single(-1);
  find("play").onclick = play;
  find("next").onclick = () => single(1);
  find("end").onclick = () => { pause(); go(null); };

  const keys = { n: () => single(1), b: () => single(-1), a: play };
  const onKey = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !keys[event.key] || writing(event)) return;
    keys[event.key]();
  };
  window.addEventListener("keydown", onKey);

  return {
    load(numbers) {
      const before = motion.numbers;
      const same = before && before.length === numbers.length && before.layers === numbers.layers && before.gradient?.of === numbers.gradient?.of;
      motion.numbers = numbers;
      if (same) return motion.at !== null && go(motion.at);
      motion.steps = stepsOf(numbers);
      pause();
      go(null);
    },
    playing: () => motion.timer !== 0,
    step: () => (motion.at === null ? null : motion.steps[motion.at]),
    stop() {
      clearInterval(motion.timer);
      window.removeEventListener("keydown", onKey);
    },
  };
}

// How visible the forward pass is at a place, while it is revealed step by step. Layer `layers` stands for what it says.
export function seen(reveal, t, layer) {
  if (!reveal) return 1;
  if (reveal.phase === "backward") return DIM;
  return t < reveal.t || (t === reveal.t && layer <= reveal.layer) ? 1 : FAINT;
}

export function pulledTo(reveal, t, layer) {
  if (!reveal) return 1;
  if (reveal.phase === "forward") return 0;
  return t > reveal.t || (t === reveal.t && layer >= reveal.layer) ? 1 : 0;
}

function writing(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]:not([contenteditable=false])");
}

function spokenStep(numbers, { phase, t, layer }) {
  const { data, layers, gradient } = numbers;
  const when = numbers.when(t);
  const level = layers > 1 && layer < layers ? `, layer ${numbers.when(layer)}` : "";
  if (phase === "backward") {
    const whose = gradient.of === "sum" ? "backward from all losses" : `backward from the loss at t = ${numbers.when(gradient.of)}`;
    const place = t < 0 ? "before the first token" : `t = ${when}${level}`;
    return `${whose}: ${place}, ‖∂L/∂s‖ = ${digits(numbers.pull(layer, t))}`;
  }
  if (layer < layers) {
    const norms = numbers.lanes.map((lane, place) => `‖${spokenSign(lane.signs[layer], String(when))}‖ = ${digits(numbers.norm(place, layer, t))}`);
    return `forward, t = ${when}${level}: ${norms.reverse().join(", ")}`;
  }
  const [best] = numbers.guesses(t);
  const loss = numbers.loss(t);
  const judged = Number.isFinite(loss) ? `; next token “${data.targets[t]}”, loss ${digits(loss)} nats` : "";
  return `forward, t = ${when}: predicts “${best.name}” (${percent(best.chance)})${judged}`;
}

function restingWords(numbers) {
  if (!numbers) return "";
  if (!numbers.gradient) return "forward pass done; choose a loss to backpropagate";
  return numbers.gradient.entry.length ? "both passes done: states →, gradient ←" : "forward pass done; there is no loss to backpropagate";
}

// The number that travels with the front of a pass.
export function frontWords(numbers, { phase, t, layer }) {
  if (phase === "backward") return `‖∂L/∂s‖ ${digits(numbers.pull(layer, t))}`;
  if (layer < numbers.layers) return numbers.lanes.map((lane, place) => `‖${lane.signs[layer][0][0].slice(0, 2).trim()}‖ ${digits(numbers.norm(place, layer, t))}`).reverse().join("  ");
  const loss = numbers.loss(t);
  return Number.isFinite(loss) ? `loss ${digits(loss)}` : "no loss";
}
