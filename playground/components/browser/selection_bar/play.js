const TEMPO = 667; // ms a training step is played for at least

// One step after the other, each when the one before is drawn. `next(begins)` says whether there is another after it.
export function play({ next, ready, changed }) {
  let timer = 0;
  let on = false;

  function turn(to) {
    if (on !== to) changed((on = to));
    clearTimeout(timer);
    if (on) timer = setTimeout(goOn, TEMPO);
  }

  function goOn() {
    if (ready()) turn(next(false));
    else timer = setTimeout(goOn, 50);
  }

  return { toggle: () => turn(!on && next(true)), stop: () => turn(false) };
}
