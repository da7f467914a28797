"""A page keeps its order when its fragment runs before the browser was sent the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_page import eventually
from playwright.sync_api import Page
from server import Server, serving
from visits import Visits

APP = Path(__file__).parent / "apps" / "fragments.py"
BELOW = [line for number in range(3) for line in (f"Element {number}.", "beside another", "beside another")]

AGAIN = "Draw the page again"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with a fragment, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("fragments"), entry=APP) as server:
        yield server


def lines(page: Page) -> list[str]:
    """All that stands on the page, from top to bottom."""
    return [line for line in page.get_by_test_id("stMain").inner_text().split("\n") if line]


def test_every_element_keeps_its_place_when_the_fragment_overtakes_its_page(visits: Visits) -> None:
    page = visits.open()
    for drawn in (2, 4):
        expected = [
            f"Drawn {drawn} times",
            *BELOW,
            "A block in the fragment.",
            "The last element.",
            "Draw the page again",
        ]
        eventually(
            page, f"all is in order: {expected}", lambda now=expected: [line for line in lines(page) if line] == now
        )
        page.get_by_role("button", name=AGAIN).click()
