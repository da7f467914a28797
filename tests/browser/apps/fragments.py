"""A page whose fragment is asked for while the page is drawn, and runs before the browser was sent any of the page."""

import sys
import time
from functools import partial
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

from playground.frame.fragments import fragment, place

HELD = 0.5


def hold_the_server() -> None:
    """The server sends nothing for a while, as when a large library is imported on another thread."""
    loop = Runtime.instance()._get_async_objs().eventloop
    loop.call_soon_threadsafe(partial(time.sleep, HELD))


def ask_for_the_fragment() -> None:
    """What the browser does when the time of `run_every` is over."""
    context = get_script_run_ctx()
    data = RerunData(
        query_string=context.query_string,
        page_script_hash=context.page_script_hash,
        fragment_id=st.session_state.fragment,
        is_auto_rerun=True,
    )
    context.script_requests.request_rerun(data)


def body(claim: DeltaGenerator) -> None:
    """A sentence above the page and a block in its midst."""
    st.session_state.fragment = ThreadState.get().fragment_id
    st.session_state.drawn = st.session_state.get("drawn", 0) + 1
    claim.subheader(f"Drawn {st.session_state.drawn} times")
    (column,) = st.columns(1)
    column.write("A block in the fragment.")


hold_the_server()
claim = place("claim")
for number in range(3):
    st.write(f"Element {number}.")
    for side in st.columns(2):
        side.write("beside another")
fragment(body, key="body")(claim)
ask_for_the_fragment()
st.write("The last element.")
st.button("Draw the page again")
