import { keyboard } from "../shared/keys.js";
import { choices } from "../shared/choice.js";
import { keepInSight } from "../shared/in_sight.js";
import { mounted } from "../shared/mount.js";

// Presenter mode on a page that has no selection bar, which has its own button and keys.
export default mounted((parent, send) => {
  const button = parent.querySelector("button");
  const choice = choices(send, draw);
  const on = () => Boolean(choice.shown().present);
  const present = (wanted) => {
    keepInSight();
    choice.choose({ present: wanted }, true);
    return true;
  };
  const keys = { p: () => present(!on()), Escape: () => on() && present(false) };
  const silence = keyboard(null, (key, repeated) => Boolean(!repeated && keys[key]?.()));

  function draw() {
    const about = on() ? "Leave presenter mode (Esc)" : "Presenter mode (P)";
    button.setAttribute("aria-pressed", String(on()));
    button.setAttribute("aria-label", about);
    button.title = about;
  }

  button.onclick = () => present(!on());
  return {
    load({ present: now, acknowledged }) {
      choice.acknowledge({ present: now }, acknowledged);
      draw();
    },
    stop() {
      choice.stop();
      silence();
    },
  };
});
