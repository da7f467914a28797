"""Streams and chunk as a text allows them: what the visitor did not give is fitted to it, what was given stays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from engine.config import ConfigError, DataConfig
from engine.data import TextError, fit_batches
from playground.access import corpora
from playground.parts.setting_names import label
from playground.state import draft as drafts
from playground.state.draft import Draft

_STATE = "draft.batches"


@dataclass(frozen=True)
class _Wishes:
    """Streams and chunk as they are to be where the text allows it.

    Attributes:
        streams, chunk: what they would be with a text that is long enough.
        given: those of the two that the visitor chose.
        shown: (streams, chunk) as they were left; where the draft has others, another one was loaded meanwhile.
    """

    streams: int
    chunk: int
    given: frozenset[str]
    shown: tuple[int, int]


def keep_given(name: str) -> None:
    """Note that the visitor chose the streams or the chunk that the draft has now."""
    data = drafts.current().config.data
    known: _Wishes | None = st.session_state.get(_STATE)
    other = {"streams": 1, "chunk": 0}[name]
    same = known is not None and known.shown[other] == (data.streams, data.chunk)[other]
    wishes = known if known is not None and same else _afresh(data)
    values = {name: getattr(data, name), "given": wishes.given | {name}, "shown": (data.streams, data.chunk)}
    st.session_state[_STATE] = replace(wishes, **values)


def fit(draft: Draft, wished: DataConfig | None = None) -> Draft:
    """The draft with streams and chunk for the tokens of its text; as it is where its text cannot be read.

    Args:
        draft: what is set up
        wished: what to go back to where the visitor gave nothing; else what they were before they were fitted

    Raises:
        ConfigError: what was given does not fit
    """
    data = draft.config.data
    wishes = _wishes(data)
    if wished is not None:
        kept = {name: getattr(wishes, name) for name in wishes.given}
        wishes = replace(wishes, **({"streams": wished.streams, "chunk": wished.chunk} | kept))
    try:
        tokens = len(corpora.corpus(replace(data, streams=1, chunk=1)).train)
    except (TextError, ConfigError):
        return draft
    streams, chunk = fit_batches(tokens, wishes.streams, wishes.chunk, wishes.given)
    st.session_state[_STATE] = replace(wishes, shown=(streams, chunk))
    return draft.edited("data", "streams", streams).edited("data", "chunk", chunk)


def said(data: DataConfig) -> str:
    """What was fitted, in a sentence; empty where nothing was."""
    wishes = _wishes(data)
    if (wishes.streams, wishes.chunk) == (data.streams, data.chunk):
        return ""
    names = f"{label('streams')} and {label('chunk').partition(' (')[0].lower()}"
    return (
        f"{names} were reduced to fit this short text: {data.streams:,} × {data.chunk:,} instead of "
        f"{wishes.streams:,} × {wishes.chunk:,}."
    )


def _wishes(data: DataConfig) -> _Wishes:
    known: _Wishes | None = st.session_state.get(_STATE)
    if known is None or known.shown != (data.streams, data.chunk):
        return _afresh(data)
    return known


def _afresh(data: DataConfig) -> _Wishes:
    return _Wishes(data.streams, data.chunk, frozenset(), (data.streams, data.chunk))
