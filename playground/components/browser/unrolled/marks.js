// Signs as SVG text, and what boxes are filled with.

import { inkOn, signedColor } from "../shared/colors.js";
import { add, put, svg } from "../shared/dom.js";
import { digits } from "../shared/numbers.js";

// A quantity's name with its raised and lowered parts; `time` is set where the sign leaves room for it.
export function putSign(element, sign, time) {
  const key = JSON.stringify(sign) + time;
  if (element.signed === key) return;
  element.signed = key;
  element.replaceChildren();
  let shift = 0;
  for (const [text, place] of sign) {
    const aim = place === "up" ? -0.42 : place === "down" ? 0.28 : 0;
    const size = place ? 0.8 : 1;
    const part = svg("tspan", { dy: `${((aim - shift) / size).toFixed(3)}em`, "font-size": place ? "80%" : null }, text.replace("§", time));
    if (!place && text.length <= 2) part.setAttribute("class", "letter");
    element.append(part);
    shift = aim;
  }
}

export function spokenSign(sign, time) {
  return sign.map(([text, place]) => (place === "down" && !/^[⟨[]/.test(text) ? `_${text}` : text).replace("§", time)).join("");
}

// A token in as many characters as fit; the rest is shown as cut.
export function fitted(text, most) {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

export function hatching(parent, colors) {
  const pattern = add(add(parent, "defs"), "pattern", "", { id: "not-a-number", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  add(pattern, "rect", "", { width: 6, height: 6, fill: colors.paper });
  add(pattern, "rect", "", { width: 2.5, height: 6, fill: colors.nan });
}

export const NOT_A_NUMBER = "url(#not-a-number)";

export function fillOf(color, value) {
  return Number.isFinite(value) ? color : NOT_A_NUMBER;
}

// A number that is none stands on hatching, and needs paper around its letters.
export function numberClass(name, value) {
  return Number.isFinite(value) ? name : `${name} on-hatching`;
}

// ---- units

const SHADES = 12; // of squares on either side of zero, so that one path draws all of a shade

export function buildUnits(parent, layout, units) {
  const group = add(parent, "g", "units");
  const made = { group, paths: new Map(), fields: [], ring: null };
  if (layout.few) {
    for (let unit = 0; unit < units; unit++) {
      const field = add(group, "g", "unit", { "data-unit": unit });
      made.fields.push({ field, box: add(field, "rect"), text: add(field, "text", "value") });
    }
  }
  made.ring = add(group, "rect", "ring");
  return made;
}

export function patchUnits(made, lane, layout, { first, units, chosen, x, y, colors }) {
  const { across, wide, high } = layout.fields;
  const corner = (unit) => [x + (unit % across) * wide, y + Math.floor(unit / across) * high];
  const [left, top] = corner(chosen);
  put(made.ring, { x: left, y: top, width: wide, height: high, stroke: colors.ink });
  if (made.lane === lane && made.layout === layout && made.first === first && made.ink === colors.ink) return;
  Object.assign(made, { lane, layout, first, ink: colors.ink });
  if (layout.few) {
    made.fields.forEach(({ box, text }, unit) => {
      const value = lane.values[first + unit];
      const color = signedColor(value, lane.full, colors);
      const [left, top] = corner(unit);
      put(box, { x: left + 0.5, y: top + 0.5, width: wide - 1, height: high - 1, rx: 3, fill: fillOf(color, value) });
      const ink = Number.isFinite(value) ? inkOn(color) : colors.ink;
      put(text, { x: left + wide / 2, y: top + high / 2 + 0.5, fill: ink, class: numberClass("value", value) }, brief(value));
    });
  } else patchSquares(made, lane, layout, { first, units, x, y, colors });
}

function patchSquares(made, lane, layout, { first, units, x, y, colors }) {
  const { across, wide } = layout.fields;
  const side = wide > 3 ? wide - 0.4 : wide;
  const shapes = new Map();
  for (let unit = 0; unit < units; unit++) {
    const level = lane.levels[first + unit];
    const shade = level === -128 ? "nan" : Math.round((level / 127) * SHADES);
    if (shade === 0) continue;
    const left = (x + (unit % across) * wide).toFixed(2);
    const top = (y + Math.floor(unit / across) * wide).toFixed(2);
    shapes.set(shade, `${shapes.get(shade) || ""}M${left} ${top}h${side.toFixed(2)}v${side.toFixed(2)}h-${side.toFixed(2)}z`);
  }
  for (const [shade, path] of made.paths) if (!shapes.has(shade)) put(path, { d: "" });
  for (const [shade, shape] of shapes) {
    if (!made.paths.has(shade)) {
      const path = svg("path");
      made.group.insertBefore(path, made.ring);
      made.paths.set(shade, path);
    }
    const color = shade === "nan" ? NOT_A_NUMBER : signedColor(shade, SHADES, colors);
    put(made.paths.get(shade), { d: shape, fill: color });
  }
}

// Two decimals where a field is too narrow for three digits.
function brief(value) {
  if (!Number.isFinite(value)) return digits(value);
  const size = Math.abs(value);
  const text = size >= 99.5 ? digits(value) : size >= 9.95 ? value.toFixed(1) : value.toFixed(2);
  return text.replace("-", "−");
}
