"""The one selection: what every page looks at, kept in the URL, so that the link is the view.

A value that cannot be is never quietly replaced: it gets a sentence, and the nearest that can be stands in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from playground.charts.units import UNITS, X_TITLES
from playground.notation import NOTATIONS
from playground.state import link

SAID_SECONDS = 3.0
"""How long a sentence stays on a page that runs itself again."""

MOST_PROBLEMS = 5
"""Sentences that stand above a page at most."""

_QUOTED = 40
"""Characters of what a link says that a sentence repeats."""

LONGEST_PROBE = 500
"""Characters of a probe; all of them stand in the link."""

LONGEST_CONTEXT = 2_000
LINKED_CONTEXT = 500
"""Characters of a context, and of one that stands in the link; a longer one does not."""

NEWEST = -1
"""The step that stands for the newest weights a run has."""

LAST = -1
"""The timestep that stands for the probe's last, and the layer that stands for the top one."""

_STATE = "selection"
_PROBLEMS = "problems"


class NearestError(ValueError):
    """A value that cannot be. The message says so; `nearest` can be, and stands in."""

    def __init__(self, message: str, nearest: Any) -> None:
        super().__init__(message)
        self.nearest = nearest


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


FEWEST_COMPARED, MOST_COMPARED = 2, 4


def _several_names(text: str) -> str:
    names = [_name(part) for part in text.split(",")]
    if len(set(names)) != len(names) or not FEWEST_COMPARED <= len(names) <= MOST_COMPARED:
        raise ValueError(f"{FEWEST_COMPARED} to {MOST_COMPARED} different runs can be compared")
    return text


_MOST_DIGITS = 12


def _counted(what: str, highest: str = "", *, beyond: int) -> Callable[[str], int]:
    """Parses a place counted from 0; -1 stands for the `highest`, where there is such a word.

    Args:
        what: what is counted, with its article
        beyond: stands in for a number too long to be one
    """
    also = f", or -1 for the {highest}" if highest else ""
    rule = f"{what} is a whole number from 0 on{also}"

    def parse(text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(rule)
        if len(digits) > _MOST_DIGITS:
            raise NearestError(f"{rule}, of at most {_MOST_DIGITS} digits", 0 if text[0] == "-" else beyond)
        if int(text) < (-1 if highest else 0):
            raise NearestError(f"{rule}; 0 stands in", 0)
        return int(text)

    return parse


def _text(what: str, longest: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text) > longest:
            raise NearestError(
                f"{what} has at most {longest:,} characters; the first {longest:,} stand in", text[:longest]
            )
        return text

    return parse


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("it is 1 or 0")
    return text == "1"


def _selectable(default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclass(frozen=True)
class Selection:
    """What is looked at. Field names are the keys in the URL; a field at its default is left out of it.

    Timesteps, layers and units count from 0, as in arrays. Whether the run has them, the page that shows them finds
    out: see `playground.inside`.
    """

    run: str = _selectable("", _name, "run")
    step: int = _selectable(NEWEST, _counted("a step", "newest", beyond=NEWEST), "training step")
    """of the checkpoint that is looked at"""
    notation: str = _selectable("ng", _choice(*NOTATIONS), "notation")
    loss: str = _selectable("nats", _choice(*UNITS), "unit of the loss")
    x: str = _selectable("step", _choice(*X_TITLES), "horizontal axis")
    compare: str = _selectable("", _several_names, "comparison")
    """ids of the runs that are compared, with commas between them"""
    probe: str = _selectable("", _text("a probe", LONGEST_PROBE), "probe")
    """the text that is put through the checkpoint; empty for the run's own"""
    context: str = _selectable("", _text("a context", LONGEST_CONTEXT), "context")
    """what is read before the probe"""
    t: int = _selectable(LAST, _counted("a timestep", "last", beyond=LAST), "timestep")
    layer: int = _selectable(LAST, _counted("a layer", "top one", beyond=LAST), "layer")
    unit: int = _selectable(0, _counted("a unit", beyond=10**_MOST_DIGITS - 1), "unit")
    present: bool = _selectable(False, _flag, "presenter mode")
    """larger type, no sidebar, keyboard only"""


_DEFAULT = Selection()


def current() -> Selection:
    """The selection: from the URL where it says something, else as it was on the page before.

    The browser may still send, for a moment, what stood in its address before the page changed it, as when keys are
    pressed quickly: that is nobody's choice. Going back in the browser's history is one.
    """
    selection: Selection = st.session_state.get(_STATE, _DEFAULT)
    names = [item.name for item in fields(Selection)]
    arrived, went_back = link.arrived(), link.went_back()
    if link.stays_bare(names, selection, arrived=arrived, went_back=went_back, default=selection == _DEFAULT):
        return selection
    for item in fields(Selection):
        text = given(item.name, item.metadata["meaning"])
        if text is None:
            if went_back and not arrived and in_link(selection, item.name) is not None:
                selection = replace(selection, **_part(item.name, item.default))
        elif text != in_link(selection, item.name) and (went_back or not link.stale(item.name, text)):
            selection = replace(selection, **_read(item.name, text, item.metadata))
    st.session_state[_STATE] = selection
    _write(selection)
    return selection


def given(name: str, meaning: str) -> str | None:
    """What the link says under a key. Where it says several things, the last one counts, and that is said."""
    texts = link.given(name)
    if len(set(texts)) > 1:
        all_of_them = ", ".join(repr(text[:_QUOTED]) for text in texts[:MOST_PROBLEMS])
        counts = f"the last, {texts[-1][:_QUOTED]!r}, counts"
        problem(f"The link gives its {meaning} {len(texts)} times ({all_of_them}): {counts}.")
    return texts[-1] if texts else None


def _part(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def _read(name: str, text: str, about: Any) -> dict[str, Any]:
    """The value that stands in the link, or the nearest, or nothing; what cannot be gets a sentence."""
    try:
        return _part(name, about["parse"](text))
    except ValueError as error:
        problem(f"The link's {about['meaning']} {text[:_QUOTED]!r} cannot be shown: {error}.")
        link.refuse(name, text)
        return _part(name, error.nearest) if isinstance(error, NearestError) else {}


def select(**values: Any) -> Selection:
    """Change the selection, in the session and in the URL.

    Another run is looked at at its newest step. The probe and the place in it (timestep, layer, unit) stay, so that two
    runs can be held against each other; where the other run has no such place, the page that shows it says so.
    """
    before = st.session_state.get(_STATE, _DEFAULT)
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


def in_link(selection: Selection, name: str) -> str | None:
    """A part of the selection as it stands in the link; None where it is left out."""
    value = getattr(selection, name)
    if value == getattr(_DEFAULT, name) or (name == "context" and len(value) > LINKED_CONTEXT):
        return None
    return "1" if value is True else str(value)


def _write(selection: Selection) -> None:
    link.put({item.name: in_link(selection, item.name) for item in fields(Selection)})
