// Places on an axis, as `Axis` of `heatmap.py` has it.

// What stands at a place: its text, else its number.
export function label(axis, place) {
  return axis.texts[place] ?? String(place + axis.first);
}

// "t = 17 “e”", "unit 57 (inside quotation marks)"
export function spelled(axis, place) {
  const text = axis.texts[place];
  const number = axis.form.replace("{}", axis.numbered || text === undefined ? place + axis.first : text);
  const name = axis.names[place];
  return number + (axis.numbered && text !== undefined ? ` “${text}”` : "") + (name ? ` (${name})` : "");
}

// The place nearest to one that need not exist.
export function within(axis, place) {
  return Math.max(0, Math.min(axis.count - 1, place));
}
