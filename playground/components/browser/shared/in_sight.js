// What stands in the middle of the window stays there while the page is laid out anew, as when its type grows.
const WATCHED = 1500; // ms in which a page finds its new layout
const TOP = 40; // px from the page's top within which it stays at its top

export function keepInSight() {
  const main = document.querySelector("[data-testid=stMain]");
  const middle = () => window.innerHeight / 2;
  const anchor = main && main.scrollTop > TOP ? elementAt(middle()) : null;
  if (!anchor) return;
  const box = anchor.getBoundingClientRect();
  const share = (middle() - box.top) / box.height;
  const end = performance.now() + WATCHED;
  const stop = new AbortController(); // whoever scrolls meanwhile has chosen another place
  for (const type of ["wheel", "touchmove", "pointerdown"]) window.addEventListener(type, () => stop.abort(), { signal: stop.signal });
  const follow = () => {
    if (stop.signal.aborted || !anchor.isConnected) return;
    const { top, height } = anchor.getBoundingClientRect();
    main.scrollTop += top + share * height - middle();
    if (performance.now() < end) requestAnimationFrame(follow);
    else stop.abort();
  };
  requestAnimationFrame(follow);
}

function elementAt(y) {
  const main = document.querySelector("[data-testid=stMainBlockContainer]")?.getBoundingClientRect();
  for (const share of main ? [0.5, 0.3, 0.7] : []) {
    for (const by of [0, 24, -24, 60, -60]) {
      const found = document.elementFromPoint(main.left + share * main.width, y + by);
      const element = found?.closest("[data-testid=stElementContainer]");
      if (element) return element;
    }
  }
  return null;
}
