// Numbers as they are written, and out of their packing.

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 20 });
const PREFIXES = ["k", "M", "G", "T"];

// At most three significant digits, as `engine/numbers.py` writes them: 12345 is "12.3 k", 0.00095 is "9.5e−4". `most` are
// fewer where there is no room.
export function digits(value, most = 3) {
  if (value === null || Number.isNaN(value)) return "NaN";
  const sign = value < 0 ? "−" : "";
  const size = Math.abs(value);
  return sign + (size === Infinity ? "∞" : written(size, most));
}

function written(size, most) {
  if (Number.isInteger(size) && size < 1e4) return size < 1e3 ? String(size) : GROUPED.format(size);
  const [mantissa, power] = size.toExponential(most - 1).split("e");
  const exponent = Number(power);
  if (exponent < -3 || exponent >= 15) return `${Number(mantissa)}e${power.replace("+", "").replace("-", "−")}`;
  const thousands = exponent > 3 ? Math.floor(exponent / 3) : 0;
  const rounded = Number(`${mantissa}e${exponent - 3 * thousands}`);
  return thousands ? `${rounded} ${PREFIXES[thousands - 1]}` : rounded < 1e3 ? String(rounded) : GROUPED.format(rounded);
}

// A number that may have come as a word.
export function figure(value) {
  return typeof value === "string" ? Number(value) : value;
}

// Numbers that came as base64 of little-endian float32, or as base64 of bytes.
export function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

export function bytes(text) {
  const letters = atob(text);
  const found = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) found[at] = letters.charCodeAt(at); // ten times as fast as `from`
  return found;
}
