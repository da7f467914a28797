// Equations with what they stand for underneath: every quantity has its symbol on the line and its values below it.

import { make, setText } from "../shared/dom.js";
import { digitsThatHold, evaluate, significant } from "../shared/equation.js";
import { digits } from "../shared/numbers.js";
import { setSign, signOf } from "../shared/signs.js";
import { matrixPicture, numberTable, strip } from "./values.js";

const CLOSERS = new Set([")", "]", ",", ";", "= 0]", "[next]"]);
export const TIGHT = new Set(["(", "[", ")", "]", ",", ";", "·", "1", "[next]"]);
export const TALL = { inline: 32, chain: 84 };

// Parts in pieces that a line is not broken within: a quantity with the signs before it and those that close after it.
function pieces(parts) {
  const found = [];
  let before = [];
  for (const part of parts) {
    if (part.kind === "quantity") {
      found.push({ before, quantity: part, after: [] });
      before = [];
    } else if (part.kind === "operator" && CLOSERS.has(part.text) && !before.length) found.at(-1).after.push(part);
    else before.push(part);
  }
  return found;
}

// The equations of the cell or of the output layer.
export function equationList(parent) {
  let structure = "";
  let shown = []; // {part, element, sign, view, scale}

  function build(equations, data) {
    shown = [];
    parent.replaceChildren(...equations.map((equation) => row(equation, data)));
  }

  function row(equation, data) {
    const line = make("div", "equation");
    line.setAttribute("role", "row");
    const [left, ...right] = pieces(equation.parts).map((piece) => pieceOf(piece, data));
    if (equation.summed.length) {
      const again = [{ kind: "operator", text: "=" }, ...equation.summed];
      right.push(...pieces(again).map((piece) => pieceOf(piece, data, "piece again")));
    }
    const rest = make("span", "right");
    rest.append(...right);
    line.append(left, rest);
    return line;
  }

  function pieceOf({ before, quantity, after }, data, name = "piece") {
    const element = make("span", name);
    element.append(...before.map(operator), quantityOf(quantity, data), ...after.map(operator));
    return element;
  }

  function operator({ kind, text }) {
    const element = make("span", TIGHT.has(text) ? "operator tight" : `operator ${kind}`);
    element.append(make("span", "on-line", text), make("span", "between", text));
    return element;
  }

  function quantityOf(part, data) {
    const element = make("span", "quantity");
    element.setAttribute("role", "gridcell");
    element.dataset.key = part.key;
    const sign = signOf(part.symbol);
    const view = viewOf(part.key, data);
    const scale = make("span", "scale");
    const values = make("span", "values");
    if (view) values.append(view.element);
    element.append(sign, values, scale);
    shown.push({ element, sign, view, values, scale, key: part.key });
    return element;
  }

  function viewOf(key, data) {
    if (key in data.vectors) return data.every_number ? numberTable() : strip();
    if (key in data.matrices) return data.every_number ? numberTable() : matrixPicture(TALL.inline);
    return null;
  }

  // What is heard of a quantity: its sign, and the chosen unit's value where it has units.
  function spoken({ text, vector, matrix }, unit, first) {
    if (matrix) return `${text}, ${matrix.rows} by ${matrix.columns} weights, the same at every timestep`;
    if (!vector) return text;
    const [least, most] = vector.numbers.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const one = vector.axis === "unit" ? `unit ${unit + first} is ${digits(vector.numbers[unit])}, ` : "";
    return `${text}: ${one}${digits(least)} to ${digits(most)}`;
  }

  function load(equations, data) {
    const parts = equations.map((equation) => [...equation.parts, ...equation.summed]);
    const now = JSON.stringify([parts.map((all) => all.map(({ kind, key, text }) => key || [kind, text])), data.every_number]);
    if (now !== structure) build(equations, data);
    structure = now;
    [...parent.children].forEach((line, at) => line.setAttribute("aria-label", equations[at].text));
    const quantities = equations.flatMap((equation) => {
      const exact = exactly(equation, data);
      return [...equation.parts, ...equation.summed].filter(({ kind }) => kind === "quantity").map((part) => ({ part, print: exact(part.key) }));
    });
    shown.forEach((one, at) => fill(one, quantities[at], data));
  }

  function fill(one, { part, print }, data) {
    setSign(one.sign, part.symbol);
    one.text = part.text;
    if (part.key in data.vectors) fillVector(one, { ...data.vectors[part.key], print }, data);
    else if (part.key in data.matrices) fillMatrix(one, { ...data.matrices[part.key], print }, data);
    else fillNumber(one, data.numbers[part.key], print, data);
  }

  function fillNumber(one, value, print, { target }) {
    setText(one.values, value === undefined ? "–" : print(value));
    if (one.key === "clock") setText(one.scale, "for all units");
    else if (one.key === "loss") setText(one.scale, value === undefined ? "" : "nats");
    else setText(one.scale, target === null ? "unknown" : `“${target}”`);
  }

  function fillVector(one, vector, data) {
    one.vector = vector;
    const rowNames = vector.axis === "token" ? vector.names : null;
    one.view.load(data.every_number ? { ...vector, width: 1, rowNames, rowAxis: vector.axis, on: -1, past: 0 } : vector);
    setText(one.scale, scaleOf(vector));
  }

  function fillMatrix(one, matrix, data) {
    one.matrix = matrix;
    if (data.every_number) one.view.load(tableOf(matrix, data));
    else one.view.load(matrix);
    setText(one.scale, data.every_number ? "" : `${matrix.rows} × ${matrix.columns}`);
  }

  return {
    load,
    draw: (look) => shown.forEach(({ view }) => view?.draw(look)),
    light: (key) => shown.forEach((one) => one.element.classList.toggle("lit", key !== null && one.key === key)),
    // The quantity that an element belongs to.
    of: (element) => shown.find((one) => one.element === element?.closest?.(".quantity")),
    all: () => shown,
    spoken,
  };
}

// How the numbers of an equation are printed, by their keys: so that it holds as printed, wherever all of them are.
function exactly(equation, data) {
  const of = (key) => data.numbers[key] ?? (data.every_number ? listed(data.vectors[key] ?? data.matrices[key]) : undefined);
  const right = equation.parts.slice(equation.parts.findLastIndex(({ text }) => text === "=") + 1);
  const pre = equation.summed.length ? equation.pre : "";
  const given = [...new Set([...right, ...equation.summed].filter(({ kind }) => kind === "quantity").map(({ key }) => key))];
  const [values, left] = [given.map(of), of(equation.left)];
  if ([...values, left].includes(undefined)) return () => digits;
  const compute = (some) => {
    const by = (key) => some[given.indexOf(key)];
    return pre ? [evaluate(right, by), evaluate(equation.summed, by), evaluate(right.slice(2, -1), by)] : [evaluate(right, by)];
  };
  const { count, print } = digitsThatHold(values, compute, pre ? [left, left, of(pre)] : [left]);
  return (key) => (key === equation.left ? print : (value) => significant(value, count));
}

// A vector's numbers, or a matrix's rows.
function listed(values) {
  if (!values?.numbers) return undefined;
  const numbers = [...values.numbers];
  if (!values.height) return numbers;
  return Array.from({ length: values.height }, (_, row) => numbers.slice(row * values.width, (row + 1) * values.width));
}

function scaleOf({ gate, full, numbers, length }) {
  const nan = numbers.reduce((count, value) => count + Number.isNaN(value), 0);
  const cut = length > numbers.length ? `${numbers.length} of ${length.toLocaleString("en")}` : "";
  const beyond = numbers.reduce((count, value) => count + (Math.abs(value) > full * 1.001), 0);
  const scale = gate ? "0 to 1" : `±${digits(full)}${beyond ? `, ${beyond} outside` : ""}`;
  return [nan ? `${nan} NaN` : scale, cut].filter(Boolean).join(", ");
}

// A matrix as a table; where the input is one-hot, the column that it picks is said.
function tableOf(matrix, data) {
  const over = matrix.column_axis === "token";
  const past = matrix.joined ?? 0;
  const on = over ? data.vectors.input.numbers.findIndex((value) => value === 1) : -1;
  return {
    numbers: matrix.numbers,
    print: matrix.print,
    width: matrix.width,
    full: matrix.full,
    gate: false,
    rowNames: matrix.row_axis === "token" ? data.tokenNames : null,
    columnNames: over ? [...Array(past).fill(""), ...data.tokenNames] : null,
    rowAxis: matrix.row_axis,
    on: on < 0 ? -1 : past + on,
    past,
  };
}
