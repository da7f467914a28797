// The step in slow motion: operation after operation, in the order in which they can be computed.

import { setText } from "../shared/dom.js";

const BEAT = 900; // milliseconds for one operation

// `show(at)` draws up to an operation, or the whole step for null.
export function player(bar, show) {
  const find = (name) => bar.querySelector(`.${name}`);
  let count = 0;
  let at = null;
  let timer = 0;

  function go(to) {
    at = to === null || to < 0 || to >= count ? null : to;
    setText(find("at"), at === null ? "" : `${at + 1} of ${count}`);
    find("end").hidden = at === null;
    show(at);
  }

  function label() {
    setText(find("play"), timer ? "❚❚ Pause" : at === null ? "▶ Play the step" : "▶ Resume");
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    label();
  }

  function on() {
    if (at === count - 1) pause();
    else go(at === null ? 0 : at + 1);
    label();
  }

  find("play").onclick = () => {
    if (timer) return pause();
    go(at === null || at === count - 1 ? 0 : at + 1);
    timer = setInterval(on, BEAT);
    label();
  };
  find("next").onclick = () => {
    pause();
    go(at === null ? 0 : at + 1);
    label();
  };
  find("back").onclick = () => {
    pause();
    go(at === null ? count - 1 : at - 1);
    label();
  };
  find("end").onclick = () => {
    pause();
    go(null);
    label();
  };

  return {
    // Another drawing begins with the whole step; the same one stays where it is.
    load(operations, fresh) {
      count = operations;
      if (fresh) pause();
      go(fresh ? null : at);
      label();
    },
    at: () => at,
    stop: () => clearInterval(timer),
  };
}
