"""Generate in Chromium: from the click on Write to the first token painted, and tokens a second through the page.

The run is an LSTM of 256 units on the built-in text, its weights as they are at the first step: what is measured does
not depend on what it has learned. The clock runs inside the page: it starts with the click's own event, and stops in
the animation frame after the one in which a token of the new text stands in the strip.
"""

from __future__ import annotations

import argparse
import statistics

from generate_page import GeneratePage
from train_page import TrainPage
from watching import link, say, share, watched

from engine.config import Config

FIRST_SECONDS = 0.3
TOKENS_PER_SECOND = 2_000

_CLOCK = """wanted => {
  const page = () => {
    for (const box of document.querySelectorAll('.st-key-generate-texts *')) {
      const found = box.shadowRoot && box.shadowRoot.querySelector('.page');
      if (found) return found;
    }
    return null;
  };
  const before = page().drawn.text;
  window.first = window.all = null;
  document.addEventListener('click', event => {
    const clicked = event.timeStamp;
    const look = () => {
      const drawn = page() && page().drawn;
      if (drawn && drawn.text !== before && drawn.count > 0) {
        requestAnimationFrame(() => { window.first ??= performance.now() - clicked; });
        if (drawn.count >= wanted) {
          requestAnimationFrame(() => { window.all = performance.now() - clicked; });
          return;
        }
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--length", type=int, default=5_000)
    parser.add_argument("--units", type=int, default=256)
    arguments = parser.parse_args()
    config = Config().with_values(cell="lstm", units=arguments.units, steps=1, seconds=0.0)
    first, rates = [], []
    with watched(link(config)) as bench:
        train = TrainPage(bench.page)
        run = train.train()
        train.reaches("finished")
        bench.page.goto(f"{bench.visits.base}/generate?run={run}&length={arguments.length}")
        page = GeneratePage(bench.page)
        page.written(tokens=arguments.length)
        for _ in range(arguments.clicks):
            bench.page.evaluate(_CLOCK, arguments.length)
            page.press("Write")
            bench.page.wait_for_function("window.all !== null", timeout=120_000)
            first.append(bench.page.evaluate("window.first") / 1000)
            rates.append(arguments.length / bench.page.evaluate("window.all") * 1000)
            page.written(tokens=arguments.length)
        bench.visits.check()
    say(
        "click_to_text",
        clicks=len(first),
        first_p50=round(share(first, 0.5), 3),
        first_p95=round(share(first, 0.95), 3),
        budget_first=FIRST_SECONDS,
        tokens_per_second_median=round(statistics.median(rates)),
        tokens_per_second_least=round(min(rates)),
        budget_tokens_per_second=TOKENS_PER_SECOND,
    )


if __name__ == "__main__":
    main()
