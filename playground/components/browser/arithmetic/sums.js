// One unit, down to the numbers: its equations with numbers in them, and one weighted sum taken apart, term by term.

import { children, make, setText } from "../shared/dom.js";
import { bracketed, digitsThatHold, evaluate, read, significant } from "../shared/equation.js";
import { digits, figure, floats } from "../shared/numbers.js";
import { setSign, signOf } from "../shared/signs.js";
import { TIGHT } from "./equations.js";

const OF_A_SUM = 3; // significant digits
const [LEAST_DECIMALS, MOST_DECIMALS] = [4, 9];

function fixed(value, decimals) {
  return value.toFixed(decimals).replace("-", "−");
}

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
    const given = right.filter(({ kind }) => kind === "quantity").map(({ key }) => key);
    const compute = (values) => evaluate(right, (key) => values[given.indexOf(key)]);
    const { count, print } = digitsThatHold(given.map(value), compute, value(equation.left));
    right.forEach((part, at) => {
      const alone = right[at - 1]?.text === "(" && right[at + 1]?.text === ")";
      const number = part.kind === "quantity" && significant(value(part.key), count);
      if (number) words.push({ text: alone || !at ? number : bracketed(number), name: "value" });
      else words.push({ text: part.text === "⊙" ? "×" : part.text, name: TIGHT.has(part.text) || part.kind === "function" ? "tight" : "sign-of" });
    });
    if (right.length > 1) words.push({ text: "=", name: "sign-of" }, { text: print(value(equation.left)), name: "value answer" });
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
    if (listed < count) found.push({ kind: "rest", key, count: count - listed, value: figure(listed === sent ? rest_of_all : rest), factor });
  }

  function showLedger(sum) {
    const listed = entries(sum);
    const most = Math.max(...Object.values(sum.groups).map(({ count, shown }) => count - shown - 1));
    const all = find(".all");
    all.hidden = most <= 0;
    setText(all, whole ? "Largest terms only" : "All terms");
    all.setAttribute("aria-pressed", String(whole));
    ledger.classList.toggle("whole", whole);
    const range = spanOf(listed);
    const exact = decimalsThatHold(listed, sum);
    const total = { kind: "total", value: figure(sum.total) };
    let running = 0;
    children(ledger, listed.length + 1, entryRow).forEach((row, at) => {
      const entry = listed[at] ?? total;
      const moves = entry.kind === "from" || entry.kind === "total" ? 0 : (entry.product ?? entry.value) * (entry.factor ?? 1);
      showEntry(row, entry, sum, exact);
      const [from, to] = entry.kind === "total" ? [0, entry.value] : [running, running + moves];
      bar(row.lastElementChild, entry.kind === "from" ? null : [from, to], range, entry.kind === "total");
      running += moves;
    });
    showResult(sum);
  }

  // How the products are printed, and how many digits what scales them has: as many as it takes for them to add up to the
  // printed sums, that of each source and that of all.
  function decimalsThatHold(listed, sum) {
    const lines = listed.filter(({ kind }) => kind !== "from").map((entry) => ({ ...entry, value: entry.product ?? entry.value }));
    const heads = listed.filter(({ kind, count }) => kind === "from" && count > 1);
    if (!lines.every(({ value }) => Number.isFinite(value) && Math.abs(value) < 1e6)) return { print: digits, count: OF_A_SUM };
    const agree = (found, wanted) => significant(found, OF_A_SUM) === significant(wanted, OF_A_SUM);
    const at = (decimals) => ({ print: (value) => fixed(value, decimals), count: decimals + 1 });
    const added = (some, { print, count }) => some.reduce((all, { value, factor = 1 }) => all + read(print(value)) * read(significant(factor, count)), 0);
    const of = (key) => lines.filter((line) => line.key === key).map((line) => ({ ...line, factor: 1 }));
    for (let decimals = LEAST_DECIMALS; decimals < MOST_DECIMALS; decimals++) {
      const exact = at(decimals);
      if (agree(added(lines, exact), figure(sum.total)) && heads.every(({ key, value }) => agree(added(of(key), exact), value))) return exact;
    }
    return at(MOST_DECIMALS);
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

  function showEntry(row, entry, sum, exact) {
    row.className = `entry ${entry.kind}`;
    const [what, product, is] = row.children;
    const value = entry.product ?? entry.value;
    setText(is, entry.kind === "from" ? "" : entry.kind === "total" ? significant(value, OF_A_SUM) : `${value >= 0 ? "+" : ""}${exact.print(value)}`);
    setText(product, "");
    if (entry.kind === "from") return setHead(what, entry, sum, exact);
    if (entry.kind === "bias") return setBias(what, entry, sum);
    delete what.dataset.head;
    if (entry.kind === "term") setText(product, factors(entry, exact));
    if (entry.kind === "term") setText(what, placeName(entry.key, entry.index));
    if (entry.kind === "rest") setText(what, `and ${entry.count} more`);
    if (entry.kind === "total") setText(what, "sum");
  }

  // "0.6123 × (−0.98)": so that their product is the printed one.
  function factors({ weight, value, product }, { print }) {
    const { count } = digitsThatHold([weight, value], ([one, other]) => one * other, product, [print]);
    return `${significant(weight, count)} × ${bracketed(significant(value, count))}`;
  }

  function placeName(key, index) {
    if (key !== "input") return `unit ${index + data.first}`;
    const { axis } = data.vectors.input;
    return axis === "token" ? data.tokens[index] ?? `token ${index}` : data.reads === "state" ? `unit ${index + data.first}` : `value ${index + data.first}`;
  }

  // "from a⟨3⟩, 64 terms": the weights' and the quantity's signs, and what acts on them.
  function setHead(what, { key, count, value }, sum, exact) {
    const scaling = key === "hidden_before" && sum.after in data.symbols ? sum.after : null;
    const together = significant(value, OF_A_SUM);
    const scale = significant(figure(sum.scale), exact.count);
    const wanted = JSON.stringify([key, count, together, data.symbols[key], sum.before, scaling, scale]);
    if (what.dataset.head !== wanted) {
      what.dataset.head = wanted;
      const gate = key === "hidden_before" ? sum.before : null;
      const gates = gate && gate in data.symbols ? [signOf(data.symbols[gate]), " ⊙ "] : [];
      what.replaceChildren("from ", ...gates, signOf(data.symbols[key]), count > 1 ? `, ${count} terms, total ${together}` : "");
      if (scaling) what.append("; multiplied by ", signOf(data.symbols[scaling]), ` = ${scale}`);
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
    setText(find(".put"), changed ? `The sum is ${digits(total)}; it was replaced by ${digits(recorded)}.` : "");
  }

  return { load, redraw: () => data && show() };
}
