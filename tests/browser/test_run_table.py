"""The table of runs alone: which rows stand in it, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator
from stage import Blank, Stage

from playground.components import run_table
from playground.runs.records import STATUSES

PAINTED = 50
"""Milliseconds after which the rows follow that come after the first."""

Table = Callable[..., Stage]


def row(place: int) -> dict[str, Any]:
    """A run, as the table gets it."""
    return {
        **dict.fromkeys(("perplexity_text", "spark", "bytes_text"), ""),
        **dict.fromkeys(("perplexity", "best_step", "bytes", "planned", "place"), 0),
        **{"id": f"run-{place}", "name": f"LSTM {place}", "status": "finished", "sign": "✓", "family": "lstm"},
        **{
            "cell": "LSTM",
            "model": "LSTM 64",
            "text": "Tales",
            "bits": 2.0 + place % 7,
            "bits_text": f"{2 + place % 7}",
        },
        **{"step": 100, "created": 1.7e9 + place, "whose": "mine"},
    }


def data_of(state: dict[str, Any]) -> dict[str, Any]:
    """What the table is to draw: the newest run first."""
    return {
        "rows": [row(place) for place in reversed(range(state["rows"]))],
        "ticked": state["ticked"],
        "chosen": "run-0",
        "statuses": dict(STATUSES),
        "letters": "ABCD",
    }


@pytest.fixture
def table(blank: Blank) -> Table:
    """Opens a page with so many runs in the table, these of them ticked."""

    def opened(rows: int, *ticked: str) -> Stage:
        state = {"rows": rows, "ticked": list(ticked)}
        stage = Stage(blank.open(), run_table._TABLE, data_of, lambda _: {"ids": lambda _: True}, state)
        stage.show()
        return stage

    return opened


def rows(stage: Stage) -> Locator:
    return stage.page.locator(".body .row")


def test_a_long_table_shows_its_first_runs_before_all_others(table: Table) -> None:
    stage = table(60)
    assert rows(stage).count() == 30
    assert stage.page.locator(".count").inner_text() == "60 runs"
    stage.run(PAINTED)
    assert rows(stage).count() == 60


def test_what_comes_or_is_asked_before_the_others_are_there_draws_all(table: Table) -> None:
    stage = table(60)
    stage.show(rows=61)
    assert rows(stage).count() == 61
    stage.take_away()
    stage.run(PAINTED)
    stage.show(rows=60)
    assert rows(stage).count() == 30
    stage.page.get_by_role("button", name="Bits").click()
    assert rows(stage).count() == 60
    stage.run(PAINTED)
    levels = [float(text) for text in rows(stage).locator(".bits").all_text_contents()]
    assert levels == sorted(levels)


def test_a_table_that_grows_long_keeps_the_focus(table: Table) -> None:
    stage = table(30)
    last = rows(stage).last.get_by_role("checkbox")
    last.focus()
    stage.show(rows=31)
    assert rows(stage).last.get_by_role("checkbox").evaluate("box => box.matches(':focus')")


def test_a_ticked_run_far_down_comes_into_sight(table: Table) -> None:
    stage = table(60, "run-9")
    stage.run(PAINTED)
    box = rows(stage).nth(50).bounding_box()
    frame = stage.page.locator(".table").bounding_box()
    assert box is not None
    assert frame is not None
    assert frame["y"] < box["y"] < frame["y"] + frame["height"]
