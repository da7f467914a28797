import { mounted } from "../shared/mount.js";

// A command is a click on a button of these containers, or another value in a field of them. The app answers each by
// counting it: one that is not counted in time did not arrive, and that is said until a later one is.
const BUTTONS = '[class*="st-key-command"] button, [class*="st-key-live-setting"] button';
const SETTINGS = '[class*="st-key-live-setting"]';
const FIELDS = '[class*="st-key-live-setting"] input';

export default mounted((root) => {
  const note = root.querySelector(".lost");
  let answered = 0;
  let patience = 0; // ms
  let said = "";
  let before = null; // the value of the field that has the focus
  const open = []; // {due: the count that answers it, timer, of: the setting that it changes}

  // Of two quick changes of one setting the app may hear of the last alone: only that one is waited for.
  function sent(of = null) {
    const earlier = of === null ? -1 : open.findIndex((one) => one.of === of);
    if (earlier >= 0) clearTimeout(open.splice(earlier, 1)[0].timer);
    const due = Math.max(answered, ...open.map((one) => one.due)) + 1;
    open.push({ due, of, timer: setTimeout(lost, patience) });
  }

  function lost() {
    note.textContent = said;
    note.hidden = false;
  }

  function clicked({ target }) {
    const button = target.closest?.(BUTTONS);
    if (button && !button.disabled) sent(button.closest(SETTINGS));
  }

  function focused({ target }) {
    if (target.matches?.(FIELDS)) before = Number(target.value);
  }

  function changed({ target }) {
    if (!target.matches?.(FIELDS) || Number(target.value) === before) return;
    if (target.value === "" || target.validity.rangeUnderflow || target.validity.rangeOverflow) return; // sent by nobody
    before = Number(target.value);
    sent(target.closest(SETTINGS));
  }

  const heard = { click: clicked, focusin: focused, change: changed };
  for (const [name, hear] of Object.entries(heard)) document.addEventListener(name, hear, true);
  return {
    load(data) {
      [patience, said] = [data.patience, data.said];
      if (data.answered === answered) return;
      answered = data.answered;
      while (open.length && open[0].due <= answered) clearTimeout(open.shift().timer);
      if (!open.length) note.hidden = true;
    },
    stop() {
      for (const { timer } of open) clearTimeout(timer);
      for (const [name, hear] of Object.entries(heard)) document.removeEventListener(name, hear, true);
    },
  };
});
