"""Gates in Chromium: a change of step, unit or order to the new picture, and opened to the first one.

The network is an LSTM of 256 units with a probe of 100 characters: six panels of 256 by 100. The clock runs inside the
page: it starts with the event of the key or of the click, and stops in the animation frame after the one in which the
first heatmap has other pixels, or says another unit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import quote

import torch
from gates_page import GatesPage, opened
from playwright.sync_api import Page
from unrolled import PROBE, Bench, running
from watching import say, share

from engine.config import Config
from engine.data import prepare
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint

SECONDS, OPEN_SECONDS = 0.3, 1.0
STEPS = 12

_FIND = """const all = selector => [...document.querySelectorAll('[data-testid^="stBidiComponent"]')].flatMap(one =>
  [one, ...one.querySelectorAll('*')].map(node => node.shadowRoot).filter(Boolean)
    .flatMap(root => [...root.querySelectorAll(selector)]));"""

# What the first heatmap shows: a line of its pixels, and what is said of the chosen cell.
_STATE = f"""{_FIND}
const state = () => {{
  const canvas = all('.grid')[0];
  if (!canvas || !canvas.width) return '';
  const middle = canvas.getContext('2d').getImageData(canvas.width >> 1, 0, 1, canvas.height).data;
  return middle.join() + (all('.heatmaps .readout')[0]?.textContent ?? '');
}};"""

_ARMED = f"""type => {{
  {_STATE}
  const before = state();
  window.repainted = null;
  document.addEventListener(type, event => {{
    const began = event.timeStamp;
    const look = () => {{
      if (state() !== before) requestAnimationFrame(() => {{ window.repainted = performance.now() - began; }});
      else requestAnimationFrame(look);
    }};
    requestAnimationFrame(look);
  }}, {{ capture: true, once: true }});
}}"""

_OPENED = f"""() => new Promise(resolve => {{
  {_STATE}
  const look = () => (state() ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look));
  look();
}})"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=40, help="changes of each kind")
    parser.add_argument("--openings", type=int, default=10, help="openings of the page")
    given = parser.parse_args()
    with running() as bench:
        link = f"run={_run(bench)}&probe={quote(PROBE)}&unit=5&t=50"
        page = opened(bench.visits, link)
        _say("a change of training step to the new picture", _pressed(page, ",", ".", given.changes), SECONDS)
        _say("a change of unit", _pressed(page, "[", "]", given.changes), SECONDS)
        _say("a change of timestep", _pressed(page, "ArrowLeft", "ArrowRight", given.changes), SECONDS)
        _say("another order of the units", _sorted(page, given.changes // 2), SECONDS)
        _say("opened, with a filled cache", _openings(bench, page.page, link, given.openings), OPEN_SECONDS)


def _say(what: str, seconds: Sequence[float], limit: float) -> None:
    facts = {"p50_s": statistics.median(seconds), "p95_s": share(seconds, 0.95), "limit_s": limit}
    say("gates", what=what, times=len(seconds), **{name: round(value, 3) for name, value in facts.items()})


def _run(bench: Bench) -> str:
    """A run of 256 units with weights at a few steps, as a finished one has them; its id."""
    config = Config().with_values(corpus="tales", units=256, embedding=32, steps=STEPS)
    vocabulary = prepare(config.data).vocabulary
    run = bench.store.create_run(config, name="Measured", start=False)
    for step in range(STEPS):
        weights = LanguageModel(config.model, len(vocabulary), seed=step).state_dict()
        tensors = {f"model.{name}": torch.as_tensor(values) for name, values in weights.items()}
        checkpoint = Checkpoint(step, False, config, "0" * 64, vocabulary.to_json(), STEPS, tensors=tensors)
        bench.store.put_checkpoint(run, checkpoint)
    return run


def _pressed(page: GatesPage, back: str, on: str, times: int) -> list[float]:
    """Seconds from a key to the new picture, of two keys in turn."""
    press = page.page.keyboard.press
    page.page.evaluate("() => document.activeElement && document.activeElement.blur()")
    return [_timed(page.page, "keydown", partial(press, on if place % 2 else back)) for place in range(times)]


def _sorted(page: GatesPage, times: int) -> list[float]:
    """The same of the order, from the click on it in its list."""
    found = []
    for place in range(times):
        page.main.get_by_label("Order of units").click()
        entry = page.page.get_by_role("option", name="by mean" if place % 2 == 0 else "as stored")
        entry.wait_for()
        found.append(_timed(page.page, "click", entry.click))
    return found


def _timed(page: Page, event: str, act: Callable[[], object]) -> float:
    page.evaluate(_ARMED, event)
    act()
    page.wait_for_function("() => window.repainted !== null", timeout=20_000)
    page.wait_for_timeout(250)  # what follows the picture belongs to no change
    return float(page.evaluate("() => window.repainted")) / 1000


def _openings(bench: Bench, beside: Page, link: str, times: int) -> list[float]:
    """Seconds from the navigation to the first heatmap, each in a new tab of the same browser."""
    found = []
    for _ in range(times):
        tab = beside.context.new_page()
        tab.goto(f"{bench.visits.base}/gates?{link}", wait_until="commit")
        found.append(float(tab.evaluate(_OPENED)) / 1000)
        tab.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
