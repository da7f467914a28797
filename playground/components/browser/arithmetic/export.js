// All numbers of the step as a table: every value that is shown, with what it is and where it stands.

import { floats } from "../shared/numbers.js";

export function arithmeticRows(data) {
  const rows = [["quantity", "symbol", "row", "column", "name", "value"]];
  for (const [key, vector] of Object.entries(data.vectors)) {
    vector.numbers.forEach((value, at) => {
      const place = vector.places?.[at] ?? at;
      rows.push([key, data.texts[key] ?? "", place, "", vector.axis === "token" ? data.tokens[place] : "", value]);
    });
  }
  for (const [key, value] of Object.entries(data.numbers)) rows.push([key, data.texts[key] ?? "", "", "", "", value]);
  for (const [key, matrix] of Object.entries(data.matrices)) {
    matrix.numbers?.forEach((value, at) => {
      rows.push([key, data.texts[key] ?? "", Math.floor(at / matrix.width), at % matrix.width, "", value]);
    });
  }
  for (const [key, sum] of Object.entries(data.sums)) rows.push(...sumRows(key, sum, data.unit));
  for (const { name, probability } of data.likeliest) rows.push(["likeliest", "", "", "", name, probability]);
  return rows;
}

// Of the chosen unit's weighted sums: the row is the unit, the column the value that a weight multiplies.
function sumRows(key, sum, unit) {
  const rows = [];
  for (const [source, { terms }] of Object.entries(sum.groups)) {
    const numbers = floats(terms);
    for (let at = 0; at < numbers.length; at += 5) {
      const [index, weight, , product] = numbers.subarray(at, at + 4);
      rows.push([`${key} weight on ${source}`, "", unit, index, "", weight], [`${key} product`, "", unit, index, source, product]);
    }
  }
  rows.push([`${key} total`, "", unit, "", "", sum.total]);
  return rows;
}
