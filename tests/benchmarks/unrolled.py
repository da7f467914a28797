"""Unrolled in Chromium: scrub to repainted, opened to first real picture, and what following a live run costs.

Scrubbing is measured on an LSTM of 2 x 128 units with a probe of 100 characters. The clock runs inside the page: it
starts with the key's own event, and stops in the animation frame after the one in which the picture says the new step
and has other numbers written in it. Opening is measured from the navigation on, with an empty cache in a
browser profile of its own, and with a filled one in a new tab; in turn with it a Streamlit page of one sentence, which
is the least that any page takes. A live run trains on a core of its own; the app and the
browser share another, so that what the browser draws does not count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import chromium
import psutil
from app_page import eventually
from playwright.sync_api import Page, sync_playwright
from server import serving
from train_page import TrainPage
from unrolled_page import UnrolledPage, opened
from visits import SIZES, Visitors, Visits
from watching import link, say, share

from engine.config import Config
from playground.runs.store import Store

SCRUB_SECONDS, COLD_SECONDS, WARM_SECONDS = 0.3, 2.2, 1.0
UPDATES_PER_SECOND, THROUGHPUT = 2.0, 0.95
WORKER_CORE, APP_CORE = 0, 1

PROBE = (
    "The old man went down to the sea, and there he met a fisherman who had never in his life caught a fish at all."
)[:100]

_FIND = """const find = (selector, root = document) => {
  for (const one of root.querySelectorAll('[data-testid^="stBidiComponent"]')) {
    const within = [one, ...one.querySelectorAll('*')].map(node => node.shadowRoot).find(Boolean);
    const found = within && within.querySelector(selector);
    if (found) return found;
  }
  return null;
};"""

_OPENED = f"""() => new Promise(resolve => {{
  {_FIND}
  const look = () => {{
    if (find('svg.sheet text.norm')) requestAnimationFrame(() => resolve(performance.now()));
    else requestAnimationFrame(look);
  }};
  look();
}})"""

_BARE = """() => new Promise(resolve => {
  const look = () => {
    if (document.querySelector('[data-testid="stMarkdown"] p')) {
      requestAnimationFrame(() => resolve(performance.now()));
    } else requestAnimationFrame(look);
  };
  look();
})"""

# `what` is repainted once its words are others; of a scrub the numbers in the picture must be others too.
_REPAINTED = f"""([what, numbers]) => {{
  {_FIND}
  const read = () => [what, numbers].map(selector => selector && find(selector)?.textContent);
  const before = read();
  window.repainted = null;
  document.addEventListener('keydown', event => {{
    const pressed = event.timeStamp;
    const look = () => {{
      const now = read();
      if (now[0] !== before[0] && (!numbers || now[1] !== before[1])) {{
        requestAnimationFrame(() => {{ window.repainted = performance.now() - pressed; }});
      }} else requestAnimationFrame(look);
    }};
    requestAnimationFrame(look);
  }}, {{ capture: true, once: true }});
}}"""

_FOLLOW = f"""seconds => new Promise(resolve => {{
  {_FIND}
  const sheet = find('svg.sheet'), seen = [], started = performance.now();
  let known = null;
  const look = now => {{
    const words = find('.unrolled .where')?.textContent;
    if (words !== known) {{ seen.push(now); known = words; }}
    if (now - started < 1000 * seconds) requestAnimationFrame(look);
    else resolve({{ seen, same: find('svg.sheet') === sheet }});
  }};
  requestAnimationFrame(look);
}})"""


@dataclass(frozen=True)
class Bench:
    """A running app with an empty store, and its first visitor."""

    visits: Visits
    store: Store
    trainer: psutil.Process


@contextmanager
def running(**settings: str) -> Iterator[Bench]:
    """The app and a browser, visited once before, so that the app is not measured cold."""
    with (
        tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder,
        serving(Path(folder), **settings) as server,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium.ensure(driver), args=list(chromium.FLAGS))
        visits = Visits(Visitors(browser), server.url)
        visits.open("unrolled").close()
        trainer = next(
            child
            for child in psutil.Process(server.process.pid).children(recursive=True)
            if "playground.runs.trainer" in child.cmdline() and child.ppid() == server.process.pid
        )
        store = Store(f"sqlite:///{Path(folder) / 'store.db'}")
        yield Bench(visits, store, trainer)
        store.close()
        visits.close()
        browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scrubs", type=int, default=60)
    parser.add_argument("--openings", type=int, default=12)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    with running() as bench:
        page = opened(bench.visits, f"run={_trained(bench)}&probe={quote(PROBE)}&t=60")
        _say_scrubs(page, arguments.scrubs)
        page.page.close()
        _say_openings(bench.visits, arguments.openings)
        bench.visits.check()
    if not arguments.turns:
        return
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        sys.exit("The live run needs a core of its own: Linux, and two cores.")
    os.sched_setaffinity(0, {APP_CORE})  # the app and the browser, started from here, stay there too
    with running(UNROLLED_WORKERS="1", UNROLLED_THREADS="1") as bench:
        for thread in bench.trainer.threads():
            os.sched_setaffinity(thread.id, {WORKER_CORE})
        _say_live(bench, arguments.turns, arguments.seconds)
        bench.visits.check()


def _trained(bench: Bench) -> str:
    """A run of 2 x 128 units with a good dozen checkpoints."""
    config = Config().with_values(layers=2, units=128, steps=200, evaluations=2, sampling__length=0)
    train = TrainPage(bench.visits.open(link(config)))
    run = train.train()
    train.reaches("finished")
    train.page.close()
    return run


def _say_scrubs(page: UnrolledPage, count: int) -> None:
    """Along training with the slider, along time with the arrow keys."""
    slider = page.bar.get_by_role("slider", name="Training step")
    last = int(slider.get_attribute("max") or 0)
    back_and_forth = [*["ArrowLeft"] * last, *["ArrowRight"] * last]
    steps, times = [], []
    for place in range(count):
        slider.focus()
        steps.append(
            _repainted(page.page, back_and_forth[place % len(back_and_forth)], ".unrolled .where", "svg.sheet")
        )
    page.keys()
    for place in range(count):
        key = "ArrowLeft" if place // 20 % 2 == 0 else "ArrowRight"
        times.append(_repainted(page.page, key, ".arithmetic .place", ""))
    for name, seconds in (("scrub", steps), ("timestep", times)):
        say(
            f"unrolled_{name}",
            moves=len(seconds),
            p50=round(share(seconds, 0.5), 3),
            p95=round(share(seconds, 0.95), 3),
            max=round(max(seconds), 3),
            budget_p95=SCRUB_SECONDS,
        )


def _repainted(page: Page, key: str, what: str, numbers: str) -> float:
    page.evaluate(_REPAINTED, [what, numbers])
    page.keyboard.press(key)
    page.wait_for_function("window.repainted !== null", timeout=30_000)
    return page.evaluate("window.repainted") / 1000


def _say_openings(visits: Visits, count: int) -> None:
    """The page on a starter run, as a first visitor meets it and as one who has been there; beside a bare page."""
    times: dict[str, list[float]] = {name: [] for name in ("cold", "warm", "bare_cold", "bare_warm")}
    with tempfile.TemporaryDirectory(prefix="unrolled-bare-") as folder:
        entry = Path(folder) / "bare.py"
        entry.write_text('import streamlit as st\n\nst.write("bare")\n', encoding="utf-8")
        with serving(Path(folder), entry=entry) as bare:
            visits.visitors.browser.new_page().goto(bare.url)  # so that neither server is measured cold
            for _ in range(count):
                for prefix, url, opened in (("", f"{visits.base}/unrolled", _OPENED), ("bare_", bare.url, _BARE)):
                    _open_twice(visits, url, opened, times[f"{prefix}cold"], times[f"{prefix}warm"])
    for name, seconds in times.items():
        say(
            f"unrolled_opened_{name}",
            openings=len(seconds),
            p50=round(share(seconds, 0.5), 3),
            p95=round(share(seconds, 0.95), 3),
            max=round(max(seconds), 3),
            budget={"cold": COLD_SECONDS, "warm": WARM_SECONDS}.get(name),
        )


def _open_twice(visits: Visits, url: str, opened: str, cold: list[float], warm: list[float]) -> None:
    """Open a page with an empty cache and then with the one that this has filled."""
    width, height = SIZES["wide"]
    context = visits.visitors.browser.new_context(viewport={"width": width, "height": height})
    for seconds in (cold, warm):
        page = context.new_page()
        page.goto(url, wait_until="commit")
        seconds.append(page.evaluate(opened) / 1000)
        page.close()
    context.close()


def _say_live(bench: Bench, turns: int, seconds: float) -> None:
    """Turns with the page open and without, on one run that trains."""
    config = Config().with_values(layers=2, units=128, steps=20_000, evaluations=1, sampling__length=0)
    train = TrainPage(bench.visits.open(link(config)))
    run = train.train()
    train.page.goto("about:blank")
    watched, alone, updates, pauses, same = [], [], 0, [], True
    for _ in range(turns):
        alone.append(_steps_a_second(bench.store, run, lambda: time.sleep(seconds)))
        page = UnrolledPage(train.page.context.new_page())
        page.page.goto(f"{bench.visits.base}/unrolled?run={run}&probe={quote(PROBE)}")
        page.drawn()
        eventually(page.page, "the page follows", lambda page=page, first=page.network.step: page.network.step > first)
        found: list[dict] = []
        watched.append(
            _steps_a_second(
                bench.store, run, lambda page=page, found=found: found.append(page.page.evaluate(_FOLLOW, seconds))
            )
        )
        page.page.close()
        updates += len(found[0]["seen"]) - 1
        pauses += [(later - earlier) / 1000 for earlier, later in pairwise(found[0]["seen"])]
        same = same and found[0]["same"]
    say(
        "unrolled_live",
        turns=turns,
        updates_per_second=round(updates / (turns * seconds), 2),
        longest_pause=round(max(pauses), 3),
        budget_updates_per_second=UPDATES_PER_SECOND,
        drawn_anew=not same,
        steps_per_second_alone=round(statistics.median(alone), 2),
        steps_per_second_watched=round(statistics.median(watched), 2),
        throughput=round(statistics.median(ours / bare for ours, bare in zip(watched, alone, strict=True)), 3),
        budget_throughput=THROUGHPUT,
    )


def _steps_a_second(store: Store, run: str, meanwhile) -> float:
    """Training steps a second while something else happens, from the rows that the run writes."""
    first, started = _next_step(store, run)
    meanwhile()
    last, ended = _next_step(store, run)
    return (last - first) / (ended - started)


def _next_step(store: Store, run: str) -> tuple[int, float]:
    """The step of the next row that the run writes, and when."""
    known = store.run(run).step
    while (now := store.run(run).step) == known:
        time.sleep(0.002)
    return now, time.perf_counter()


if __name__ == "__main__":
    main()
