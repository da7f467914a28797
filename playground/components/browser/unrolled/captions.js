// The words around the picture: title, whose it is, what it shows for those who do not see it, and the choice of a loss.

import { put } from "../shared/dom.js";
import { fitted } from "./marks.js";

export function describe(root, numbers) {
  const { data } = numbers;
  const find = (selector) => root.querySelector(selector);
  put(find(".badge"), {}, data.letter);
  find(".badge").hidden = !data.letter;
  put(find(".caption .name"), {}, data.run);
  const layers = numbers.layers === 1 ? `${numbers.units} units` : `${numbers.layers} layers of ${numbers.units} units`;
  put(find(".where"), {}, `${data.cell}, ${layers}, at step ${data.step.toLocaleString("en")}${data.live ? ", training now" : ""}`);
  put(find(".about"), {}, data.about);
}

export function titleOf(data, folded) {
  return folded ? data.folded_title : data.title;
}

export function describeFold(root, { data }, folded) {
  const title = titleOf(data, folded);
  put(root.querySelector(".title"), {}, title);
  put(root.querySelector(".sheet"), { "aria-label": `${title}. ${data.about}` });
  const button = root.querySelector(".fold");
  put(button, { "aria-pressed": String(folded) }, folded ? "Show unrolled" : "Show as loop");
  root.classList.toggle("folded", folded);
}

// The sum of all losses, the loss that is differentiated now, and the loss at the chosen timestep.
export function offerTargets(label, numbers, t) {
  const { data, gradient } = numbers;
  const select = label.querySelector("select");
  const judged = (time) => Number.isFinite(numbers.loss(time));
  const single = [...new Set([gradient && gradient.of !== "sum" ? gradient.of : t, t])].filter(judged);
  const narrow = label.closest(".unrolled").clientWidth < 560;
  const token = (time) => (narrow ? "" : ` (“${fitted(data.targets[time] ?? "", 12)}”)`);
  const named = (time) => `the loss at t = ${numbers.when(time)}${token(time)}`;
  const options = [["sum", "all losses"], ...single.map((time) => [String(time), named(time)])];
  if (!gradient) options.unshift(["", "none: choose a loss"]);
  const key = JSON.stringify(options);
  if (select.offered !== key) select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  select.offered = key;
  const now = gradient ? String(gradient.of) : "";
  if (select.value !== now) select.value = now;
  label.hidden = !numbers.losses.some(Number.isFinite);
}

export function tableOf(numbers) {
  const { data, lanes, gradient, other } = numbers;
  const names = ["t", "token", "layer"];
  for (const lane of lanes) names.push(`norm of ${lane.name}`, `relative change of ${lane.name}`, `${lane.name} of unit ${numbers.when(data.unit)}`);
  if (gradient) names.push(`gradient norm, of ${gradient.of === "sum" ? "all losses" : `the loss at t = ${numbers.when(gradient.of)}`}`);
  if (gradient) names.push("gradient norm carried to the timestep before");
  names.push("next token", "loss (nats)", "most likely next", "its probability");
  if (other) names.push(...lanes.map((lane) => `norm of the change in ${lane.name}`), "next token after the change", "loss after the change (nats)");
  const rows = [names];
  for (let t = 0; t < numbers.length; t++) {
    for (let layer = 0; layer < numbers.layers; layer++) {
      const row = [numbers.when(t), data.tokens[t], numbers.when(layer)];
      lanes.forEach((_, lane) => row.push(numbers.norm(lane, layer, t), numbers.change(lane, layer, t), numbers.unit(lane, layer, t)));
      if (gradient) row.push(numbers.pull(layer, t), numbers.carried(layer, t));
      const [best] = numbers.guesses(t);
      row.push(data.targets[t] ?? "", numbers.loss(t), best.name, best.chance);
      if (other) row.push(...lanes.map((_, lane) => numbers.apart(lane, layer, t)), other.targets[t] ?? "", other.losses[t]);
      rows.push(row.map((value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value)));
    }
  }
  return rows;
}
