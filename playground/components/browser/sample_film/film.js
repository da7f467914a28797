import { mounted } from "../shared/mount.js";

const FRAME_MS = 1100;
const HOLD_MS = 4500; // the last sample is the one worth reading

export default mounted((parent) => {
  const find = (selector) => parent.querySelector(selector);
  const [step, loss, text, button, range] = [".step", ".loss", ".text", ".play", "input"].map(find);
  let rows = [];
  let prompt = "";
  let place = 0;
  let playing = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  let timer = 0;

  function show(next) {
    place = Math.max(0, Math.min(next, rows.length - 1));
    const row = rows[place];
    if (!row) return;
    step.textContent = `step ${row.step.toLocaleString("en")}`;
    loss.textContent = row.loss;
    const begun = document.createElement("span");
    begun.className = "prompt";
    begun.textContent = prompt;
    text.replaceChildren(begun, document.createTextNode(row.text));
    range.value = String(place);
    range.setAttribute("aria-valuetext", step.textContent);
  }

  function wait() {
    clearTimeout(timer);
    button.textContent = playing ? "❚❚" : "▶";
    if (playing && rows.length > 1) {
      timer = setTimeout(() => {
        show((place + 1) % rows.length);
        wait();
      }, place === rows.length - 1 ? HOLD_MS : FRAME_MS);
    }
  }

  button.onclick = () => {
    playing = !playing;
    wait();
  };
  range.oninput = () => {
    playing = false;
    show(Number(range.value));
    wait();
  };
  return {
    load(data) {
      const first = rows.length === 0;
      rows = data.rows;
      prompt = data.prompt;
      range.max = String(Math.max(0, rows.length - 1));
      show(first && !playing ? rows.length - 1 : place);
      wait();
    },
    stop: () => clearTimeout(timer),
  };
});
