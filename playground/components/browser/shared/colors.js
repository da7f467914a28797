// The colour code.

// Red, green and blue of a colour as `mix` or the theme gives it.
export function channels(color) {
  return color.startsWith("#") ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) : color.match(/\d+/g).map(Number);
}

export function mix(from, to, share) {
  const [start, end] = [channels(from), channels(to)];
  return `rgb(${start.map((part, at) => Math.round(part + (end[at] - part) * share)).join(", ")})`;
}

// Signed values: blue below zero, paper at zero, orange above; `full` is where the colour is at its fullest.
export function signedColor(value, full, colors) {
  if (value === null || !Number.isFinite(value)) return colors.nan;
  const share = Math.min(1, Math.abs(value) / (full || 1));
  return mix(colors.paper, value < 0 ? colors.negative : colors.positive, share);
}

// Gates and everything else from 0 to `full`: from the paper to one strong hue.
export function gateColor(value, full, colors, hue = colors.gate) {
  if (value === null || !Number.isFinite(value)) return colors.nan;
  return mix(colors.paper, hue, Math.max(0, Math.min(1, value / (full || 1))));
}

// Black or white, whichever is read better on a colour that one of the two above gave.
export function inkOn(color) {
  const [r, g, b] = channels(color);
  return 0.299 * r + 0.587 * g + 0.114 * b > 150 ? "#1B1E25" : "#FFFFFF";
}

const CODE = ["negative", "positive", "gate", "surprise", "alarm", "muted", "nan", "family"];

// The colour code where the element stands, as #RRGGBB, with the theme's paper, ink and accent. `family` is of the cell that
// is drawn; the style sheet knows its colour as --family from then on.
export function colorsOf(element, family = null) {
  if (family) element.style.setProperty("--family", `var(--${family})`);
  const style = getComputedStyle(element);
  const read = (name) => hex(style.getPropertyValue(name));
  const paper = read("--st-background-color") || "#FFFFFF";
  const ink = read("--st-text-color") || "#31333F";
  const accent = read("--st-primary-color") || read("--alarm");
  return { ...Object.fromEntries(CODE.map((name) => [name, read(`--${name}`)])), paper, ink, accent };
}

function hex(color) {
  const text = color.trim();
  if (/^#[0-9a-f]{6}/i.test(text)) return text.slice(0, 7);
  const parts = text.match(/\d+/g);
  return parts ? `#${parts.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, "0")).join("")}` : "";
}
