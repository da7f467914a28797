"""Lessons that one page asks for and another sets up, and the starter runs that they are told with."""

from __future__ import annotations

import streamlit as st

VANISHING = "vanishing"
"""Gradients of one loss in an LSTM and an RNN before training, on the page Unrolled."""

VANISHING_TITLE = "Vanishing gradients: LSTM vs RNN"
LONG, SHORT = "tales-lstm", "tales-rnn"
"""The starter runs that are compared there."""

_ASKED = "lessons.asked"


def ask(name: str) -> None:
    """Have the page that is opened next set a lesson up."""
    st.session_state[_ASKED] = name


def take() -> str:
    """The lesson that was asked for; each is taken once. "" for none."""
    asked: str = st.session_state.pop(_ASKED, "")
    return asked
