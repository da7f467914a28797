"""The one selection: what every page looks at, kept in the URL, so that the link is the view.

A value that cannot be is never quietly replaced: it gets a sentence, and the nearest that can be stands in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from playground.charts.live import X_TITLES
from playground.charts.units import UNITS
from playground.notation import NOTATIONS

SAID_SECONDS = 3.0
"""How long a sentence stays on a page that runs itself again."""

MOST_PROBLEMS = 5
"""Sentences that stand above a page at most."""

_STATE = "selection"
_PROBLEMS = "problems"

NEWEST = -1
"""The step that stands for the newest weights a run has."""


def _choice(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"choose one of {', '.join(names)}")
        return text

    return parse


def _name(text: str) -> str:
    if not 0 < len(text) <= 64 or not all(character.isalnum() or character in "-_" for character in text):
        raise ValueError("an id has at most 64 letters, digits and dashes")
    return text


_FEWEST_COMPARED, _MOST_COMPARED = 2, 4


def _several_names(text: str) -> str:
    names = [_name(part) for part in text.split(",")]
    if len(set(names)) != len(names) or not _FEWEST_COMPARED <= len(names) <= _MOST_COMPARED:
        raise ValueError(f"{_FEWEST_COMPARED} to {_MOST_COMPARED} different runs can be compared")
    return text


_MOST_DIGITS = 12


def _step(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS) or int(text) < NEWEST:
        raise ValueError("a step is a whole number from 0 on, or -1 for the newest")
    return int(text)


def _selectable(default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclass(frozen=True)
class Selection:
    """What is looked at. Field names are the keys in the URL; a field at its default is left out of it."""

    run: str = _selectable("", _name, "run")
    step: int = _selectable(NEWEST, _step, "training step")
    """of the checkpoint that is looked at"""
    notation: str = _selectable("ng", _choice(*NOTATIONS), "notation")
    unit: str = _selectable("nats", _choice(*UNITS), "unit of the loss")
    x: str = _selectable("step", _choice(*X_TITLES), "horizontal axis")
    compare: str = _selectable("", _several_names, "comparison")
    """ids of the runs that are compared, with commas between them"""


def current() -> Selection:
    """The selection: from the URL where it says something, else as it was on the page before."""
    selection: Selection = st.session_state.get(_STATE, Selection())
    for item in fields(Selection):
        if item.name not in st.query_params:
            continue
        text = st.query_params[item.name]
        try:
            selection = replace(selection, **{item.name: item.metadata["parse"](text)})
        except ValueError as error:
            problem(f"The link's {item.metadata['meaning']} {text[:40]!r} cannot be shown: {error}.")
            del st.query_params[item.name]
    st.session_state[_STATE] = selection
    _write(selection)
    return selection


def select(**values: Any) -> Selection:
    """Change the selection, in the session and in the URL. Another run is looked at at its newest step."""
    before = st.session_state.get(_STATE, Selection())
    if values.get("run", before.run) != before.run:
        values.setdefault("step", NEWEST)
    selection = replace(before, **values)
    st.session_state[_STATE] = selection
    _write(selection)
    return selection


def choose(name: str, key: str, shown: Any) -> None:
    """Take what the visitor chose in the widget `key`, which was drawn with `shown`, into the selection.

    A widget that shows a part of the selection must have another key whenever the page changes what it shows: under
    one key it is still at its old value in the browser for a moment, and whatever else the browser asks for in that
    moment brings the old value along as if it had been chosen. The widget of the old key is heard of once more too,
    at the value it was drawn with: that is nobody's choice.
    """
    value = st.session_state[key]
    if value != shown:
        select(**{name: value})


def problem(sentence: str) -> None:
    """Note a sentence for the visitor; the frame shows it above the page.

    A page may run itself again at once, as while a text is written: a sentence outlasts the runs of `SAID_SECONDS`.
    """
    noted: dict[str, float] = st.session_state.setdefault(_PROBLEMS, {})
    if sentence in noted or len(noted) < MOST_PROBLEMS:
        noted[sentence] = time.monotonic()


def take_problems() -> list[str]:
    """The sentences to be shown now: those noted since the last call, and those of a moment before."""
    noted: dict[str, float] = st.session_state.pop(_PROBLEMS, {})
    now = time.monotonic()
    st.session_state[_PROBLEMS] = {said: when for said, when in noted.items() if now - when < SAID_SECONDS}
    return list(noted)


def _write(selection: Selection) -> None:
    for item in fields(Selection):
        value = getattr(selection, item.name)
        if value == item.default:
            st.query_params.pop(item.name, None)
        elif st.query_params.get(item.name) != str(value):
            st.query_params[item.name] = str(value)
