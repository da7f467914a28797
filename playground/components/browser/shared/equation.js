// Numbers in an equation: as many digits as it takes for it to hold as printed. Who computes the right side from the
// printed values, and rounds, gets the printed result.

import { digits } from "./numbers.js";

const [LEAST, MOST] = [3, 9]; // significant digits of what is computed from
const OF_A_RESULT = [3, 2, 1]; // of what is computed; fewer where it is a small difference of large numbers

// So many significant digits, zeros at the end too: −1.001 in three is "−1.00", and "−1" is −1 and nothing else.
export function significant(value, count) {
  if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 1e4)) return digits(value);
  const size = Math.abs(value);
  const exponent = Number(size.toExponential(count - 1).split("e")[1]);
  const plain = exponent >= count ? String(Number(size.toPrecision(count))) : size.toPrecision(count);
  const text = exponent < -4 || exponent > 6 ? size.toExponential(count - 1).replace("+", "").replace("-", "−") : plain;
  return value < 0 ? `−${text}` : text;
}

// What a printed number says.
export function read(text) {
  return text === "−∞" ? -Infinity : text === "∞" ? Infinity : Number(text.replaceAll("−", "-").replaceAll(",", ""));
}

// In brackets where it is negative and follows a sign.
export function bracketed(text) {
  return text.startsWith("−") ? `(${text})` : text;
}

// How many digits `compute` needs of its values, and how the result (a number or several) is printed then; it does not
// hold where no digits will do, as where another value was put in place of a result.
export function digitsThatHold(values, compute, result, ofResult = OF_A_RESULT.map((count) => (value) => significant(value, count))) {
  const wanted = ofResult.map((print) => each(result, print));
  const found = []; // by the count of digits
  const computed = (count) => (found[count] ??= compute(values.map((value) => each(value, (one) => read(significant(one, count))))));
  for (const [at, print] of ofResult.entries()) {
    for (let count = LEAST; count <= MOST; count++) {
      if (same(each(computed(count), print), wanted[at])) return { count, print, holds: true };
    }
  }
  return { count: LEAST, print: ofResult[0], holds: false };
}

function each(value, change) {
  return Array.isArray(value) ? value.map((one) => each(one, change)) : change(value);
}

function same(one, other) {
  if (Array.isArray(one)) return one.length === other.length && one.every((value, at) => same(value, other[at]));
  return one === other || read(one) === read(other);
}

// ---- the right side of an equation, from its parts

const sigmoid = (value) => 1 / (1 + Math.exp(-value));
export const FUNCTIONS = { σ: sigmoid, tanh: Math.tanh, ReLU: (value) => Math.max(0, value), log: Math.log };
const SIGNS = { "+": (one, other) => one + other, "−": (one, other) => one - other, "⊙": (one, other) => one * other };

// The value of parts whose quantities are numbers, vectors (lists) or matrices (lists of rows): `of(key)` gives them.
export function evaluate(parts, of) {
  let at = 0;
  const next = () => parts[at]?.text;
  const take = () => parts[at++];

  function sum() {
    let value = product();
    while (next() === "+" || next() === "−") value = paired(SIGNS[take().text], value, product());
    return value;
  }

  function product() {
    let value = factor();
    while (next() === "⊙") value = paired(SIGNS[take().text], value, factor());
    return value;
  }

  function factor() {
    const part = take();
    if (part.kind === "quantity") return quantity(of(part.key));
    if (part.text === "1") return 1;
    if (part.text === "−") return each(factor(), (value) => -value);
    if (part.text === "softmax") return softmax(factor());
    if (part.kind === "function") return each(factor(), FUNCTIONS[part.text]);
    return inBrackets();
  }

  function quantity(value) {
    if (next() === "[next]") take();
    if (next() !== "·") return value;
    take();
    const vector = factor();
    return value.map((row) => row.reduce((total, weight, place) => total + weight * vector[place], 0));
  }

  // "( ... )", the vectors "[ ... ; ... ]" as one, or whose turn it is, "[ clock mod periods = 0]".
  function inBrackets() {
    let value = sum();
    while (next() === "," || next() === ";") {
      take();
      value = [...value, ...sum()];
    }
    if (next() === "mod") {
      take();
      value = paired((clock, period) => Number(clock % period === 0), value, sum());
    }
    take();
    return value;
  }

  return sum();
}

function paired(sign, one, other) {
  if (Array.isArray(one)) return one.map((value, at) => paired(sign, value, Array.isArray(other) ? other[at] : other));
  return Array.isArray(other) ? other.map((value) => paired(sign, one, value)) : sign(one, other);
}

function softmax(scores) {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
