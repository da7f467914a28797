// Letters with their marks, set as HTML text: italics for letters, upright for words, what stands above and below.

import { make } from "./dom.js";

// [base, below, above, upright, upright below] into an element, drawn again only when it says something else.
export function setSign(element, sign) {
  const text = JSON.stringify(sign);
  if (element.dataset.sign === text) return;
  element.dataset.sign = text;
  const [base, below, above, upright, belowUpright] = sign;
  const letter = make("span", upright || /^[Α-Ω]$/.test(base) ? "upright" : "letter", base);
  const marks = make("span", below && above ? "marks both" : "marks");
  if (above) marks.append(make("sup", "", above));
  if (below) marks.append(make("sub", belowUpright || /\d/.test(below) ? "upright" : "letter", below));
  element.replaceChildren(letter, ...(marks.childElementCount ? [marks] : []));
}

export function signOf(sign, name = "sign") {
  const element = make("span", name);
  setSign(element, sign);
  return element;
}
