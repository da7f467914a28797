"""Take the README's pictures with the browser of the tests: `make screenshot`.

    python tests/browser/screenshot.py [FOLDER]

The pages show what a new visitor sees: a starter run, at 1280 x 800.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import chromium
from app_page import eventually
from generate_page import GeneratePage
from playwright.sync_api import sync_playwright
from server import ROOT, serving
from train_page import TrainPage
from unrolled_page import opened
from visits import Visitors, Visits

TARGET = ROOT / "docs"


def take(target: Path) -> None:
    """Save the pictures of Train, Unrolled and Generate in the folder `target`."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium.ensure(driver), args=list(chromium.FLAGS))
        visits = Visits(Visitors(browser), server.url)
        _train(visits, target / "train.png")
        _unrolled(visits, target / "unrolled.png")
        _generate(visits, target / "generate.png")
        visits.check()
        visits.close()
        browser.close()


def _train(visits: Visits, target: Path) -> None:
    """Once the chart, the lines to beat and the newest sample are there."""
    visits.open("train").close()  # has the lines to beat computed
    train = TrainPage(visits.open("train"))

    def all_there() -> bool:
        return len(train.loss.rows("baseline")) >= 4 and bool(train.loss.values("validation"))

    for _ in range(20):
        if all_there():
            break
        train.page.wait_for_timeout(500)
        train.reload()
    eventually(train.page, "the loss and the lines to beat are drawn", all_there)
    train.page.wait_for_timeout(500)  # the fonts
    train.page.screenshot(path=str(target))


def _unrolled(visits: Visits, target: Path) -> None:
    """Once the network is drawn over its probe."""
    page = opened(visits)
    page.page.wait_for_timeout(500)  # the fonts
    page.page.screenshot(path=str(target))


def _generate(visits: Visits, target: Path) -> None:
    """Once the text is written and what is copied in it is marked."""
    page = GeneratePage(visits.open("generate"))
    page.written(tokens=200)
    eventually(page.page, "what is copied is known", lambda: page.page.get_by_text("training text").count() > 1)
    page.page.wait_for_timeout(500)  # the fonts
    page.page.screenshot(path=str(target))


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
