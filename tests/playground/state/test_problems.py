"""Sentences above a page: each is seen once, and for a moment longer while a page runs itself again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from playground.state import note_problem, problems, take_problems


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds pass, in a session of its own."""
    clock = [100.0]
    session: dict[str, Any] = {}
    monkeypatch.setattr(problems, "st", SimpleNamespace(session_state=session))
    monkeypatch.setattr(problems, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def pass_(seconds: float) -> None:
        clock[0] += seconds

    return pass_


def test_a_sentence_waits_for_the_run_that_shows_it(wait: Callable[[float], None]) -> None:
    note_problem("No name.")
    wait(60.0)
    assert take_problems() == ["No name."]


def test_it_outlasts_runs_that_follow_at_once_and_no_later_one(wait: Callable[[float], None]) -> None:
    note_problem("No name.")
    assert take_problems() == ["No name."]
    wait(problems.SHOWN_SECONDS - 1.0)
    assert take_problems() == ["No name."]
    wait(30.0)
    assert take_problems() == []


def test_there_is_a_bound(wait: Callable[[float], None]) -> None:
    for number in range(problems.MOST_PROBLEMS + 3):
        note_problem(f"Sentence {number}.")
    assert len(take_problems()) == problems.MOST_PROBLEMS
