import { announcer } from "../shared/announce.js";
import { AXES, placeChannel } from "../shared/channel.js";
import { choices } from "../shared/choice.js";
import { setText } from "../shared/dom.js";
import { keepInSight } from "../shared/in_sight.js";
import { mounted } from "../shared/mount.js";
import { keyboard } from "../shared/keys.js";
import { play } from "./play.js";
import { scrubber } from "./scrubber.js";

// The one place where training step, timestep, layer and unit are chosen: by pointer, by key, or played through.
const NEWEST = -1;

export default mounted((parent, send) => {
  const find = (selector) => parent.querySelector(selector);
  const [bar, playing, legend] = [".selection", ".play", ".legend"].map(find);
  let data = null;
  const choice = choices(send, draw);
  const places = placeChannel(receive);
  const line = scrubber(find(".scrubber"), { scrub: (step) => toStep(step), settle: () => choice.settle() });
  const player = play({ next: playOn, ready: choice.answered, changed: drawPlay });
  const aloud = announcer(find(".said"));

  // ---- places in the network

  const size = (axis) => ({ t: data.names.length, layer: data.layers, unit: data.units })[axis];
  const within = (axis, place) => Math.max(0, Math.min(size(axis) - 1, place));

  function goTo(axis, place) {
    choice.choose({ [axis]: within(axis, place) });
    const { t, layer, unit } = choice.shown();
    places.send({ t, layer, unit });
  }

  const go = (axis, by) => goTo(axis, within(axis, choice.shown()[axis]) + by);

  function receive(place) {
    if (data) choice.receive(Object.fromEntries(Object.entries(place).map(([axis, at]) => [axis, within(axis, at)])));
  }

  // ---- steps of training

  function stepShown() {
    const { step } = choice.shown();
    if (step !== NEWEST) return step;
    return data.newest ? data.step : (data.steps.at(-1) ?? data.step);
  }

  // The last that is not after the one looked at; one past the end where the newest weights are not kept.
  function placeInSteps() {
    const step = stepShown();
    const { length } = data.steps;
    if (choice.shown().step === NEWEST) return data.steps.at(-1) === step ? length - 1 : length;
    const after = data.steps.findIndex((other) => other > step);
    return (after < 0 ? length : after) - 1;
  }

  function toStep(step, settled = false) {
    player.stop();
    choice.choose({ step }, settled);
  }

  function goStep(by) {
    const place = placeInSteps() + by;
    if (place >= 0 && place < data.steps.length) toStep(data.steps[place]);
    else if (by > 0 && data.live) toStep(NEWEST);
  }

  function toggleNewest() {
    if (choice.shown().step !== NEWEST) toStep(NEWEST, true);
    else if (data.steps.length) toStep(data.steps.at(-1), true);
  }

  // One step further; whether there is another after it.
  function playOn(begins) {
    const last = data.steps.length - 1;
    let place = placeInSteps() + 1;
    if (place > last && begins) place = 0;
    if (place > last) return false;
    choice.choose({ step: data.steps[place] }, true);
    return place < last;
  }

  function nextNotation() {
    const keys = data.notations.map(([key]) => key);
    choice.choose({ notation: keys[(keys.indexOf(choice.shown().notation) + 1) % keys.length] });
  }

  function present(on) {
    keepInSight();
    choice.choose({ present: on }, true);
  }

  function toggleLegend() {
    if (legend.open) legend.close();
    else legend.showModal();
  }

  // ---- keys: each says whether it did anything

  const along = (axis, by) => () => size(axis) > 1 && (go(axis, by), aloud(() => spoken(axis)), true);
  const step = (by) => () => data.steps.length > 1 && (goStep(by), aloud(line.words), true);
  const once = (act) => (repeated) => (repeated || act(), true);
  const keys = {
    ArrowLeft: along("t", -1),
    ArrowRight: along("t", 1),
    ArrowDown: along("layer", -1),
    ArrowUp: along("layer", 1),
    "[": along("unit", -1),
    "]": along("unit", 1),
    ",": step(-1),
    ".": step(1),
    " ": (repeated) => data.steps.length > 1 && once(player.toggle)(repeated),
    p: once(() => present(!choice.shown().present)),
    Escape: () => choice.shown().present && (present(false), true),
    m: once(nextNotation),
    "?": once(toggleLegend),
  };
  const silence = keyboard(find(".scrubber input"), (key, repeated) => Boolean(data && keys[key]?.(repeated)));

  // ---- what is seen

  function draw() {
    const now = choice.shown();
    line.show(stepShown(), now.step === NEWEST);
    const place = placeInSteps();
    refuse(find(".back"), place <= 0);
    refuse(find(".on"), place >= data.steps.length - 1 && !(data.live && now.step !== NEWEST));
    refuse(playing, data.steps.length < 2);
    drawNewest(find(".live"), data.live, now.step === NEWEST);
    for (const axis of AXES) drawStepper(axis, within(axis, now[axis]));
    setText(find(".token"), data.names[within("t", now.t)] ?? "");
    bar.classList.toggle("presenting", now.present);
    find(".present").setAttribute("aria-pressed", String(now.present));
    const name = data.notations.find(([key]) => key === now.notation)?.[1] ?? "";
    setText(find(".notation span"), name);
    find(".notation").setAttribute("aria-label", `Notation: ${name}. Next`);
  }

  function drawStepper(axis, place) {
    const stepper = find(`.stepper.${axis}`);
    const [word, form] = data.labels[axis];
    const at = (selector) => stepper.querySelector(selector);
    setText(at(".word"), word);
    const name = axis === "unit" ? nameOf(place) : "";
    setText(at(".extent"), name || extent(size(axis)));
    at(".caption").title = name;
    refuse(at(".less"), place <= 0);
    refuse(at(".more"), place >= size(axis) - 1);
    stepper.classList.toggle("alone", size(axis) < 2);
    stepper.setAttribute("aria-label", spoken(axis));
    for (const [name, said] of [["less", "Previous"], ["more", "Next"]]) {
      const about = `${said} ${word}`;
      at(`.${name}`).setAttribute("aria-label", about);
      at(`.${name}`).title = `${about} (${at(`.${name} kbd`).textContent})`;
    }
    const field = at("input");
    if (!field) return setText(at(".number"), form.replace("{}", place + data.first));
    Object.assign(field, { min: data.first, max: data.first + size(axis) - 1, disabled: size(axis) < 2 });
    field.setAttribute("aria-label", `${word} ${extent(size(axis))}`);
    if (parent.activeElement !== field || field.dataset.place !== String(place)) field.value = place + data.first;
    field.dataset.place = place;
  }

  const extent = (length) => (data.first ? `of ${length}` : `0 to ${length - 1}`);

  function spoken(axis) {
    const place = within(axis, choice.shown()[axis]);
    const [word] = data.labels[axis];
    const name = axis === "t" ? data.names[place] : axis === "unit" ? nameOf(place) : "";
    return `${word} ${place + data.first} ${extent(size(axis))}` + (name || axis === "t" ? `, ${name ?? ""}` : "");
  }

  const nameOf = (unit) => data.unit_names[`${within("layer", choice.shown().layer)}:${unit}`] ?? "";

  function listKeys() {
    for (const row of legend.querySelectorAll(".more")) row.remove();
    for (const [key, about] of data.keys) {
      const row = find(".legend dl div").cloneNode(true);
      row.className = "more";
      row.querySelector("dd").textContent = about;
      row.querySelectorAll("kbd").forEach((cap, place) => (place ? cap.remove() : (cap.textContent = key)));
      legend.querySelector("dl").append(row);
    }
  }

  // Widths that hold the longest of what may stand there: a button must not move away under the pointer.
  function measure() {
    const letters = Math.max(1, ...data.names.map((name) => [...name].length));
    bar.style.setProperty("--token", `${Math.min(letters, 8) + 1}ch`);
    for (const axis of AXES) {
      const longest = data.labels[axis][1].replace("{}", size(axis) - 1 + data.first);
      find(`.stepper.${axis}`).style.setProperty("--number", `${[...longest].length + 0.5}ch`);
    }
  }

  function drawPlay(on) {
    playing.classList.toggle("running", on);
    const about = on ? "Pause" : "Play through training";
    playing.setAttribute("aria-label", about);
    playing.title = `${about} (Space)`;
  }

  function typed(field) {
    const place = Number.parseInt(field.value, 10) - data.first;
    delete field.dataset.place; // what cannot be is drawn over with what is
    if (Number.isNaN(place)) draw();
    else goTo("unit", place);
  }

  function listen() {
    const act = (selector, run) => {
      find(selector).onclick = (event) => {
        if (event.currentTarget.getAttribute("aria-disabled") !== "true") run();
      };
    };
    act(".play", player.toggle);
    act(".back", () => goStep(-1));
    act(".on", () => goStep(1));
    act(".live", toggleNewest);
    act(".present", () => present(!choice.shown().present));
    act(".notation", nextNotation);
    act(".keys", toggleLegend);
    act(".close", toggleLegend);
    for (const axis of AXES) {
      act(`.${axis} .less`, () => go(axis, -1));
      act(`.${axis} .more`, () => go(axis, 1));
    }
    const field = find(".unit input");
    field.onchange = () => typed(field);
    field.onfocus = () => field.select();
    field.onkeydown = ({ key }) => {
      if (key === "Escape") field.value = within("unit", choice.shown().unit) + data.first;
      if (key === "Escape" || key === "Enter") field.blur();
    };
    legend.onclick = ({ target }) => {
      if (target === legend) legend.close();
    };
    legend.onkeydown = (event) => {
      if (event.key !== "?") return;
      event.preventDefault(); // on the document it would open the legend again
      legend.close();
    };
  }

  listen();
  drawPlay(false);
  return {
    load(given) {
      const fixed = ({ names, labels, layers, units, first, keys } = {}) => JSON.stringify([names, labels, layers, units, first, keys]);
      const other = fixed(given) !== fixed(data ?? {});
      data = given;
      const { t, layer, unit, notation } = given;
      choice.acknowledge({ step: given.newest ? NEWEST : given.step, t, layer, unit, notation, present: given.present }, given.acknowledged);
      line.load(given);
      if (other) {
        measure();
        listKeys();
      }
      draw();
    },
    stop() {
      player.stop();
      choice.stop();
      line.stop();
      silence();
      aloud(null);
      places.stop();
    },
  };
});

function drawNewest(button, live, on) {
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("trains", live);
  setText(button.querySelector("span"), live ? "Live" : "Newest");
  button.title = live ? "Follow the run as it trains" : "The newest weights of the run";
}

// Not `disabled`: a button that is loses the focus, and with it the keys.
function refuse(button, no) {
  button.setAttribute("aria-disabled", String(no));
}
