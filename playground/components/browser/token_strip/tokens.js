// Draws tokens as spans, one each, and only adds to them while the same text grows. Text is set as text throughout.

import { digits } from "../shared/numbers.js";

export function drawTokens(parent, data) {
  const root = parent.querySelector(".tokens");
  const page = root.querySelector(".page");
  const drawn = (page.drawn ||= { text: null, count: 0, copied: "", forced: "" });
  const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 60;
  // The first data may come after the second, when the script is still being loaded: a text only ever grows.
  const order = 2 * data.pieces.length + (data.active ? 0 : 1);
  if (drawn.text === data.text && order < drawn.order) return page;
  if (drawn.text !== data.text) begin(page, drawn, data);
  drawn.order = order;
  page.data = data;
  page.setAttribute("aria-label", data.label);
  const fresh = document.createDocumentFragment();
  for (let place = drawn.count; place < data.pieces.length; place++) fresh.append(token(data, place));
  page.append(fresh);
  drawn.count = data.pieces.length;
  page.querySelector(".empty").textContent = drawn.count ? "" : data.empty || "";
  mark(page, drawn, "copied", data.copied.flatMap(([first, after]) => range(first, after)));
  mark(page, drawn, "forced", data.forced);
  choose(page, data.chosen);
  root.classList.toggle("writing", Boolean(data.active));
  root.classList.toggle("tall", Boolean(data.tall));
  root.classList.toggle("choosable", Boolean(data.choosable));
  root.querySelector(".legend").hidden = data.legend === false;
  root.querySelector(".copied-key").hidden = !data.tall && !data.copied.length;
  root.querySelector(".most").textContent = `${data.full}+ bits`;
  if (data.active && atEnd) page.scrollTop = page.scrollHeight;
  if (drawn.active && !data.active && atEnd) page.scrollTop = 0; // it was followed to its end, and is read from its start
  drawn.active = Boolean(data.active);
  return page;
}

function begin(page, drawn, data) {
  const prompt = document.createElement("span");
  prompt.className = "prompt";
  prompt.textContent = data.prompt;
  const empty = document.createElement("span");
  empty.className = "empty";
  page.replaceChildren(prompt, empty);
  page.scrollTop = 0;
  page.cursor = -1;
  page.removeAttribute("aria-activedescendant");
  Object.assign(drawn, { text: data.text, count: 0, copied: "", forced: "" });
}

function token(data, place) {
  const span = document.createElement("span");
  const piece = data.pieces[place];
  span.textContent = piece;
  span.className = piece === " " ? "token space" : piece === "\n" ? "token end" : "token";
  span.style.setProperty("--s", Math.min(1, data.hundredths[place] / 100 / data.full).toFixed(3));
  span.id = `token-${place}`;
  span.dataset.place = place;
  span.setAttribute("role", "option");
  span.setAttribute("aria-label", spoken(data, place));
  return span;
}

function spoken(data, place) {
  return `${named(data.pieces[place])}, ${(data.hundredths[place] / 100).toFixed(1)} bits`;
}

function named(piece) {
  if (piece === " ") return "␣";
  return piece === "\n" ? "⏎" : piece.trim() || piece;
}

function range(first, after) {
  return Array.from({ length: after - first }, (_, index) => first + index);
}

// Gives exactly these tokens the class; nothing is touched while they stay the same.
function mark(page, drawn, name, places) {
  const wanted = places.join();
  if (drawn[name] === wanted) return;
  for (const old of page.querySelectorAll(`.${name}`)) old.classList.remove(name);
  for (const place of places) at(page, place)?.classList.add(name);
  drawn[name] = wanted;
}

function at(page, place) {
  return page.querySelector(`#token-${place}`);
}

function choose(page, place) {
  for (const old of page.querySelectorAll(".chosen")) {
    old.classList.remove("chosen");
    old.removeAttribute("aria-selected");
  }
  const span = place >= 0 && at(page, place);
  if (!span) return;
  span.classList.add("chosen");
  span.setAttribute("aria-selected", "true");
}

function showTip(root, span, data) {
  const tip = root.querySelector(".tip");
  tip.hidden = !span;
  if (!span) return;
  const place = Number(span.dataset.place);
  const bits = data.hundredths[place] / 100;
  const share = 100 * 2 ** -bits;
  const notes = [`${named(data.pieces[place])}`, `${bits.toFixed(1)} bits`, `p ≈ ${share < 0.1 ? "<0.1" : digits(share, 2)}%`];
  if (span.classList.contains("forced")) notes.push("replaced by you");
  if (span.classList.contains("copied")) notes.push("copied");
  tip.textContent = notes.join(" · ");
  const box = span.getBoundingClientRect();
  const frame = root.getBoundingClientRect();
  const left = Math.min(Math.max(0, box.left - frame.left), Math.max(0, frame.width - tip.offsetWidth));
  tip.style.left = `${left}px`;
  tip.style.top = `${box.bottom - frame.top + 4}px`;
}

// Pointer and keyboard: hovering tells, a click or Enter chooses, arrows move.
export function listen(page, onChoose) {
  const root = page.closest(".tokens");
  page.onmousemove = (event) => showTip(root, event.target.closest(".token"), page.data);
  page.onmouseleave = () => showTip(root, null, page.data);
  page.onclick = (event) => {
    const span = event.target.closest(".token");
    if (span) pick(page, Number(span.dataset.place), onChoose);
  };
  page.onkeydown = (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10 };
    const count = page.data.pieces.length;
    if (!count) return;
    const here = page.cursor >= 0 ? page.cursor : page.data.chosen;
    if (event.key in steps) move(page, Math.min(count - 1, Math.max(0, here + steps[event.key])));
    else if (event.key === "Home") move(page, 0);
    else if (event.key === "End") move(page, count - 1);
    else if (event.key === "Enter" || event.key === " ") pick(page, Math.max(0, here), onChoose);
    else return;
    event.preventDefault();
  };
  page.onblur = () => {
    page.querySelector(".cursor")?.classList.remove("cursor");
    showTip(root, null, page.data);
  };
}

function move(page, place) {
  page.querySelector(".cursor")?.classList.remove("cursor");
  page.cursor = place;
  const span = at(page, place);
  if (!span) return;
  span.classList.add("cursor");
  span.scrollIntoView({ block: "nearest" });
  page.setAttribute("aria-activedescendant", span.id);
  showTip(page.closest(".tokens"), span, page.data);
}

function pick(page, place, onChoose) {
  if (!onChoose) return;
  page.cursor = place;
  choose(page, place);
  onChoose({ text: page.data.text, place });
}
