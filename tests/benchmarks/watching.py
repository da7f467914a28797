"""What the benchmarks of the app share: the app on a machine of its own, one page in Chromium, and lines of JSON.

    PYTHONPATH=.:tests/browser python tests/benchmarks/click_to_loss.py

is how each benchmark beside this file is started; `make bench` starts them all. They measure wall time: run them on
a quiet machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import chromium
import psutil
from playwright.sync_api import Page, sync_playwright
from server import Server, serving
from visits import Visitors, Visits

from engine.config import Config


@dataclass(frozen=True)
class Watched:
    """A running app and its first page, opened once before, so that nothing is measured cold."""

    server: Server
    visits: Visits
    page: Page

    @property
    def trainer(self) -> psutil.Process:
        """The process that forks the workers."""
        return next(
            child
            for child in psutil.Process(self.server.process.pid).children(recursive=True)
            if "playground.runs.trainer" in child.cmdline() and child.ppid() == self.server.process.pid
        )


@contextlib.contextmanager
def app(**settings: str) -> Iterator[Server]:
    """The app with an empty store, in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder, serving(Path(folder), **settings) as server:
        yield server


@contextlib.contextmanager
def watched(path: str = "train", **settings: str) -> Iterator[Watched]:
    """The app and a page of it in Chromium."""
    with app(**settings) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium.ensure(driver), args=list(chromium.FLAGS))
        visits = Visits(Visitors(browser), server.url)
        visits.open(path).close()
        yield Watched(server, visits, visits.open(path))
        visits.close()
        browser.close()


def long_run() -> Config:
    """The config of "First words", made to last: nothing ends while it is looked at."""
    return Config().with_values(units=128, embedding=48, steps=20_000, evaluations=1, sampling__length=0)


def link(config: Config) -> str:
    """The address of the page Train, set up with a config."""
    return f"train?config={quote(config.to_json())}"


def share(values: Sequence[float], part: float) -> float:
    """The smallest value that at least `part` of all do not exceed: 0.95 gives the p95."""
    ordered = sorted(values)
    place = max(0, -int(-part * len(ordered) // 1) - 1)
    return ordered[place]


def say(benchmark: str, **facts: Any) -> None:
    """One line of JSON, with what the machine was."""
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    print(json.dumps({"benchmark": benchmark, **facts, "cores": os.cpu_count(), "load": load}), flush=True)
