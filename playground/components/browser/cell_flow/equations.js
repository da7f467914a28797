// The cell's equations beside the drawing. Every piece knows which operation or value of the drawing it writes.

import { make } from "../shared/dom.js";
import { signOf } from "../shared/signs.js";

export function equationSheet(parent, point) {
  let pieces = []; // {element, within, own}

  function build(equations) {
    pieces = [];
    parent.replaceChildren(...equations.map(line));
  }

  function line(equation) {
    const element = make("div", "equation");
    element.setAttribute("role", "math");
    element.setAttribute("aria-label", equation.text);
    for (const part of equation.parts) {
      const piece = part.kind === "quantity" ? signOf(part.symbol, "piece") : make("span", `piece ${kindOf(part)}`, shownSign(part));
      if (part.own) piece.dataset.name = part.own;
      pieces.push({ element: piece, within: part.within, own: part.own, key: part.key });
      element.append(piece);
    }
    return element;
  }

  parent.onpointermove = (event) => point(event.target.closest(".piece")?.dataset.name || null);
  parent.onpointerleave = () => point(null);

  return {
    build,
    light(name) {
      for (const { element, within, own } of pieces) {
        element.classList.toggle("lit", name !== null && within.includes(name));
        element.classList.toggle("own", name !== null && own === name);
      }
    },
    // The node that writes a quantity of another panel's equations, such as "weight:forget".
    named: (key) => pieces.find((piece) => piece.key === key)?.own || null,
  };
}

const BINARY = new Set(["=", "+", "⊙", "−", "mod"]);

export function kindOf(part) {
  if (part.kind === "function") return "function";
  if (part.text === "·") return "applied";
  return BINARY.has(part.text) ? "binary" : "operator";
}

export function shownSign(part) {
  if (part.text === "·") return "";
  if (BINARY.has(part.text)) return ` ${part.text}\u00a0`; // a line may break before the sign
  if (part.text === "= 0]") return ` ${part.text}`;
  return [",", ";"].includes(part.text) ? `${part.text} ` : part.text;
}
