import { setText } from "../shared/dom.js";

// Rows are only added and patched, so that an open text stays open while new samples arrive.
export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".ladder");
  const rows = data.rows;
  const known = new Map([...list.children].map((item) => [item.dataset.step, item]));
  const wanted = new Set(rows.map((row) => String(row.step)));
  for (const [step, item] of known) if (!wanted.has(step)) item.remove();
  let before = null;
  for (const row of rows) {
    let item = known.get(String(row.step));
    if (!item) {
      item = build(row);
      list.insertBefore(item, before ? before.nextSibling : list.firstChild);
    }
    patch(item, row, data);
    before = item;
  }
}

function build(row) {
  const item = document.createElement("li");
  item.dataset.step = row.step;
  const facts = document.createElement("div");
  facts.className = "facts";
  for (const [tag, name] of [["strong", "when"], ["span", "loss"], ["div", "note"]]) {
    const part = document.createElement(tag);
    part.className = name;
    facts.append(part);
  }
  const text = document.createElement("pre");
  const prompt = document.createElement("span");
  prompt.className = "prompt";
  text.append(prompt, document.createElement("span"));
  text.onclick = () => text.classList.toggle("open");
  item.append(facts, text);
  return item;
}

function patch(item, row, { prompt, who }) {
  setText(item.querySelector(".when"), `${who}step ${row.step.toLocaleString("en")}`);
  setText(item.querySelector(".loss"), row.loss);
  setText(item.querySelector(".note"), row.note);
  item.querySelector(".facts").classList.toggle("best", row.best);
  const text = item.querySelector("pre");
  setText(text.children[0], prompt);
  setText(text.children[1], row.text);
  text.classList.toggle("short", row.text.length < 220 && row.text.split("\n").length < 4);
}
