
// The keyboard of a page. It is on the document, and silent wherever a key already means something.
// A dialog that was just closed has the focus for a moment yet; the keys are the page's again.
const roles = (...names) => names.map((role) => `[role=${role}]`).join();
const WRITTEN_IN =
  "input, textarea, select, dialog[open], " +
  roles("textbox", "combobox", "listbox", "menu", "grid", "tree", "slider", "spinbutton", "dialog");
const GONE_THROUGH = roles("tablist", "radiogroup"); // with the keys of a slider; letters mean nothing there
const PRESSED = "button, a[href], summary, [role=button], [role=link], [role=checkbox], [role=switch]";
const OF_A_SLIDER = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);
const MOUNTED = Symbol.for("unrolled.keyboards"); // the newest one has the keys, so that two never double them

// `handle(key, repeated)` says whether it did anything; only then is the key taken from the page.
export function keyboard(slider, handle) {
  const mounted = (window[MOUNTED] ??= []);
  const self = {};
  let tabbed = false; // whether the focus came by Tab: then Space belongs to the focused button
  let spaceTaken = false;

  function onKeyDown(event) {
    if (event.key === "Tab") tabbed = true;
    if (mounted.at(-1) !== self || event.defaultPrevented || event.isComposing || modified(event)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!free(key, event.composedPath())) return;
    if (!handle(key, event.repeat)) return;
    event.preventDefault();
    spaceTaken = key === " ";
  }

  // Some browsers press a focused button when Space comes up, whatever became of its going down.
  function onKeyUp(event) {
    if (event.key !== " " || !spaceTaken) return;
    spaceTaken = false;
    event.preventDefault();
  }

  function onPointerDown() {
    tabbed = false;
  }

  function free(key, path) {
    if (path[0] === slider) return !OF_A_SLIDER.has(key);
    const elements = path.filter((node) => node instanceof Element);
    if (elements.some((element) => element.matches(WRITTEN_IN) || element.isContentEditable)) return false;
    if (elements.some((element) => element.matches(GONE_THROUGH))) return key !== " " && key !== "Enter" && !OF_A_SLIDER.has(key);
    return key !== " " || !tabbed || !elements.some((element) => element.matches(PRESSED));
  }

  const listeners = [["keydown", onKeyDown], ["keyup", onKeyUp], ["pointerdown", onPointerDown, true]];
  for (const [type, listener, capture] of listeners) document.addEventListener(type, listener, capture);
  mounted.push(self);
  return () => {
    for (const [type, listener, capture] of listeners) document.removeEventListener(type, listener, capture);
    if (mounted.includes(self)) mounted.splice(mounted.indexOf(self), 1);
  };
}

// On many keyboards the brackets need AltGr, which some systems report as Ctrl and Alt.
function modified(event) {
  if (event.shiftKey && event.key !== "?") return true;
  return (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
}
