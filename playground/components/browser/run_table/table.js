// Rows are plain values; text is set as text. A row is drawn again only when it has changed, and moved only when the
// order has, so that scroll, focus and what is being typed stay.
const COLUMNS = [
  { key: "name", label: "Name", about: "what it is called" },
  { key: "status", label: "Status", about: "how it stands" },
  { key: "model", label: "Model", about: "cell, layers × units" },
  { key: "text", label: "Text", about: "what it reads", under: "model" },
  { key: "bits", label: "Bits", about: "lowest validation loss, in bits per character", number: true },
  { key: "perplexity", label: "Perplexity", about: "of its own tokens, at the lowest validation loss", number: true },
  { key: "spark", label: "Loss", about: "training loss over all planned steps, each on its own scale", still: true },
  { key: "step", label: "Steps", about: "done of those planned", number: true },
  { key: "created", label: "When", about: "when it was made", number: true },
  { key: "bytes", label: "Size", about: "checkpoints on disk", number: true },
];
const DOWN_FIRST = new Set(["step", "created", "bytes"]);
const tables = new WeakMap();
// More new rows than a window holds are drawn in later frames, so that the first ones are there at once.
const FIRST = 30;
const FURTHER = 120;
// What was looked for outlives a visit to another page.
const asked = { find: "", whose: "", status: "", cell: "", key: "", down: false };

export default function ({ data, parentElement, setStateValue }) {
  let table = tables.get(parentElement);
  if (!table) {
    table = start(parentElement, (word) => setStateValue("ticked", word));
    tables.set(parentElement, table);
  }
  table.load(data);
  return () => tables.delete(parentElement);
}

function start(parent, tell) {
  const find = (selector) => parent.querySelector(selector);
  const [head, body, none, count] = [".head", ".body", ".none", ".count"].map(find);
  const fields = { find: find(".find"), whose: find(".whose"), status: find(".status"), cell: find(".cell") };
  const sort = find(".sort");
  const drawn = new Map(); // id -> {element, text}
  let data = { rows: [], ticked: [], heard: 0, chosen: "", statuses: {}, colors: {}, letters: "" };
  let ticked = [];
  let sent = 0;
  let order = "";
  let rest = 0;

  const all = buildHead(head, sort, { by: sortBy, all: tickAll });
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
    [asked.key, asked.down] = [sort.value, DOWN_FIRST.has(sort.value)];
    show();
  };

  function sortBy(key) {
    const first = DOWN_FIRST.has(key);
    if (asked.key !== key) [asked.key, asked.down] = [key, first];
    else if (asked.down === first) asked.down = !first;
    else [asked.key, asked.down] = ["", false]; // as it came: one's own first, the newest at the top
    show();
  }

  function say(ids) {
    ticked = ids;
    sent += 1;
    tell({ ids, count: sent });
    show();
  }

  function tick(id) {
    say(ticked.includes(id) ? ticked.filter((other) => other !== id) : [...ticked, id]);
  }

  function tickAll(on) {
    const ids = shown().map((row) => row.id);
    say(on ? [...new Set([...ticked, ...ids])] : ticked.filter((id) => !ids.includes(id)));
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

  function show(most = FIRST) {
    cancelAnimationFrame(rest);
    const rows = shown();
    const there = drawUpTo(rows, most);
    const now = there.map((row) => row.id).join();
    if (now !== order) {
      const focused = parent.activeElement || document.activeElement;
      body.replaceChildren(...there.map((row) => drawn.get(row.id).element));
      if (focused && body.contains(focused)) focused.focus({ preventScroll: true });
      order = now;
    }
    none.hidden = rows.length > 0;
    const empty = "There is no run yet: train one, or bring one in.";
    set(none.firstElementChild, data.rows.length ? "No run matches." : empty);
    find(".clear").hidden = !data.rows.length;
    const hidden = data.rows.length - rows.length;
    const marks = ticked.length ? `, ${ticked.length} ticked` : "";
    set(count, (hidden ? `${rows.length} of ${data.rows.length} runs` : `${rows.length} runs`) + marks);
    const on = rows.filter((row) => ticked.includes(row.id)).length;
    all.checked = on > 0 && on === rows.length;
    all.indeterminate = on > 0 && on < rows.length;
    for (const cell of head.querySelectorAll("[data-keys]")) {
      const here = cell.dataset.keys.split(" ").includes(asked.key);
      cell.setAttribute("aria-sort", here ? (asked.down ? "descending" : "ascending") : "none");
      for (const button of cell.querySelectorAll("button")) {
        button.classList.toggle("by", button.dataset.key === asked.key);
      }
    }
    sort.value = asked.key;
    if (there.length < rows.length) rest = requestAnimationFrame(() => show(FURTHER));
  }

  // The rows from the top, as far as no more than so many of them are new.
  function drawUpTo(rows, most) {
    let fresh = 0;
    const end = rows.findIndex((row) => !drawn.has(row.id) && ++fresh > most);
    const there = end < 0 ? rows : rows.slice(0, end);
    for (const row of there) draw(row);
    return there;
  }

  function draw(row) {
    let known = drawn.get(row.id);
    if (!known) {
      known = { element: buildRow(row.id, tick), text: "" };
      drawn.set(row.id, known);
    }
    const text = JSON.stringify(row);
    if (known.text !== text) {
      known.text = text;
      patch(known.element, row, data);
    }
    const on = ticked.includes(row.id);
    known.element.classList.toggle("ticked", on);
    known.element.classList.toggle("chosen", row.id === data.chosen);
    known.element.querySelector("input").checked = on;
    const compared = on && ticked.length >= 2 && ticked.length <= data.letters.length;
    set(known.element.querySelector(".letter"), compared ? data.letters[ticked.indexOf(row.id)] : "");
  }

  // What was ticked elsewhere, by a link or a button, comes into sight; the page itself stays where it is.
  function reveal() {
    const first = body.querySelector(".row.ticked");
    const table = find(".table");
    if (first && first.offsetTop + first.offsetHeight > table.scrollTop + table.clientHeight) {
      table.scrollTop = first.offsetTop - head.offsetHeight;
    }
  }

  return {
    load(given) {
      data = given;
      const moved = given.heard >= sent && given.ticked.join() !== ticked.join();
      if (given.heard >= sent) [ticked, sent] = [given.ticked, given.heard];
      const ids = new Set(given.rows.map((row) => row.id));
      for (const id of drawn.keys()) if (!ids.has(id)) drawn.delete(id);
      offer(fields.status, Object.keys(given.statuses), (status) => capital(status));
      offer(fields.cell, [...new Set(given.rows.map((row) => row.cell))].sort(), (cell) => cell);
      for (const [name, field] of Object.entries(fields)) {
        if (field.value !== asked[name]) field.value = asked[name];
        if (field.value !== asked[name]) asked[name] = field.value = ""; // its last run has gone
      }
      show();
      if (moved) reveal();
    },
  };
}

function buildHead(head, sort, act) {
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Tick all runs shown");
  all.onchange = () => act.all(all.checked);
  head.append(cell("tick", "columnheader", all));
  sort.append(new Option("Newest first", ""));
  for (const column of COLUMNS) {
    if (!column.still) sort.append(new Option(`By ${column.label.toLowerCase()}`, column.key));
    const button = document.createElement(column.still ? "span" : "button");
    button.textContent = column.label;
    button.title = column.about;
    if (column.still) button.className = "quiet";
    else {
      button.type = "button";
      button.dataset.key = column.key;
      button.onclick = () => act.by(column.key);
    }
    if (column.under) {
      const upper = head.querySelector(`.${column.under}`);
      upper.append(document.createTextNode(" · "), button);
      upper.dataset.keys += ` ${column.key}`;
      continue;
    }
    const made = cell(className(column), "columnheader", button);
    if (!column.still) made.dataset.keys = column.key;
    head.append(made);
  }
  return all;
}

function className(column) {
  const place = { step: "steps", created: "when" }[column.key] || column.key;
  return column.number ? `${place} number` : place;
}

function buildRow(id, tick) {
  const element = document.createElement("div");
  element.className = "row";
  element.setAttribute("role", "row");
  element.dataset.run = id;
  const box = document.createElement("input");
  box.type = "checkbox";
  box.onchange = () => tick(id);
  element.append(cell("tick", "cell", box, make("span", "letter")));
  element.append(cell("name", "cell", make("strong"), make("span", "quiet")));
  element.append(cell("status", "cell", make("span", "sign"), make("span", "word")));
  element.append(cell("model", "cell", make("span"), make("span", "quiet")));
  element.append(cell("bits number", "cell"), cell("perplexity number", "cell"));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "polyline"));
  element.append(cell("spark", "cell", svg));
  const bar = make("span", "bar");
  bar.append(document.createElement("i"));
  element.append(cell("steps number", "cell", make("span"), bar));
  element.append(cell("when number", "cell"), cell("bytes number", "cell"));
  element.onclick = (event) => {
    if (event.target !== box && !window.getSelection().toString()) tick(id);
  };
  return element;
}

function patch(element, row, { statuses, colors }) {
  const at = (name) => element.querySelector(`.${name}`);
  element.querySelector("input").setAttribute("aria-label", `Tick ${row.name}`);
  set(at("name").firstChild, row.name);
  at("name").title = row.name;
  set(at("name").lastChild, row.whose === "starter" ? "starter run" : row.whose === "others" ? "somebody else's" : "");
  at("status").className = `status ${row.status}`;
  at("status").title = statuses[row.status] || "";
  set(at("sign"), row.sign);
  set(at("word"), capital(row.status) + (row.place ? `, ${ordinal(row.place)}` : ""));
  set(at("model").firstChild, row.model);
  set(at("model").lastChild, row.text);
  set(at("bits"), figure(row.bits));
  at("bits").classList.toggle("unknown", row.bits === null);
  at("bits").title = row.best_step === null ? "not judged yet" : `lowest at step ${row.best_step.toLocaleString("en")}`;
  set(at("perplexity"), figure(row.perplexity));
  const line = element.querySelector("polyline");
  line.setAttribute("points", row.spark);
  line.style.stroke = colors[row.family];
  const planned = row.planned && row.step < row.planned ? ` / ${row.planned.toLocaleString("en")}` : "";
  set(at("steps").firstChild, row.step.toLocaleString("en") + planned);
  at("bar").hidden = row.status !== "running" || !row.planned;
  at("bar").style.display = at("bar").hidden ? "none" : "";
  at("bar").firstChild.style.width = `${Math.min(100, (100 * row.step) / (row.planned || 1))}%`;
  set(at("when"), row.whose === "starter" ? "" : moment(row.created));
  at("when").title = new Date(row.created * 1000).toLocaleString("en-GB");
  set(at("bytes"), row.bytes === null ? "" : size(row.bytes));
}

function comparing(key, down) {
  const sign = down ? -1 : 1;
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  return (one, other) => {
    const [a, b] = [one[key], other[key]];
    if (a === null || b === null) return (a === null) - (b === null); // what is not known stands last, either way
    return sign * (typeof a === "string" ? order.compare(a, b) : a - b);
  };
}

function offer(field, values, label) {
  const known = [...field.options].slice(1).map((option) => option.value);
  if (known.join() === values.join()) return;
  field.replaceChildren(field.options[0], ...values.map((value) => new Option(label(value), value)));
}

function make(tag, name = "") {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}

function cell(name, role, ...children) {
  const element = make("div", name);
  element.setAttribute("role", role);
  element.append(...children);
  return element;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}

function ordinal(place) {
  const ends = { one: "st", two: "nd", few: "rd", other: "th" };
  return place + ends[new Intl.PluralRules("en", { type: "ordinal" }).select(place)];
}

function figure(value) {
  if (value === null) return "";
  return value >= 1000 ? value.toLocaleString("en", { maximumSignificantDigits: 3 }) : Number(value).toPrecision(3);
}

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, place] = [bytes, 0];
  while (value >= 999.5 && place < units.length - 1) [value, place] = [value / 1000, place + 1];
  return `${place ? Number(value.toPrecision(value >= 100 ? 3 : 2)) : value} ${units[place]}`;
}

function moment(seconds) {
  const ago = Date.now() / 1000 - seconds;
  if (ago < 60) return "just now";
  if (ago < 3600) return `${Math.floor(ago / 60)} min ago`;
  if (ago < 86400) return `${Math.floor(ago / 3600)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}
