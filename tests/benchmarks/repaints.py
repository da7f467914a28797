"""Updates a second of the live loss chart over ten seconds of training, and whether it was ever built anew."""

from __future__ import annotations

import argparse
from itertools import pairwise

from app_page import VEGA_VIEW, eventually
from train_page import TrainPage
from watching import link, long_run, say, share, watched

_WATCH = f"""seconds => new Promise(done => {{
  const find = {VEGA_VIEW};
  const chart = () => document.querySelector('[data-testid="stVegaLiteChart"]');
  const view = find(chart()), canvas = chart().querySelector('canvas');
  const updates = [], started = performance.now();
  let mounts = 0, frames = 0, known = null, seen = canvas;
  const look = now => {{
    frames += 1;
    const shown = chart() && chart().querySelector('canvas');
    if (shown !== seen) {{ mounts += 1; seen = shown; }}
    const rows = find(chart()) === view ? view.data('source') : [];
    const last = rows.filter(row => row.series === 'training').map(row => row.step).reduce((a, b) => Math.max(a, b), 0);
    if (last !== known) {{ updates.push(now); known = last; }}
    if (now - started < 1000 * seconds) requestAnimationFrame(look);
    else done({{ updates, mounts, frames, same: find(chart()) === view }});
  }};
  requestAnimationFrame(look);
}})"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with watched(link(long_run())) as bench:
        train = TrainPage(bench.page)
        train.train()
        eventually(bench.page, "the loss is drawn", lambda: len(train.loss.values("training")) > 2)
        found = bench.page.evaluate(_WATCH, arguments.seconds)
        train.press("Stop")
        train.reaches("stopped")
        bench.visits.check()
    updates = found["updates"]
    pauses = [later - earlier for earlier, later in pairwise(updates)]
    say(
        "repaints",
        seconds=arguments.seconds,
        updates_per_second=round((len(updates) - 1) / arguments.seconds, 2),
        longest_pause=round(max(pauses) / 1000, 3) if pauses else None,
        median_pause=round(share(pauses, 0.5) / 1000, 3) if pauses else None,
        built_anew=found["mounts"] + (not found["same"]),
        frames_per_second=round(found["frames"] / arguments.seconds, 1),
        budget_updates_per_second=4,
    )


if __name__ == "__main__":
    main()
