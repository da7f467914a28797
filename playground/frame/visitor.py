"""Who is looking: a browser, known again by a cookie that holds a random number and nothing else.

Until there are accounts, the runs of a visitor belong to this number: whoever comes back tomorrow, or in another tab,
may still rename and delete them. It is a key, so it is never shown.
"""

from __future__ import annotations

import re
import uuid

import streamlit as st

COOKIE = "unrolled_visitor"

_YEAR = 365 * 24 * 60 * 60  # seconds
_WELL_FORMED = re.compile(r"[0-9a-f]{32}")
_STATE = "visitor"


def visitor() -> str:
    """The visitor's number: from the cookie, or a new one."""
    if _STATE not in st.session_state:
        st.session_state[_STATE] = _given() if _WELL_FORMED.fullmatch(_given()) else uuid.uuid4().hex
    return st.session_state[_STATE]


def remember() -> None:
    """Leave the number with the browser, once a session; it is renewed with each, so that it lasts while it is used.

    A second tab that was opened at the same moment as the first keeps what the first has left.
    """
    known = _given() == visitor()
    unless = "false" if known else f"document.cookie.includes('{COOKIE}=')"
    st.html(
        f"<script>if (!({unless})) document.cookie = '{COOKIE}={visitor()}; path=/; max-age={_YEAR}; samesite=lax';"
        "</script>",
        unsafe_allow_javascript=True,
    )


def _given() -> str:
    """What the browser sent when the page was opened."""
    return str(st.context.cookies.get(COOKIE, ""))
