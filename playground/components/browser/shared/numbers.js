// Numbers as they are written, and out of their packing.

// At most three significant digits; NaN and infinity are said.
export function digits(value) {
  if (value === null || Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e4 || size < 1e-3 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(3)));
  return text.replace("-", "−").replace("e-", "e−");
}

// A number that may have come as a word.
export function figure(value) {
  return typeof value === "string" ? Number(value) : value;
}

// In brackets where it is negative and follows a sign.
export function bracketed(value) {
  const text = digits(value);
  return text.startsWith("−") ? `(${text})` : text;
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
