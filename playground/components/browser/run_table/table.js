import { choices } from "../shared/choice.js";
import { setText } from "../shared/dom.js";
import { mounted } from "../shared/mount.js";

// Rows are plain values; text is set as text. A row is drawn again only when it has changed, and moved only when the
// order has, so that scroll, focus and what is being typed stay.
const MINUTE = 60_000;
// Made once: making a formatter costs more than all else that a row needs.
const WHOLE = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "medium" });
const ORDINAL = new Intl.PluralRules("en", { type: "ordinal" });
const ORDER = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
// Rows that are drawn first when a visitor comes: more than a window shows. The others follow once these are painted.
const FIRST = 30;
const PAINTED = 50; // milliseconds
// What was looked for outlives a visit to another page.
const asked = { find: "", whose: "", status: "", cell: "", key: "", down: false };

export default mounted((parent, send) => {
  const find = (selector) => parent.querySelector(selector);
  const [head, body, none, count] = [".head", ".body", ".none", ".count"].map(find);
  const heads = [...head.querySelectorAll("button")];
  const all = head.querySelector("input");
  const blank = find("template").content.firstElementChild;
  const fields = { find: find(".find"), whose: find(".whose"), status: find(".status"), cell: find(".cell") };
  const sort = find(".sort");
  const drawn = new Map(); // id -> {element, text}
  const choice = choices(send, show);
  let data = { rows: [], chosen: "", statuses: {}, letters: "" };
  let ticked = []; // as it is drawn
  let order = "";
  let rest = 0; // the timer of the rows after the first

  for (const button of heads) {
    sort.append(new Option(`By ${button.textContent.toLowerCase()}`, button.dataset.key));
    button.onclick = () => sortBy(button.dataset.key);
  }
  all.onchange = () => tickAll(all.checked);
  body.onchange = (event) => tick(event.target.closest(".row").dataset.run);
  body.onclick = (event) => {
    const row = event.target.closest(".row");
    if (row && event.target.type !== "checkbox" && !window.getSelection().toString()) tick(row.dataset.run);
  };
  for (const [name, field] of Object.entries(fields)) {
    field.oninput = () => {
      asked[name] = field.value;
      show();
    };
  }
  find(".filters").onsubmit = (event) => event.preventDefault();
  find(".clear").onclick = () => {
    for (const [name, field] of Object.entries(fields)) field.value = asked[name] = "";
    show();
  };
  sort.onchange = () => {
    [asked.key, asked.down] = [sort.value, downFirst(sort.value)];
    show();
  };

  function downFirst(key) {
    return heads.some((button) => button.dataset.key === key && "down" in button.dataset);
  }

  function sortBy(key) {
    const first = downFirst(key);
    if (asked.key !== key) [asked.key, asked.down] = [key, first];
    else if (asked.down === first) asked.down = !first;
    else [asked.key, asked.down] = ["", false]; // as it came: one's own first, the newest at the top
    show();
  }

  function tick(id) {
    choice.choose({ ids: ticked.includes(id) ? ticked.filter((other) => other !== id) : [...ticked, id] }, true);
  }

  function tickAll(on) {
    const ids = shown().map((row) => row.id);
    choice.choose({ ids: on ? [...new Set([...ticked, ...ids])] : ticked.filter((id) => !ids.includes(id)) }, true);
  }

  function shown() {
    const words = asked.find.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = data.rows.filter(
      (row) =>
        (!asked.whose || (asked.whose === "ticked" ? ticked.includes(row.id) : row.whose === asked.whose)) &&
        (!asked.status || row.status === asked.status) &&
        (!asked.cell || row.cell === asked.cell) &&
        words.every((word) => `${row.name} ${row.model} ${row.text} ${row.id}`.toLowerCase().includes(word)),
    );
    return asked.key ? rows.sort(comparing(asked.key, asked.down)) : rows;
  }

  function show(most = Infinity) {
    ticked = choice.shown().ids;
    const rows = shown();
    const there = rows.slice(0, most);
    for (const row of there) draw(row);
    const now = there.map((row) => row.id).join();
    if (now !== order) {
      const focused = parent.activeElement || document.activeElement;
      body.replaceChildren(...there.map((row) => drawn.get(row.id).element));
      if (focused && body.contains(focused)) focused.focus({ preventScroll: true });
      order = now;
    }
    none.hidden = rows.length > 0;
    const empty = "No runs yet: start one on the page Train.";
    setText(none.firstElementChild, data.rows.length ? "No run matches." : empty);
    find(".clear").hidden = !data.rows.length;
    const hidden = data.rows.length - rows.length;
    const marks = ticked.length ? `, ${ticked.length} ticked` : "";
    setText(count, (hidden ? `${rows.length} of ${data.rows.length} runs` : `${rows.length} runs`) + marks);
    const on = rows.filter((row) => ticked.includes(row.id)).length;
    all.checked = on > 0 && on === rows.length;
    all.indeterminate = on > 0 && on < rows.length;
    for (const button of heads) button.classList.toggle("by", button.dataset.key === asked.key);
    const way = asked.down ? "descending" : "ascending";
    for (const { parentElement } of heads) {
      parentElement.setAttribute("aria-sort", parentElement.querySelector(".by") ? way : "none");
    }
    sort.value = asked.key;
  }

  function draw(row) {
    let known = drawn.get(row.id);
    if (!known) {
      known = { element: blank.cloneNode(true), text: "" };
      known.element.dataset.run = row.id;
      drawn.set(row.id, known);
    }
    const text = JSON.stringify(row) + Math.floor(Date.now() / MINUTE); // its age is part of it
    if (known.text !== text) {
      known.text = text;
      patch(known.element, row, data);
    }
    const on = ticked.includes(row.id);
    known.element.classList.toggle("ticked", on);
    known.element.classList.toggle("chosen", row.id === data.chosen);
    known.element.querySelector("input").checked = on;
    const compared = on && ticked.length >= 2 && ticked.length <= data.letters.length;
    setText(known.element.querySelector(".letter"), compared ? data.letters[ticked.indexOf(row.id)] : "");
  }

  // What was ticked elsewhere, by a link or a button, comes into sight; the page itself stays where it is.
  function reveal() {
    const first = body.querySelector(".row.ticked");
    const table = find(".table");
    if (first && first.offsetTop + first.offsetHeight > table.scrollTop + table.clientHeight) {
      table.scrollTop = first.offsetTop - head.offsetHeight;
    }
  }

  const ageing = setInterval(show, MINUTE); // where nothing trains, nothing else draws the ages again

  return {
    stop: () => (clearInterval(ageing), clearTimeout(rest), choice.stop()),
    load(given) {
      data = given;
      choice.acknowledge({ ids: given.ticked }, given.acknowledged);
      const moved = choice.shown().ids.join() !== ticked.join();
      const ids = new Set(given.rows.map((row) => row.id));
      for (const id of drawn.keys()) if (!ids.has(id)) drawn.delete(id);
      offer(fields.status, Object.keys(given.statuses), (status) => capital(status));
      offer(fields.cell, [...new Set(given.rows.map((row) => row.cell))].sort(), (cell) => cell);
      for (const [name, field] of Object.entries(fields)) {
        if (field.value !== asked[name]) field.value = asked[name];
        if (field.value !== asked[name]) asked[name] = field.value = ""; // its last run has gone
      }
      const whole = () => (show(), moved && reveal());
      if (order || given.rows.length <= FIRST) return whole();
      show(FIRST);
      if (moved) reveal();
      rest = setTimeout(whole, PAINTED);
    },
  };
});

function patch(element, row, { statuses }) {
  const at = (name) => element.querySelector(name);
  at("input").setAttribute("aria-label", `Tick ${row.name}`);
  setText(at("strong"), row.name);
  at(".name").title = row.name;
  setText(at(".whose"), { starter: "starter run", others: "another visitor's" }[row.whose] || "");
  at(".status").className = `status ${row.status}`;
  at(".status").title = statuses[row.status] || "";
  setText(at(".sign"), row.sign);
  setText(at(".word"), capital(row.status) + (row.place ? `, ${ordinal(row.place)}` : ""));
  setText(at(".shape"), row.model);
  setText(at(".text"), row.text);
  setText(at(".bits"), row.bits_text);
  at(".bits").classList.toggle("unknown", row.bits === null);
  at(".loss").title =
    row.bits_missing || (row.best_step === null ? "not evaluated yet" : `lowest at step ${WHOLE.format(row.best_step)}`);
  setText(at(".unknown-share"), row.unknown_text || "");
  setText(at(".perplexity"), row.perplexity_text);
  at("polyline").setAttribute("points", row.spark);
  at("polyline").style.stroke = `var(--${row.family})`;
  const planned = row.planned && row.step < row.planned ? ` / ${WHOLE.format(row.planned)}` : "";
  setText(at(".done"), WHOLE.format(row.step) + planned);
  at(".bar").hidden = row.status !== "running" || !row.planned;
  at(".bar i").style.width = `${Math.min(100, (100 * row.step) / (row.planned || 1))}%`;
  setText(at(".when"), row.whose === "starter" ? "" : moment(row.created));
  at(".when").title = MOMENT.format(row.created * 1000);
  setText(at(".bytes"), row.bytes_text);
}

function comparing(key, down) {
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [one[key], other[key]];
    if (a === null || b === null) return (a === null) - (b === null); // what is not known stands last, either way
    return sign * (typeof a === "string" ? ORDER.compare(a, b) : a - b);
  };
}

function offer(field, values, label) {
  const known = [...field.options].slice(1).map((option) => option.value);
  if (known.join() === values.join()) return;
  field.replaceChildren(field.options[0], ...values.map((value) => new Option(label(value), value)));
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}

function ordinal(place) {
  const ends = { one: "st", two: "nd", few: "rd", other: "th" };
  return place + ends[ORDINAL.select(place)];
}

function moment(seconds) {
  const ago = Date.now() / 1000 - seconds;
  if (ago < 60) return "just now";
  if (ago < 3600) return `${Math.floor(ago / 60)} min ago`;
  if (ago < 86400) return `${Math.floor(ago / 3600)} h ago`;
  return DAY.format(seconds * 1000);
}
