"""Commands that do not arrive: the browser says so where one that was clicked is not answered in time."""

from __future__ import annotations

import streamlit as st

from playground.components.component import Component

PATIENCE_MS = 8_000
"""How long a command may be on its way: the store itself may be busy for a while."""

LOST = (
    "No answer to the command: the connection to the app is slow or was lost. Wait until the page responds again, "
    "check the status of the run, and repeat the command if it had no effect."
)

_WATCH = Component("command_watch/watch")
_ANSWERED = "command_watch.answered"


def command_watch(*, key: str) -> None:
    """Watch over the buttons and fields whose keys begin with "command" and "live-setting".

    It is seen only when it speaks. Whoever carries a command out calls `answered`, also where it is refused.
    """
    _WATCH({"answered": st.session_state.get(_ANSWERED, 0), "patience": PATIENCE_MS, "said": LOST}, key=key)


def answered() -> None:
    """Tell the browser, with the next run of the page, that a command has arrived."""
    st.session_state[_ANSWERED] = st.session_state.get(_ANSWERED, 0) + 1
