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
    noted: dict[str, float] = st.session_state.setdefault(_STATE, {})
    if sentence in noted or len(noted) < MOST_PROBLEMS:
        noted[sentence] = time.monotonic()


def take_problems() -> list[str]:
    """The sentences to be shown now: those noted since the last call, and those of a moment before."""
    noted: dict[str, float] = st.session_state.pop(_STATE, {})
    now = time.monotonic()
    st.session_state[_STATE] = {sentence: when for sentence, when in noted.items() if now - when < SHOWN_SECONDS}
    return list(noted)
