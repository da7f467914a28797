import { drawTokens, listen } from "../token_strip/tokens.js";

// All texts are here already: the slider only draws another one, without asking the app.
export default function ({ data, parentElement }) {
  const range = parentElement.querySelector("input");
  const frames = data.frames;
  range.max = String(Math.max(0, frames.length - 1));
  if (range.dataset.at !== String(data.at)) {
    range.dataset.at = String(data.at);
    range.value = String(Math.max(0, frames.findIndex((frame) => frame.step === data.at)));
  }
  const show = () => {
    const frame = frames[Number(range.value)];
    if (!frame) return;
    const when = `step ${frame.step.toLocaleString("en")}`;
    parentElement.querySelector(".when").textContent = when;
    parentElement.querySelector(".note").textContent = frame.note;
    range.setAttribute("aria-valuetext", when);
    const waiting = { text: `${when} queued`, pieces: [], hundredths: [], full: data.full, copied: [], forced: [], chosen: -1, prompt: "" };
    const strip = frame.strip || { ...waiting, label: when, empty: "The text of this step is still being generated." };
    listen(drawTokens(parentElement, { ...strip, legend: true }), null);
  };
  range.oninput = show;
  show();
}
