"""From the click on Train to the first loss point painted, 20 times, in Chromium.

The clock runs inside the page: it starts with the click's own event, and stops in the first animation frame after
the one in which the chart holds a training point of the new run.
"""

from __future__ import annotations

import argparse

from app_page import VEGA_VIEW
from train_page import TrainPage
from watching import say, share, watched

BUDGET_SECONDS = 0.5

_CLOCK = f"""() => {{
  const find = {VEGA_VIEW};
  const first = () => {{
    const chart = document.querySelector('[data-testid="stVegaLiteChart"]');
    const view = chart && find(chart);
    let rows = [];
    try {{ rows = view ? view.data('source') : []; }} catch (error) {{ return null; }}
    const row = rows.find(row => row.series === 'training' && Number.isFinite(row.value));
    return row ? `${{row.label}} ${{row.step}} ${{row.seconds}} ${{row.value}}` : null;
  }};
  window.measured = null;
  const before = first();
  document.addEventListener('click', event => {{
    const clicked = event.timeStamp;
    const look = () => {{
      const now = first();
      if (now && now !== before) requestAnimationFrame(() => {{ window.measured = performance.now() - clicked; }});
      else requestAnimationFrame(look);
    }};
    requestAnimationFrame(look);
  }}, {{ capture: true, once: true }});
}}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=20)
    arguments = parser.parse_args()
    seconds = []
    with watched("train?preset=first-words") as bench:
        train = TrainPage(bench.page)
        for _ in range(arguments.clicks):
            bench.page.evaluate(_CLOCK)
            train.press("Train")
            bench.page.wait_for_function("window.measured !== null", timeout=60_000)
            seconds.append(bench.page.evaluate("window.measured") / 1000)
            train.press("Stop")
            train.reaches("stopped")
        bench.visits.check()
    say(
        "click_to_loss",
        clicks=len(seconds),
        p50=round(share(seconds, 0.5), 3),
        p95=round(share(seconds, 0.95), 3),
        max=round(max(seconds), 3),
        budget_p95=BUDGET_SECONDS,
    )


if __name__ == "__main__":
    main()
