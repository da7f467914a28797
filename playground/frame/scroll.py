"""Back to the top of a page, where what was started further down is shown there."""

from __future__ import annotations

import time

import streamlit as st

_ASKED = "scroll.asked"
_SECONDS = 2.0
"""For so long each run of the page brings the script, since one may be cut short; the browser runs it once."""


def ask_for_top() -> None:
    """Have the page go to its top with its next run."""
    count, _ = st.session_state.get(_ASKED, (0, 0.0))
    st.session_state[_ASKED] = count + 1, time.monotonic() + _SECONDS


def to_top() -> None:
    """Where a page stands that may have been asked to go to its top."""
    count, until = st.session_state.get(_ASKED, (0, 0.0))
    if time.monotonic() < until:
        st.html(
            f"<script>/* {count} */ document.querySelector('[data-testid=stMain]').scrollTop = 0;</script>",
            unsafe_allow_javascript=True,
        )
