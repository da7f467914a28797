"""The page's address: what is put there, what a browser still sends of it, and the way back through its history."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.state.problems import note_problem
from playground.text import shorten

STALE_SECONDS = 3.0
"""How long a browser may still send what stood in its address before the page changed it."""

_REPLACED, _PAGE, _GATHERED = "link.replaced", "link.page", "link.gathered"
_COMPLETED, _LEFT_BARE = "link.completed", "link.left_bare"


@contextmanager
def one_change() -> Iterator[None]:
    """Whatever is put into the address inside goes there at the end, as one place in the browser's history."""
    if _GATHERED in st.session_state:  # the outer one sends it
        yield
        return
    st.session_state[_GATHERED] = before = _all()
    try:
        yield
    finally:
        gathered = st.session_state.pop(_GATHERED)
        if gathered != before:
            _replace(gathered)


def put(values: Mapping[str, str | None]) -> None:
    """Put texts into the address under their keys, each once; None takes a key out. What else stands there stays.

    All at once and not key by key: each change of the address is a place in the browser's history.
    """
    before = st.session_state[_GATHERED] if _GATHERED in st.session_state else _all()
    link = dict(before)
    for name, text in values.items():
        there, wanted = link.get(name, []), [] if text is None else [text]
        if there == wanted:
            continue
        known = replaced(name)
        known.update(dict.fromkeys(there, time.monotonic()))
        if text is None:
            del link[name]
        else:
            known.pop(text, None)
            link[name] = wanted
    if _GATHERED in st.session_state:
        st.session_state[_GATHERED] = link
    elif link != before:
        _replace(link)


def _replace(link: dict[str, list[str]]) -> None:
    """Put another link in the place of the one in the address."""
    st.session_state.pop(_LEFT_BARE, None)
    if not link:
        st.session_state.pop(_COMPLETED, None)  # an address that is bare by choice is a view as any other
    st.query_params.from_dict(link)


def complete(values: Mapping[str, str | None]) -> None:
    """Put into the address what is looked at already, however the visitor came here."""
    bare = not st.query_params
    put(values)
    if bare and st.query_params:
        st.session_state[_COMPLETED] = True


def _all() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def given(name: str, title: str) -> str | None:
    """What stands in the address under a key. Of several texts the last one counts, and that is said.

    Args:
        name: the key
        title: what the sentence calls it
    """
    texts = st.query_params.get_all(name)
    if len(set(texts)) > 1:
        quoted = [repr(shorten(text, 40)) for text in texts]
        note_problem(
            f"The link gives the {title} {len(texts)} times ({', '.join(quoted[:5])}): the last, {quoted[-1]}, is used."
        )
    return texts[-1] if texts else None


def zero_based_note(name: str, value: object, first: int) -> str:
    """How links write a place, behind what a page calls it; empty where a page counts as links do.

    Args:
        name: the key
        value: what stands under it, places counted from 0
        first: what the page calls the first place
    """
    return f" ({name}={value} in links, which count from 0)" if first else ""


def stale(name: str, text: str) -> bool:
    """Whether the page itself has replaced this text in the address a moment ago: then it is nobody's choice."""
    known, now = replaced(name), time.monotonic()
    for old in [old for old, when in known.items() if now - when >= STALE_SECONDS]:
        del known[old]
    return text in known


def replaced(name: str) -> dict[str, float]:
    """What of this key stood in the address before, and when it was replaced."""
    return st.session_state.setdefault(_REPLACED, {}).setdefault(name, {})


def went_back() -> bool:
    """Whether the visitor has come here through the browser's history: then the address is a choice."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def arrived() -> bool:
    """Whether the visitor was on another page until now. Counts once: ask once a run."""
    context = get_script_run_ctx()
    page = context.page_script_hash if context else ""
    before, st.session_state[_PAGE] = st.session_state.get(_PAGE), page
    if before == page:
        return False
    st.session_state.pop(_COMPLETED, None)
    st.session_state.pop(_LEFT_BARE, None)
    return True


def stays_bare() -> bool:
    """Whether an address that says nothing is left so, and everything as it is.

    The navigation opens pages by such an address, which the page then completes. Whoever comes back to it is on the
    way to the page before, and must not be sent on again; until something else is chosen it stays as it is.
    """
    bare = not st.query_params
    if bare and went_back() and st.session_state.get(_COMPLETED, False):
        st.session_state[_LEFT_BARE] = True
    return bare and st.session_state.get(_LEFT_BARE, False)
