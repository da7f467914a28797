"""Choices of the browser: which message counts, and that only what fits is taken."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from playground.components.choice import acknowledged, chosen, fitting, place

FITS = {"t": place(3), "folded": lambda value: isinstance(value, bool)}


@pytest.mark.parametrize(
    ("kept", "count"),
    [
        ({}, 0),
        ({"chosen": None}, 0),
        ({"chosen": {"count": 7}}, 7),
        ({"chosen": {"count": "7"}}, 0),
        ({"chosen": {"count": -7}}, 0),
        ({"chosen": {"count": True}}, 0),
        ({"chosen": [7]}, 0),
    ],
)
def test_only_a_whole_count_is_acknowledged(monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any], count: int) -> None:
    monkeypatch.setattr(st, "session_state", {"panel": kept})
    assert acknowledged("panel") == count
    assert acknowledged("another") == 0
    assert chosen("panel", FITS) == {}


def test_what_was_chosen_last_is_read_from_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"panel": {"chosen": {"count": 2, "t": 1, "folded": True}}})
    assert chosen("panel", FITS) == {"t": 1, "folded": True}
    assert chosen("another", FITS) == {}


@pytest.mark.parametrize("value", [3, -1, True, 1.0, "1", None, [1], float("nan")])
def test_what_is_no_place_is_left_out_and_the_rest_taken(value: object) -> None:
    assert fitting({"count": 1, "t": value, "folded": False}, FITS) == {"folded": False}


@pytest.mark.parametrize("message", [None, "t", 5, [], {}, {"count": 1}, {"run": "another"}])
def test_a_message_that_is_none_has_no_effect(message: object) -> None:
    assert fitting(message, FITS) == {}
