// The card under the pointer: a place's real numbers in full.

import { digitsThatHold, significant } from "../shared/equation.js";
import { digits } from "../shared/numbers.js";
import { goalOf, unknownNext } from "./ends.js";
import { percent } from "./numbers.js";

export function fillCard(card, numbers, t, layer) {
  const { data, lanes, other } = numbers;
  const rows = [];
  const say = (name, value, kind = "") => rows.push({ name, value, kind });
  const when = String(numbers.when(t));
  if (t >= 0) {
    say(data.signs.input, data.tokens[t], "head");
    if (data.unknown.includes(t)) say("not in the vocabulary", `the model reads ${data.unknown_read_as || "a zero vector"}`);
  } else say("before the first token", data.context ? "the state after the preceding context" : "the state is zero", "head");
  lanes.forEach((lane, place) => {
    const sign = lane.signs[layer];
    const then = other ? ` → ${digits(numbers.normThen(place, layer, t))}` : "";
    say(["‖", sign, "‖"], digits(numbers.norm(place, layer, t)) + then);
    if (t < 0) return;
    say("relative change", percent(numbers.change(place, layer, t)), "sub");
    const unit = other ? ` → ${digits(numbers.unitThen(place, layer, t))}` : "";
    say(`unit ${numbers.when(data.unit)}`, digits(numbers.unit(place, layer, t)) + unit, "sub");
    if (other) say("‖changed − original‖", digits(numbers.apart(place, layer, t)), "sub");
  });
  if (numbers.gradient) sayGradient(say, numbers, t, layer);
  if (t >= 0) sayEnds(say, numbers, t);
  for (const mark of other?.marks || []) if (mark.t === t && mark.layer === layer) say("◆ changed", mark.text, "mark");
  if (other && other.tokens[t] !== null && t >= 0) say("◆ read instead", other.tokens[t], "mark");
  card.replaceChildren(...rows.map((row) => cardRow(row, when)));
}

// The whole gradient, and what of it came through the layer's own step: the rest entered here.
function sayGradient(say, numbers, t, layer) {
  say("‖∂L/∂s‖", digits(numbers.pull(layer, t)), "gradient");
  if (t + 1 < numbers.length) say(`← arrives from t = ${numbers.when(t + 1)}`, digits(numbers.carried(layer, t + 1)), "sub");
  if (t >= 0 && numbers.cut(t)) say(`✂ truncated in training: none reached t = ${numbers.when(t - 1)}`, "", "sub");
}

function sayEnds(say, numbers, t) {
  const { data, other } = numbers;
  const said = numbers.guesses(t).slice(0, 4).map(({ name, chance, then }) => `${name} ${percent(chance)}${then === null || then === undefined ? "" : ` → ${percent(then)}`}`);
  say("predicts", said.join("   "), "wide");
  const goal = goalOf(numbers, t);
  if (goal === null) return say("next token", "the input text ends here", "wide");
  const loss = numbers.loss(t);
  const then = other ? ` → ${digits(other.losses[t])}` : "";
  const appears = other && Number.isFinite(other.losses[t]); // where only the changed text has a known target
  const later = appears ? ` → ${chanceOf(other.losses[t])}` : "";
  say("next token", Number.isFinite(loss) ? `${goal} (p = ${chanceOf(loss)}${later})` : appears ? `${goal} (p =${later})` : goal, "wide");
  if (goal !== data.targets[t]) say("◆ in the original text", data.targets[t] ?? "unknown", "mark");
  say("loss", Number.isFinite(loss) ? `−ln p = ${digits(loss)}${then} nats` : appears ? `−ln p =${then} nats` : unknownNext(data, t) ? "none: not in the vocabulary" : "NaN");
}

// A probability with as many digits as it takes to compute the printed loss from it.
function chanceOf(loss) {
  const { count } = digitsThatHold([Math.exp(-loss)], ([chance]) => -Math.log(chance), loss, [digits]);
  return significant(Math.exp(-loss), count);
}

function cardRow({ name, value, kind }, when) {
  const row = document.createElement("div");
  row.className = `line ${kind}`;
  const label = document.createElement("span");
  for (const part of Array.isArray(name) && Array.isArray(name[1]) && typeof name[0] === "string" ? name : [name]) {
    if (typeof part === "string") label.append(part);
    else for (const [text, place] of part) label.append(signPart(text.replace("§", when), place));
  }
  const shown = document.createElement("b");
  shown.textContent = value;
  row.append(label, shown);
  return row;
}

function signPart(text, place) {
  if (!place) return document.createTextNode(text);
  const part = document.createElement(place === "up" ? "sup" : "sub");
  part.textContent = text;
  return part;
}

// Beside the column, inside the window of the picture.
export function placeCard(card, frame, x, y, width) {
  card.hidden = false;
  const beside = x + width + 8;
  const fits = beside + card.offsetWidth <= frame.clientWidth;
  const left = fits ? beside : Math.max(0, x - card.offsetWidth - 8);
  card.style.left = `${left}px`;
  card.style.top = `${Math.max(0, Math.min(y - 20, frame.clientHeight - card.offsetHeight - 4))}px`;
}
