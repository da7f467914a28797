"""Parts of a page that run again without the rest of it, each alone in a container of the page's own.

What a fragment draws must not be what keeps other things in their place. A fragment that is asked for while its page is
drawn starts right after it, and what it drew along with the page is dropped if the browser was not sent it yet; that
the page is complete the browser hears nevertheless. It then takes out what did not come, all below moves up by a place,
and what comes next goes to wrong places: Streamlit 1.67 leaves a blank page. In a container that the page itself has
drawn, nothing stands below to be moved.

When the whole page is asked for while a fragment runs, Streamlit stops the fragment and starts the page at once, in
another thread. The page takes back the places outside its fragments before the fragment has noticed that it is to
stop: that what it writes there has no place is no fault then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitInvalidLayoutContextError
from streamlit.runtime.scriptrunner import RerunData, StopException, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

P = ParamSpec("P")


def fragment(body: Callable[P, None], *, key: str, run_every: float | None = None) -> Callable[P, None]:
    """What draws `body` here as a fragment, every `run_every` seconds again; `key` is its container's."""

    @wraps(body)
    def stoppable(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            body(*args, **kwargs)
        except StreamlitInvalidLayoutContextError:
            _end_if_stopped()
            raise

    def draw(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container(key=key):
            st.fragment(stoppable, run_every=run_every)(*args, **kwargs)

    return draw


def current() -> str | None:
    """The fragment that is being drawn, for `rerun`; None outside of any."""
    return ThreadState.get().fragment_id


def rerun(fragment_id: str | None) -> NoReturn:
    """End what is drawn, and draw a fragment anew: from within one inside it, for which Streamlit has no command.

    The page is drawn where there is no such fragment, or where it is being drawn already.
    """
    context = get_script_run_ctx()
    if fragment_id is None or context is None or context.script_requests is None or not context.fragment_ids_this_run:
        st.rerun()
    request = RerunData(
        query_string=context.query_string,
        page_script_hash=context.page_script_hash,
        fragment_id_queue=[fragment_id],
        is_fragment_scoped_rerun=True,
        cached_message_hashes=context.cached_message_hashes,
        context_info=context.context_info,
    )
    context.script_requests.request_rerun(request)
    st.empty()  # ends this run: see `_end_if_stopped`
    raise StopException


def _end_if_stopped() -> None:
    """Ends a run that Streamlit has been told to stop: that is noticed by whatever is drawn."""
    st.empty()


def place(key: str) -> DeltaGenerator:
    """A place for one element outside a fragment, which the fragment fills; `key` is its container's.

    The fragment has to write there in every run, the aborted ones too: Streamlit keeps its place by that.
    """
    return st.container(key=key).empty()
