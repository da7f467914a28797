import { mounted } from "../shared/mount.js";

const SHOWN = 2000; // ms that the button says that it is done
const LABEL = "Copy link";

// The address is read when the button is pressed: it then holds all that is chosen.
export default mounted((root) => {
  const button = root.querySelector(".copy");
  const label = root.querySelector(".label");
  const field = root.querySelector(".address");
  let timer = 0;

  function say(text) {
    label.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => (label.textContent = LABEL), SHOWN);
  }

  // A page that is not served by HTTPS or from this machine may not write to the clipboard: its address is selected,
  // ready to be copied by hand.
  function offer(address) {
    field.value = address;
    field.hidden = false;
    field.focus();
    field.select();
    say("Press Ctrl+C to copy");
  }

  label.textContent = LABEL;
  button.onclick = () => {
    const address = window.location.href;
    field.hidden = true;
    if (!navigator.clipboard) offer(address);
    else navigator.clipboard.writeText(address).then(() => say("Link copied"), () => offer(address));
  };
  return {
    load() {},
    stop() {
      clearTimeout(timer);
    },
  };
});
