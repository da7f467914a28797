// Letters with their marks, set as HTML text: italics for letters, upright for words, what stands above and below.

function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

// Text that is the same is left alone: a selection in it stays.
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// [base, below, above, upright, upright below] into an element, drawn again only when it says something else.
function setSign(element, sign) {
  const word = JSON.stringify(sign);
  if (element.dataset.sign === word) return;
  element.dataset.sign = word;
  const [base, below, above, upright, belowUpright] = sign;
  const letter = make("span", upright || /^[Α-Ω]$/.test(base) ? "upright" : "letter", base);
  const marks = make("span", below && above ? "marks both" : "marks");
  if (above) marks.append(make("sup", "", above));
  if (below) marks.append(make("sub", belowUpright || /\d/.test(below) ? "upright" : "letter", below));
  element.replaceChildren(letter, ...(marks.childElementCount ? [marks] : []));
}

function signOf(sign, name = "sign") {
  const element = make("span", name);
  setSign(element, sign);
  return element;
}

// A number that may have come as a word.
function figure(value) {
  return typeof value === "string" ? Number(value) : value;
}

// In brackets where it is negative and follows a sign.
function bracketed(value) {
  const text = digits(value);
  return text.startsWith("−") ? `(${text})` : text;
}

// As many children as are wanted, the old ones kept.
function children(parent, count, build) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) parent.append(build());
  return [...parent.children];
}
