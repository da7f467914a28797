"""Where things stand on a page: nothing empty above it, and what one came for above the fold."""

from __future__ import annotations

import pytest
from app_page import PAGES, AppPage
from playwright.sync_api import Page
from visits import SIZES, Size, Visits, come_to_rest, sideways_overflow

# The top of the highest thing of the page that is drawn, in pixels.
_TOP = """main => {
  const kinds = "h1, h2, h3, p, button, label, canvas, [data-testid=stBidiComponentIsolated]";
  const drawn = [...main.querySelectorAll(kinds)];
  const fixed = ".st-key-frame-presenter, [data-testid=stHeader]";
  const tops = drawn.filter((one) => !one.closest(fixed)).map((one) => one.getBoundingClientRect());
  return Math.min(...tops.filter((box) => box.height > 4).map((box) => box.top));
}"""

# Whether the middle of the element is what a click there would meet.
_FREE = """element => {
  const { left, top, width, height } = element.getBoundingClientRect();
  const met = document.elementFromPoint(left + width / 2, top + height / 2);
  return Boolean(met) && (element === met || element.contains(met));
}"""


def test_no_empty_band_stands_above_a_page(visits: Visits) -> None:
    app = AppPage(visits.open())
    for name in PAGES:
        app.go_to(name)
        come_to_rest(app.page)
        assert 8 <= app.main.evaluate(_TOP) <= 60, name
        assert app.page.get_by_test_id("stMainMenu").locator("button").evaluate(_FREE), name


@pytest.mark.parametrize("path", ["train", "runs"])
def test_a_phone_has_its_menus_beside_nothing_of_the_page(visits: Visits, path: str) -> None:
    page = visits.open(path, size="phone", theme="dark")
    come_to_rest(page)
    menu, sidebar = page.get_by_test_id("stMainMenu").locator("button"), page.get_by_test_id("stExpandSidebarButton")
    assert menu.evaluate(_FREE)
    assert sidebar.evaluate(_FREE)
    below = max(_bottom(page, "stMainMenu"), _bottom(page, "stExpandSidebarButton"))
    assert page.get_by_test_id("stMain").evaluate(_TOP) >= below
    assert sideways_overflow(page) <= 0


def _bottom(page: Page, name: str) -> float:
    box = page.get_by_test_id(name).bounding_box()
    assert box
    return box["y"] + box["height"]


@pytest.mark.parametrize("run", ["tales-lstm", "tales-words"])
def test_what_a_run_writes_stands_above_the_fold_beside_its_curve(visits: Visits, run: str) -> None:
    size: Size = "wide"
    page = visits.open(f"train?run={run}", size=size)
    chart = page.get_by_test_id("stVegaLiteChart").first
    text = page.locator(".st-key-live").get_by_test_id("stBidiComponentIsolated").first
    text.wait_for()
    come_to_rest(page)
    curve, sample = chart.bounding_box(), text.bounding_box()
    assert curve
    assert sample
    assert curve["y"] + curve["height"] <= sample["y"] + 1
    assert sample["y"] + min(sample["height"], 60) <= SIZES[size][1]
