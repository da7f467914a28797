"""Generate, while it writes: a text streams, and Stop ends it where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_page import eventually
from generate_page import GeneratePage
from server import Server, serving
from visits import Visits

APP = Path(__file__).parent / "apps" / "slow_writing.py"
LENGTH = 5_000


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page with a writer that nobody is too slow for, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("writing"), entry=APP) as server:
        yield server


def _writes(page: GeneratePage) -> int:
    """How many tokens stand there, while more are to come."""
    return page.strip.tokens.count() if page.strips and page.strip.writing else 0


def test_write_streams_and_stop_ends_it_where_it_is(visits: Visits) -> None:
    page = GeneratePage(visits.open(f"?length={LENGTH}&seed=3"))
    for _ in range(2):
        before = eventually(page.page, "it is being written", lambda: _writes(page))
        eventually(page.page, "it grows", lambda: before < _writes(page))  # noqa: B023
        page.press("Stop")
        page.says("Stopped at").wait_for()
        eventually(page.page, "it shows that no more comes", lambda: not page.strip.writing)
        assert before < page.strip.tokens.count() < LENGTH
        page.press("Generate")
