"""Loops at the end of a text, against trying every start and every period."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.repetition import LEAST_TIMES, Loop, loop


def by_trying(text: str) -> Loop | None:
    for start in range(len(text)):
        end = text[start:]
        for period in range(1, len(end) // LEAST_TIMES + 1):
            if all(end[place] == end[place - period] for place in range(period, len(end))):
                return Loop(start, period)
    return None


@given(st.text("ab", max_size=40), st.text("abc", max_size=6), st.integers(0, 6))
def test_every_loop_is_found_where_it_begins(before: str, stretch: str, times: int) -> None:
    text = before + stretch * times
    assert loop(text) == by_trying(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("once upon a time", None),
        ("and so it was, and so it was", None),
        ("He said: the wolf and the wolf and the wolf and the w", Loop(8, 13)),
        ("no" + "a" * 50, Loop(2, 1)),
        ("la la la, she sang", None),
    ],
)
def test_what_is_a_loop_and_what_is_not(text: str, found: Loop | None) -> None:
    assert loop(text) == found


def test_a_long_text_takes_one_pass() -> None:
    assert loop("ab" * 50_000 + "c" * 5) == Loop(100_000, 1)
