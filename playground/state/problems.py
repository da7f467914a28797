"""Sentences for the visitor on what cannot be; the frame shows them above the page."""

from __future__ import annotations

import time

import streamlit as st

SHOWN_SECONDS = 3.0
"""How long a sentence stays on a page that runs itself again."""

MOST_PROBLEMS = 5
"""Sentences that stand above a page at most."""

_STATE = "problems"


def note_problem(sentence: str) -> None:
    """Note a sentence for the visitor.

    A page may run itself again at once, as while a text is written: a sentence outlasts the runs of `SHOWN_SECONDS`.
    """
    noted: dict[str, float | None] = st.session_state.setdefault(_STATE, {})
    if sentence in noted or len(noted) < MOST_PROBLEMS:
        noted[sentence] = None


def take_problems() -> list[str]:
    """The sentences to be shown now: those noted since the last call, and those first shown a moment before."""
    noted: dict[str, float | None] = st.session_state.pop(_STATE, {})
    now = time.monotonic()
    shown = {sentence: when for sentence, when in noted.items() if when is None or now - when < SHOWN_SECONDS}
    st.session_state[_STATE] = {sentence: now if when is None else when for sentence, when in shown.items()}
    return [*shown]
