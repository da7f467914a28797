"""From the click of a link to the first table of the page Runs, with 500 runs of 1,000 metric rows each.

Each opening is a tab of its own in one browser profile, so that the cache is filled and the session is not. The clock
is the browser's: it starts with the navigation and stops in the animation frame after the one in which the table has
more rows than the window shows, and again when it has all of them.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import chromium
from playwright.sync_api import sync_playwright
from server import serving
from visits import Visitors, Visits
from watching import say, share

from engine.config import Config
from playground.runs.records import Evaluation, Metric
from playground.runs.store import Store
from playground.runs.store.starter_files import ORDER

BUDGET_SECONDS = 1.0
A_WINDOW = 25
"""Rows; a window 800 pixels high shows about twelve."""

CELLS = ("rnn", "gru", "lstm", "lstm-peephole")
STATUSES = ("finished", "finished", "finished", "stopped", "paused", "diverged", "interrupted", "failed")

CLOCK = """rows => new Promise(resolve => {
  const look = () => {
    const found = document.querySelector('.st-key-runs [data-testid^="stBidiComponent"]');
    const within = found && [found, ...found.querySelectorAll('*')].map(one => one.shadowRoot).find(Boolean);
    const drawn = within ? within.querySelectorAll('.row').length : 0;
    if (drawn >= rows) requestAnimationFrame(() => resolve(performance.now()));
    else requestAnimationFrame(look);
  };
  look();
})"""


def fill(store: Store, runs: int, rows: int) -> None:
    """Runs as a busy term would leave them: several cells and sizes, most of them finished."""
    draw = random.Random(7)
    for place in range(runs):
        cell = CELLS[place % len(CELLS)]
        units = draw.choice((32, 64, 128, 256))
        config = Config().with_values(cell=cell, units=units, steps=2 * rows, training__seed=place)
        run = store.create_run(config, name=f"{cell} {units}, take {place}", start=False)
        floor, status = draw.uniform(1.3, 2.1), STATUSES[place % len(STATUSES)]
        losses = [floor + 2.5 / (1 + step / 40) + draw.gauss(0, 0.02) for step in range(rows)]
        metrics = [
            Metric(2 * step, loss, 1.0, 0.9, 1e-2, 1.0, 1e5, step / 100, step / 110) for step, loss in enumerate(losses)
        ]
        judged = Evaluation(2 * rows - 2, floor, floor / 0.6931, floor, True, False, rows / 100, rows / 110)
        store.record(
            run,
            [*metrics, judged],
            status=status,
            step=2 * rows - 2,
            planned_steps=2 * rows,
            best_loss=floor,
            best_step=2 * rows - 2,
            val_loss=floor,
            last_loss=losses[-1],
            parameters=units * units * 8,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--openings", type=int, default=12)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder:
        began = time.monotonic()
        store = Store(f"sqlite:///{Path(folder) / 'store.db'}")
        fill(store, arguments.runs, arguments.rows)
        store.close()
        filled = time.monotonic() - began
        with serving(Path(folder)) as server, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium.ensure(driver), args=list(chromium.FLAGS))
            visits = Visits(Visitors(browser), server.url)
            first = visits.open("runs")
            seconds, whole = [], []
            for _ in range(arguments.openings):
                page = first.context.new_page()
                page.goto(f"{server.url}/runs", wait_until="commit")
                total = arguments.runs + len(ORDER)
                seconds.append(page.evaluate(CLOCK, min(total, A_WINDOW)) / 1000)
                whole.append(page.evaluate(CLOCK, total) / 1000)
                page.close()
            visits.check()
            visits.close()
            browser.close()
    say(
        "runs_page",
        runs=arguments.runs,
        rows_each=arguments.rows,
        openings=len(seconds),
        p50=round(share(seconds, 0.5), 3),
        p95=round(share(seconds, 0.95), 3),
        max=round(max(seconds), 3),
        all_rows_p50=round(share(whole, 0.5), 3),
        filling=round(filled, 1),
        budget=BUDGET_SECONDS,
    )


if __name__ == "__main__":
    main()
