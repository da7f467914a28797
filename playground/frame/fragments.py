"""Parts of a page that run again without the rest of it, each alone in a container of the page's own.

What a fragment draws must not be what keeps other things in their place. A fragment that is asked for while its page is
drawn starts right after it, and what it drew along with the page is dropped if the browser was not sent it yet; that
the page is complete the browser hears nevertheless. It then takes out what did not come, all below moves up by a place,
and what comes next goes to wrong places: Streamlit 1.67 leaves a blank page. In a container that the page itself has
drawn, nothing stands below to be moved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

P = ParamSpec("P")


def fragment(body: Callable[P, None], *, key: str, run_every: float | None = None) -> Callable[P, None]:
    """What draws `body` here as a fragment, every `run_every` seconds again; `key` is its container's."""

    def draw(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container(key=key):
            st.fragment(body, run_every=run_every)(*args, **kwargs)

    return draw


def place(key: str) -> DeltaGenerator:
    """A place for one element outside a fragment, which the fragment fills; `key` is its container's.

    The fragment has to write there in every run, the aborted ones too: Streamlit keeps its place by that.
    """
    return st.container(key=key).empty()
