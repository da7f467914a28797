"""The page Unrolled under a finger, on a screen as wide as a phone's."""

from __future__ import annotations

import pytest
from app_page import eventually
from playwright.sync_api import FloatRect, Locator, Page
from unrolled_page import UnrolledPage
from visits import Visits, come_to_rest


@pytest.fixture
def page(visits: Visits) -> Page:
    """The page, on a phone."""
    opened = visits.open("unrolled", size="phone", touch=True)
    come_to_rest(opened)
    return opened


Point = tuple[float, float]


def _drag(page: Page, start: Point, end: Point, moves: int = 12) -> None:
    """Put a finger down, move it, and lift it."""
    finger = page.context.new_cdp_session(page)
    for move in range(moves + 1):
        x, y = (a + (b - a) * move / moves for a, b in zip(start, end, strict=True))
        kind = "touchMove" if move else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(16)  # as often as a screen tells of a finger
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _box(of: Locator) -> FloatRect:
    box = of.bounding_box()
    assert box is not None
    return box


def test_a_tap_chooses_a_column_and_a_drag_the_step(page: Page) -> None:
    unrolled = UnrolledPage(page)
    unrolled.network.sheet.locator(".column[data-t='24'] .cell .frame").first.tap()
    eventually(page, "the link has the timestep", lambda: "t=24" in page.url)
    eventually(page, "the bar has it too", lambda: unrolled.t == 25)
    box = _box(unrolled.bar.get_by_role("slider", name="Training step"))
    y = box["y"] + box["height"] / 2
    _drag(page, (box["x"] + box["width"] - 8, y), (box["x"] + box["width"] * 0.3, y))
    eventually(page, "the link has an earlier step", lambda: "step=" in page.url)
    eventually(page, "its network is drawn", lambda: 0 <= unrolled.network.step < 1000)


def test_a_swipe_over_the_picture_goes_along_the_text_or_down_the_page(page: Page) -> None:
    unrolled = UnrolledPage(page)
    window = unrolled.network.box.locator(".window")
    box = _box(window)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    newest = window.evaluate("box => box.scrollLeft")
    _drag(page, (x, y), (x + 120, y))
    eventually(page, "earlier columns stand there", lambda: window.evaluate("box => box.scrollLeft") < newest - 50)
    assert unrolled.main.evaluate("main => main.scrollTop") == 0
    _drag(page, (x, y), (x, y - 250))
    eventually(page, "what stands below comes up", lambda: unrolled.main.evaluate("main => main.scrollTop") > 100)
    assert "t=" not in page.url, "nothing was chosen by it"
