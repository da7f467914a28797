"""What of the unrolled network is looked at, beside the selection that all pages share: in the session and in the link.

As with the selection, a value that cannot be is never quietly replaced: it gets a sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import streamlit as st

from engine.trace import LONGEST_PROBE, Change, Target
from playground import link, state

MOST_CHANGES = 8
"""What-if changes, and replaced tokens, that can stand at once."""

MOST_VALUE = 1e6
_MOST_LAYERS, _MOST_UNITS, _MOST_TOKENS = 100, 100_000, 1_000_000
_QUANTITY = re.compile(r"[a-z]{1,20}")

_STATE, _GENERATION = "unrolled.settings", "unrolled.generation"
_SAID = "unrolled.said"

LOOKS = {
    "arithmetic": "Arithmetic",
    "cell": "Inside the cell",
    "activations": "Activations",
    "shares": "Weight gradient",
    "whatif": "What if",
    "shapes": "Task shapes",
}
"""The drill-downs, by their name in the link."""

WEIGHTS = ("weight_hh", "weight_ih", "bias")
MEASURES = {"along": "share along the sum", "norm": "size of the share"}


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else low - 1
        if not low <= value <= high:
            raise ValueError
        return value

    return parse


_TIME = _whole(0, LONGEST_PROBE - 1)


def _of(text: str) -> Target:
    return "sum" if text == "sum" else _TIME(text)


def _flag(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError
    return text == "True"


def _one_of(names: Any) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return parse


def _name(text: str) -> str:
    if not _QUANTITY.fullmatch(text):
        raise ValueError
    return text


def _parts(text: str, size: int) -> list[list[str]]:
    """The parts of "3:17,40:2", so many in each."""
    found = [part.split(":") for part in text.split(",")]
    if not 0 < len(found) <= MOST_CHANGES or any(len(part) != size for part in found):
        raise ValueError
    return found


def value_of(text: str) -> float:
    """A value that may stand in a change. Raises ValueError."""
    value = float(text) if text.isascii() and len(text) <= 20 else math.nan
    if not abs(value) <= MOST_VALUE:
        raise ValueError
    return rounded(value)


def rounded(value: float) -> float:
    """A value as the link has it: six significant digits, within bounds."""
    return float(f"{max(-MOST_VALUE, min(MOST_VALUE, value)):.6g}")


def _changes(text: str) -> tuple[Change, ...]:
    """Changes from "forget:0:9:17:0.5": quantity, layer, timestep, unit, value, the places counted from 0."""
    found: dict[tuple[str, int, int, int], Change] = {}
    for name, layer, at, unit, value in _parts(text, 5):
        places = _whole(0, _MOST_LAYERS)(layer), _TIME(at), _whole(0, _MOST_UNITS)(unit)
        found[_name(name), *places] = Change(_name(name), *places, value_of(value))
    return tuple(found.values())


def _tokens(text: str) -> tuple[tuple[int, int], ...]:
    """(timestep, token) pairs from "3:17,40:2"."""
    return tuple(sorted({_TIME(at): _whole(0, _MOST_TOKENS)(token) for at, token in _parts(text, 2)}.items()))


def _element(text: str) -> tuple[int, int] | None:
    ((row, column),) = _parts(text, 2)
    return _whole(0, _MOST_UNITS)(row), _whole(0, _MOST_TOKENS)(column)


def _setting(default: Any, parse: Callable[[str], Any], name: str, limits: str) -> Any:
    return field(default=default, metadata={"parse": parse, "name": name, "limits": limits})


@dataclass(frozen=True)
class Settings:
    """What is looked at on this page alone. Field names are keys in the URL; defaults are left out of it."""

    of: Literal["sum"] | int = _setting(
        "sum", _of, "loss whose gradient flows back", f"sum or a timestep, 0 to {LONGEST_PROBE - 1}"
    )
    """the sum of all losses, or the loss at one timestep, counted from 0"""
    folded: bool = _setting(False, _flag, "folded", "True or False")
    look: str = _setting("arithmetic", _one_of(LOOKS), "drill-down", f"one of {', '.join(LOOKS)}")
    block: str = _setting("", _name, "block of weights", "a block's name, such as forget")
    """rows of the weights whose pre-activations and gradients are looked at; "" for the cell's first"""
    weight: str = _setting("weight_hh", _one_of(WEIGHTS), "weight", f"one of {', '.join(WEIGHTS)}")
    element: tuple[int, int] | None = _setting(None, _element, "element of a weight", "row:column, counted from 0")
    """one weight of the block, from unit `column` (or input) to unit `row`; None for all of them together"""
    measure: str = _setting("along", _one_of(MEASURES), "measure", f"one of {', '.join(MEASURES)}")
    quantity: str = _setting("", _name, "quantity to change", "a state or a gate, such as forget")
    changes: tuple[Change, ...] = _setting(
        (), _changes, "changes", f"at most {MOST_CHANGES} of quantity:layer:timestep:unit:value with commas between"
    )
    tokens: tuple[tuple[int, int], ...] = _setting(
        (), _tokens, "replaced tokens", f"at most {MOST_CHANGES} pairs timestep:token with commas between"
    )

    @property
    def changed(self) -> bool:
        """Whether anything is overridden."""
        return bool(self.changes or self.tokens)


def from_link() -> Settings:
    """The settings: from the URL where it says something, else as they were. Asked once when a page is opened.

    Going back in the browser's history, the URL says everything: what is not in it is as it was at first.
    """
    settings, went_back = current(), link.went_back()
    for item in fields(Settings):
        text = st.query_params.get(item.name)
        if text == in_link(settings, item.name):
            continue
        if text is None:
            if went_back:
                settings = replace(settings, **{item.name: getattr(Settings(), item.name)})
                _renew()
        elif went_back or not link.stale(item.name, text):
            settings = replace(settings, **_read(item.name, text, item.metadata))
    keep(settings)
    return settings


def _read(name: str, text: str, about: Any) -> dict[str, Any]:
    """The value that stands in the link, or nothing; what cannot be gets a sentence."""
    try:
        found = {name: about["parse"](text)}
    except ValueError:
        state.problem(f"The link's {about['name']} {text[:40]!r} cannot be used: give {about['limits']}.")
        link.refuse(name, text)
        return {}
    _renew()
    return found


def current() -> Settings:
    """The session's settings. A fragment's run asks these alone: its copy of the URL may be older than they are."""
    settings: Settings = st.session_state.get(_STATE, Settings())
    return settings


def keep(settings: Settings) -> None:
    """Make these the session's settings, in the link too."""
    st.session_state[_STATE] = settings
    link.put({item.name: in_link(settings, item.name) for item in fields(Settings)})


def refuse(*sentences: str, **nearest: Any) -> None:
    """Say why settings cannot be as they are, and put the nearest that can be in their place.

    The sentences stand on the page until the settings change.
    """
    said = (*said_now(), *sentences)
    change(**nearest)
    st.session_state[_SAID] = current(), tuple(dict.fromkeys(said))


def said_now() -> tuple[str, ...]:
    """What is to be said of the settings as they are."""
    settings, said = st.session_state.get(_SAID, (None, ()))
    return said if settings == current() else ()


def change(*, renew: bool = True, **values: Any) -> None:
    """Change settings other than by their own widgets, which are then made anew."""
    keep(replace(current(), **values))
    if renew:
        _renew()


def key(name: str) -> str:
    """Key of the widget that shows a setting: another one whenever settings change other than by their widgets."""
    return f"unrolled.{st.session_state.get(_GENERATION, 0)}.{name}"


def edit(name: str, widget: str) -> None:
    """Take a widget's new value into the settings; one that has gone and is heard of once more is nobody's choice."""
    if widget == key(name):
        # Another block or weight has other rows and columns: an element of the old one is none of the new one.
        started_over = {"element": None} if name in ("block", "weight") else {}
        change(renew=bool(started_over), **{name: st.session_state[widget]}, **started_over)


def put(changes: tuple[Change, ...], new: Change) -> tuple[Change, ...]:
    """The changes with a new one, in place of any at the same place. One too many is left out, and said."""
    kept = [old for old in changes if place(old) != place(new)]
    if len(kept) >= MOST_CHANGES:
        refuse(f"{MOST_CHANGES} changes stand already: take one back first.")
        return changes
    return (*kept, replace(new, value=rounded(new.value)))


def place(change: Change) -> tuple[str, int, int, int]:
    """Where a change stands: quantity, layer, time, unit."""
    return change.quantity, change.layer, change.time, change.unit


def _renew() -> None:
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def in_link(settings: Settings, name: str) -> str | None:
    """A setting as it stands in the link; None if it does not."""
    value = getattr(settings, name)
    if value == getattr(Settings(), name):
        return None
    if name == "changes":
        return ",".join(f"{':'.join(map(str, place(change)))}:{change.value:.6g}" for change in value)
    if name == "tokens":
        return ",".join(f"{at}:{token}" for at, token in value)
    if name == "element":
        return f"{value[0]}:{value[1]}"
    return str(value)
