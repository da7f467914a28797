// A text coloured by units: a token is chosen in it, a unit by its name. Letters are text nodes, colours lie behind them
// on a canvas; what stays the same is left alone, so that data may come at any time.

import { announcer } from "../shared/announce.js";
import { spelled, within } from "../shared/axis.js";
import { AXES, placeChannel } from "../shared/channel.js";
import { choices } from "../shared/choice.js";
import { colorsOf, inkOn } from "../shared/colors.js";
import { children, make, setText } from "../shared/dom.js";
import { takeAway } from "../shared/files.js";
import { shadePlaces, shadesOf } from "../shared/grid.js";
import { mounted } from "../shared/mount.js";
import { digits, floats } from "../shared/numbers.js";
import { buildKey, fillKey, scaleOf } from "../shared/scale.js";
import { snapshot } from "../shared/snapshot.js";
import { paintBands, placesOf, rowsOf } from "./bands.js";

export default mounted((parent, send) => {
  const find = (selector) => parent.querySelector(selector);
  const [root, page, text, canvas] = [".unit-text", ".page", ".text", "canvas"].map(find);
  const choice = choices(send, show);
  const places = placeChannel(receive);
  const aloud = announcer(find(".said"));
  const watcher = new ResizeObserver(arrange);
  watcher.observe(page);
  let [data, spans, written, shades, shadesFor] = [null, [], "", null, ""];
  let laid = null; // where the tokens stand
  let pointer = "";
  let pointed = null;
  document.fonts.ready.then(() => data && arrange());

  // ---- choosing

  function chosen() {
    const { [data.tokens.choice]: t, unit } = choice.shown();
    return { t: Number.isInteger(t) ? within(data.tokens, t) : null, unit: unit ?? null };
  }

  function choose(values, settled) {
    if (!data.choosable) return;
    choice.choose(values, settled);
    places.send(Object.fromEntries(Object.entries(values).filter(([name]) => AXES.includes(name))));
  }

  function receive(place) {
    if (!data) return;
    const mine = {};
    if (data.tokens.choice in place) mine[data.tokens.choice] = within(data.tokens, place[data.tokens.choice]);
    if ("unit" in place && place.unit < data.units) mine.unit = place.unit;
    if (Object.keys(mine).length) choice.receive(mine);
  }

  // ---- pointer and keyboard

  function tokenAt(event) {
    const span = event.target.closest?.(".token");
    if (span) return spans.indexOf(span);
    const frame = canvas.getBoundingClientRect();
    return underneath(event.clientX - frame.left, event.clientY - frame.top);
  }

  // The token whose bands lie at a point.
  function underneath(x, y) {
    const deep = laid.height - 1;
    return laid.places.findIndex((parts) => parts.some(([left, top, width]) => x >= left && x < left + width && y >= top && y < top + deep));
  }

  function point(token) {
    const to = token < 0 ? null : token;
    if (to === pointed) return;
    pointed = to;
    tell();
  }

  page.onpointermove = (event) => {
    const spot = `${event.clientX} ${event.clientY}`;
    if (spot !== pointer && laid) point(tokenAt(event)); // browsers also tell of one that rests, where the page moved
    pointer = spot;
  };
  page.onpointerleave = () => point(-1);
  page.onclick = (event) => {
    const token = tokenAt(event);
    if (token >= 0) choose({ [data.tokens.choice]: token }, true);
  };
  page.onkeydown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const here = (data.choosable ? chosen().t : pointed) ?? 0;
    const steps = {
      ArrowLeft: () => here - 1, ArrowRight: () => here + 1, ArrowUp: () => beside(here, -1), ArrowDown: () => beside(here, 1),
      Home: () => 0, End: () => Infinity, Enter: () => here,
    };
    if (!(event.key in steps)) return;
    event.preventDefault(); // also tells the page's own keys that this one is taken
    const token = within(data.tokens, steps[event.key]());
    point(data.choosable ? -1 : token); // a pointer that rests is not what is looked at now
    if (data.choosable) choose({ [data.tokens.choice]: token }, event.key === "Enter");
    spans[token].scrollIntoView({ block: "nearest" });
    aloud(() => `${spelled(data.tokens, token)}: ${data.lines.map((line) => `${line.name} ${digits(line.numbers[token])}`).join(", ")}`);
  };

  // The token in the row of text above or below that is nearest.
  function beside(token, by) {
    const row = laid.rows.findIndex(({ tokens }) => tokens.includes(token));
    const to = laid.rows[row + by];
    if (row < 0 || !to) return token;
    const left = (one) => laid.places[one][0][0];
    const far = (one) => Math.abs(left(one) - left(token));
    return to.tokens.reduce((best, one) => (far(one) < far(best) ? one : best));
  }

  // ---- what is seen

  function write() {
    const wanted = JSON.stringify(data.pieces);
    if (wanted === written) return;
    written = wanted;
    spans = data.pieces.map((piece) => make("span", piece === " " ? "token space" : piece === "\n" ? "token end" : "token", piece));
    text.replaceChildren(...spans);
    page.scrollTop = 0;
  }

  function list() {
    children(find(".lines"), data.lines.length, lineRow).forEach((row, at) => {
      const line = data.lines[at];
      const [name] = row.children;
      setText(name.firstElementChild, line.label);
      setText(name.lastElementChild, line.name);
      name.disabled = line.unit === null || !data.choosable;
      name.onclick = () => choose({ unit: line.unit }, true);
      fillKey(row.key, line, shades);
    });
    const marked = find(".marked");
    marked.hidden = !data.marks.some(Boolean);
    setText(marked.lastElementChild, data.marked);
  }

  function arrange() {
    if (!data || !page.clientWidth) return;
    const count = data.lines.length;
    root.classList.toggle("stacked", count > 1);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    const band = { high: 0.58 * rem, step: 0.66 * rem, gap: 0.12 * rem };
    const font = `${0.6 * rem}px ${getComputedStyle(root).getPropertyValue("--st-font")}`;
    const pen = canvas.getContext("2d");
    pen.font = font;
    const left = count > 1 ? Math.ceil(Math.max(...data.lines.map(({ label }) => pen.measureText(label).width))) + 12 : 0;
    text.style.setProperty("--deep", `${count > 1 ? band.gap + count * band.step : 0}px`);
    text.style.marginLeft = `${left}px`;
    const spots = placesOf(page, spans);
    const inset = text.offsetLeft;
    laid = { places: spots, rows: rowsOf(spots), band, font, left: inset, height: parseFloat(getComputedStyle(text).lineHeight), size: [page.clientWidth, text.offsetTop + text.offsetHeight] };
    show();
  }

  function show() {
    if (!laid) return;
    const { t, unit } = chosen();
    paintBands(canvas, { ...laid, lines: data.lines, shades, marks: data.marks, chosen: t });
    const { words } = data.lines[0].gate ? shades.gate : shades.signed;
    spans.forEach((span, token) => {
      const ink = data.lines.length > 1 ? "" : inkOn(words[data.lines[0].places[token]]);
      if (span.ink !== ink) span.style.color = span.ink = ink;
      span.classList.toggle("chosen", token === t);
    });
    for (const [at, row] of [...find(".lines").children].entries()) row.firstElementChild.setAttribute("aria-pressed", String(data.lines[at].unit !== null && data.lines[at].unit === unit));
    tell();
  }

  function tell() {
    const token = pointed ?? chosen().t;
    setText(find(".which"), pointed === null ? "selected" : "pointer");
    setText(find(".place"), token === null ? "" : spelled(data.tokens, token));
    [...find(".lines").children].forEach((row, at) => setText(row.lastElementChild, token === null ? "" : digits(data.lines[at].numbers[token])));
  }

  takeAway(find(".take-away"), () => data.file, printed, table);

  // The picture has to stand in the page while it is read, with nothing of it scrolled away.
  function printed() {
    root.classList.add("printed");
    arrange();
    const picture = snapshot(root);
    root.classList.remove("printed");
    arrange();
    find(".printing").replaceChildren(picture);
    setTimeout(() => find(".printing").replaceChildren(), 0);
    return picture;
  }

  function table() {
    const { tokens, lines, marks, marked } = data;
    const has = marks.length > 0;
    const heads = [tokens.title, "token", ...lines.map(({ name }) => name), ...(has ? [marked] : [])];
    const round = (value) => Number(value.toPrecision(7));
    return [heads, ...data.pieces.map((_, t) => [t + tokens.first, tokens.texts[t] ?? data.pieces[t], ...lines.map(({ numbers }) => round(numbers[t])), ...(has ? [Number(marks[t])] : [])])];
  }

  return {
    load(given) {
      const lines = given.lines.map(unpacked);
      data = { ...given, lines };
      choice.acknowledge({ [data.tokens.choice]: data.tokens.chosen, unit: data.unit }, given.acknowledged);
      if (pointed !== null && pointed >= data.pieces.length) pointed = null;
      page.setAttribute("aria-label", `${data.about} Arrow keys move along the text.`);
      root.classList.toggle("choosable", data.choosable);
      const colors = colorsOf(root);
      const wanted = JSON.stringify(colors);
      if (wanted !== shadesFor) shades = shadesOf(colors);
      shadesFor = wanted;
      write();
      list();
      arrange();
    },
    stop() {
      watcher.disconnect();
      aloud(null);
      for (const one of [choice, places]) one.stop();
    },
  };
});

function unpacked(line) {
  const [numbers, scale] = [floats(line.values), scaleOf(line)];
  return { ...line, ...scale, numbers, places: shadePlaces(numbers, scale.full) };
}

// Its name, which chooses its unit; its scale; its value.
function lineRow() {
  const row = make("div", "line");
  const name = make("button", "name");
  name.type = "button";
  name.append(make("b", "label"), " ", make("span"));
  row.key = buildKey();
  const scale = make("span", "ends");
  scale.append(row.key.element, row.key.note);
  row.append(name, scale, make("b", "now"));
  return row;
}
