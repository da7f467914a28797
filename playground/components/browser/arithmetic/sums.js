// One unit, down to the numbers: its equations with numbers in them, and one weighted sum taken apart, term by term.

import { children, make, setText } from "../shared/dom.js";
import { bracketed, digits, figure, floats } from "../shared/numbers.js";
import { setSign, signOf } from "../shared/signs.js";
import { TIGHT } from "./equations.js";

export function unitSums(parent, on) {
  const find = (selector) => parent.querySelector(selector);
  const [lines, ledger, field] = [".lines", ".ledger", ".which"].map(find);
  let data = null;
  let opened = ""; // which sum is taken apart; kept while the cell has it
  let whole = false; // whether all terms are listed

  field.onchange = () => {
    const place = Math.round(Number(field.value)) - data.first;
    if (field.value !== "" && Number.isFinite(place)) on.unit(Math.max(0, Math.min(data.units - 1, place)));
    else field.value = data.unit + data.first;
  };
  find(".all").onclick = () => {
    whole = !whole;
    show();
  };

  function load(given) {
    data = given;
    if (!(opened in data.sums)) opened = data.equations.find(({ pre }) => pre)?.pre ?? Object.keys(data.sums)[0];
    field.min = data.first;
    field.max = data.units - 1 + data.first;
    if (document.activeElement !== field && !parent.getRootNode().activeElement?.matches(".which")) field.value = data.unit + data.first;
    setText(find(".of"), `of ${data.units}`);
    show();
  }

  function show() {
    const rows = children(lines, data.equations.length, () => {
      const button = make("button", "line");
      button.type = "button";
      return button;
    });
    rows.forEach((row, at) => showLine(row, data.equations[at]));
    showLedger(data.sums[opened]);
  }

  // ---- the equations with numbers

  function showLine(row, equation) {
    row.disabled = !(equation.pre in data.sums);
    row.classList.toggle("opened", equation.pre === opened);
    row.setAttribute("aria-pressed", String(equation.pre === opened));
    row.onclick = () => {
      opened = equation.pre;
      show();
    };
    fillWords(row, numbersIn(equation));
  }

  function fillWords(element, words) {
    children(element, words.length, () => make("span")).forEach((span, at) => {
      const { sign, text, name } = words[at];
      span.className = name;
      if (sign) return setSign(span, sign);
      delete span.dataset.sign;
      setText(span, text);
    });
  }

  function numbersIn(equation) {
    const value = (key) => data.vectors[key]?.numbers[data.unit] ?? data.numbers[key];
    const isEquals = ({ text }) => text === "=";
    const left = equation.parts.slice(0, equation.parts.findIndex(isEquals)); // of PyTorch's "1 − z" it is three parts
    const after = equation.parts.slice(equation.parts.findLastIndex(isEquals) + 1);
    const right = equation.summed.length ? equation.summed : equation.pre ? [{ kind: "quantity", key: equation.pre }] : after;
    const words = left.map(({ symbol, text }) => (symbol ? { sign: symbol, name: "sign" } : { text, name: "sign-of" }));
    words.push({ text: "=", name: "sign-of" });
    right.forEach((part, at) => {
      const alone = right[at - 1]?.text === "(" && right[at + 1]?.text === ")";
      if (part.kind === "quantity") words.push({ text: (alone || !at ? digits : bracketed)(value(part.key)), name: "value" });
      else words.push({ text: part.text === "⊙" ? "×" : part.text, name: TIGHT.has(part.text) || part.kind === "function" ? "tight" : "sign-of" });
    });
    if (right.length > 1) words.push({ text: "=", name: "sign-of" }, { text: digits(value(equation.left)), name: "value answer" });
    return words;
  }

  // ---- one sum, term by term

  // What the sum consists of, in the order of the equation, each with the running total before it.
  function entries(sum) {
    const scale = figure(sum.scale);
    const outside = sum.after ? ["input", "bias", "hidden_before", "product_bias"] : inOrder(sum);
    const found = [];
    for (const key of outside) {
      const factor = sum.after && ["hidden_before", "product_bias"].includes(key) ? scale : 1;
      if (key in sum.groups) group(found, sum, key, factor);
      else if (sum[key] !== null && key.endsWith("bias")) found.push({ kind: "bias", key, value: figure(sum[key]), factor });
    }
    return found;
  }

  function inOrder(sum) {
    const keys = data.equations.find(({ pre }) => pre === opened).parts.map(({ key }) => key);
    const groups = Object.keys(sum.groups).sort((one, other) => keys.indexOf(one) - keys.indexOf(other));
    return [...groups, "bias"];
  }

  function group(found, sum, key, factor) {
    const { count, terms, shown, part, rest, rest_of_all } = sum.groups[key];
    const numbers = floats(terms);
    const sent = numbers.length / 5;
    const listed = whole || sent <= shown + 1 ? sent : shown;
    found.push({ kind: "from", key, count, value: figure(part), factor, sum });
    for (let at = 0; at < listed; at++) {
      const [index, weight, value, product] = numbers.subarray(5 * at, 5 * at + 4);
      found.push({ kind: "term", key, index, weight, value, product, factor });
    }
    if (listed < count) found.push({ kind: "rest", count: count - listed, value: figure(listed === sent ? rest_of_all : rest), factor });
  }

  function showLedger(sum) {
    const listed = entries(sum);
    const most = Math.max(...Object.values(sum.groups).map(({ count, shown }) => count - shown - 1));
    const all = find(".all");
    all.hidden = most <= 0;
    setText(all, whole ? "Largest terms only" : "Every term");
    all.setAttribute("aria-pressed", String(whole));
    ledger.classList.toggle("whole", whole);
    const range = spanOf(listed);
    const total = { kind: "total", value: figure(sum.total) };
    let running = 0;
    children(ledger, listed.length + 1, entryRow).forEach((row, at) => {
      const entry = listed[at] ?? total;
      const moves = entry.kind === "from" || entry.kind === "total" ? 0 : (entry.product ?? entry.value) * (entry.factor ?? 1);
      showEntry(row, entry, sum);
      const [from, to] = entry.kind === "total" ? [0, entry.value] : [running, running + moves];
      bar(row.lastElementChild, entry.kind === "from" ? null : [from, to], range, entry.kind === "total");
      running += moves;
    });
    showResult(sum);
  }

  function spanOf(listed) {
    let [running, low, high] = [0, 0, 0];
    for (const { kind, product, value, factor } of listed) {
      if (kind === "from") continue;
      running += (product ?? value) * factor;
      if (!Number.isFinite(running)) return [0, 1];
      [low, high] = [Math.min(low, running), Math.max(high, running)];
    }
    return [low, high || (low ? 0 : 1)];
  }

  function entryRow() {
    const row = make("div", "entry");
    row.setAttribute("role", "row");
    for (const name of ["what", "product", "is", "bar"]) row.append(make("span", name));
    row.lastElementChild.append(make("i", "zero"), make("i", "fill"));
    return row;
  }

  function showEntry(row, entry, sum) {
    row.className = `entry ${entry.kind}`;
    const [what, product, is] = row.children;
    const value = entry.product ?? entry.value;
    setText(is, entry.kind === "from" ? "" : `${entry.kind === "total" ? "" : value >= 0 ? "+" : ""}${digits(value)}`);
    setText(product, "");
    if (entry.kind === "from") return setHead(what, entry, sum);
    if (entry.kind === "bias") return setBias(what, entry, sum);
    delete what.dataset.head;
    if (entry.kind === "term") setText(product, `${digits(entry.weight)} × ${bracketed(entry.value)}`);
    if (entry.kind === "term") setText(what, placeName(entry.key, entry.index));
    if (entry.kind === "rest") setText(what, `and ${entry.count} more`);
    if (entry.kind === "total") setText(what, "sum");
  }

  function placeName(key, index) {
    if (key !== "input") return `unit ${index + data.first}`;
    const { axis } = data.vectors.input;
    return axis === "token" ? data.tokens[index] ?? `token ${index}` : data.reads === "state" ? `unit ${index + data.first}` : `value ${index + data.first}`;
  }

  // "from a⟨3⟩, 64 terms": the weights' and the quantity's signs, and what acts on them.
  function setHead(what, { key, count, value }, sum) {
    const scaling = key === "hidden_before" && sum.after in data.symbols ? sum.after : null;
    const wanted = JSON.stringify([key, count, digits(value), data.symbols[key], sum.before, scaling, sum.scale]);
    if (what.dataset.head !== wanted) {
      what.dataset.head = wanted;
      const gate = key === "hidden_before" ? sum.before : null;
      const gates = gate && gate in data.symbols ? [signOf(data.symbols[gate]), " ⊙ "] : [];
      what.replaceChildren("from ", ...gates, signOf(data.symbols[key]), count > 1 ? `, ${count} terms, together ${digits(value)}` : "");
      if (scaling) what.append("; in the sum times ", signOf(data.symbols[scaling]), ` = ${digits(figure(sum.scale))}`);
    }
  }

  function setBias(what, { key }, sum) {
    const sign = data.symbols[key === "bias" ? `bias:${sum.block}` : `bias_${sum.block}`];
    const wanted = JSON.stringify(["bias", sign]);
    if (what.dataset.head === wanted) return;
    what.dataset.head = wanted;
    what.replaceChildren("bias ", ...(sign ? [signOf(sign)] : []));
  }

  function bar(element, ends, [low, high], whole) {
    const [zero, fill] = element.children;
    const at = (value) => (100 * (value - low)) / (high - low || 1);
    zero.style.left = `${at(0)}%`;
    const known = ends && ends.every(Number.isFinite);
    fill.hidden = !known;
    if (!known) return;
    const [from, to] = ends.map(at);
    fill.style.left = `${Math.min(from, to)}%`;
    fill.style.width = `${Math.max(0.4, Math.abs(to - from))}%`;
    fill.style.background = whole ? data.colors.ink : ends[1] < ends[0] ? data.colors.negative : data.colors.positive;
  }

  function showResult(sum) {
    const equation = data.equations.find(({ pre }) => pre === opened);
    fillWords(find(".result"), numbersIn(equation));
    const [total, recorded] = [figure(sum.total), figure(sum.recorded)];
    const changed = Math.abs(total - recorded) > 1e-3 * Math.max(1, Math.abs(total));
    setText(find(".put"), changed ? `The sum is ${digits(total)}; ${digits(recorded)} was put in its place.` : "");
  }

  return { load, redraw: () => data && show() };
}
