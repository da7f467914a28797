"""An analysis in a fragment of a page: its progress moves, it can be cancelled, and its result takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_page import eventually
from playwright.sync_api import Page
from server import Server, serving
from visits import Visits

APP = Path(__file__).parent / "apps" / "jobs.py"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page that asks for an analysis of two seconds, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("jobs"), entry=APP) as server:
        yield server


def lines(page: Page) -> list[str]:
    """All that stands on the page, from top to bottom."""
    return [line for line in page.get_by_test_id("stMain").inner_text().split("\n") if line]


def percent(page: Page) -> int:
    """How far the analysis is, as its line says; 0 where there is none."""
    said = [line for line in lines(page) if line.startswith("Steady search at step 500:")]
    return int(said[0].split(":")[1].replace("\u2060", "").split("%")[0]) if said else 0


def test_an_analysis_is_cancelled_tried_again_and_its_result_drawn_in_its_place(visits: Visits) -> None:
    page = visits.open()
    first = eventually(page, "it says how far it is", lambda: percent(page))
    eventually(page, "it gets on", lambda: percent(page) > first)
    page.get_by_role("button", name="Cancel").click()
    eventually(page, "it is cancelled", lambda: "Cancelled." in lines(page))
    page.get_by_role("button", name="Try again").click()
    eventually(page, "it begins anew", lambda: percent(page))
    eventually(page, "the result is there", lambda: "Result: found at step 500." in lines(page))
    drawn = lines(page)
    assert drawn[:2] == ["Page drawn 1 times.", "Fragment drawn 4 times."], "once for each turn, without its page"
    assert drawn[2:] == ["Result: found at step 500.", "Below the result.", "The last element."]
    page.wait_for_timeout(1_000)
    assert lines(page) == drawn, "nothing asks any more"
