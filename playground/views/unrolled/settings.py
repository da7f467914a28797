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
from playground import state
from playground.state import link
from playground.text import shorten

MOST_CHANGES = 8
"""What-if changes, and replaced tokens, that can stand at once."""

MOST_VALUE = 1e6
_MOST_LAYERS, _MOST_UNITS, _MOST_TOKENS = 100, 100_000, 1_000_000
_QUANTITY = re.compile(r"[a-z]{1,20}")
_CHANGE, _REPLACED = "quantity:layer:timestep:unit:value", "timestep:token"

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


def _whole(what: str, low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else low - 1
        if not low <= value <= high:
            raise ValueError(f"{_quoted(text)} is no {what} from {low:,} to {high:,}")
        return value

    return parse


_TIME = _whole("timestep", 0, LONGEST_PROBE - 1)
_LAYER, _UNIT = _whole("layer", 0, _MOST_LAYERS), _whole("unit", 0, _MOST_UNITS)
_TOKEN = _whole("token", 0, _MOST_TOKENS)


def _quoted(text: str) -> str:
    """A part of the link as a sentence repeats it: data, which is escaped where it is drawn."""
    return repr(shorten(text, 40))


def _of(text: str) -> Target:
    return "sum" if text == "sum" else _TIME(text)


def _one_of(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"{_quoted(text)} is none of {', '.join(names)}")
        return text

    return parse


def _flag(text: str) -> bool:
    return _one_of("True", "False")(text) == "True"


def _named(what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not _QUANTITY.fullmatch(text):
            raise ValueError(f"{_quoted(text)} is no name of {what}")
        return text

    return parse


_QUANTITY_NAME = _named("a gate or state")


def _parts(text: str, form: str, *reads: Callable[[str], Any]) -> list[tuple[Any, ...]]:
    """The values of the parts of "3:17,40:2", each of the form "timestep:token"."""
    parts = text.split(",")
    if len(parts) > MOST_CHANGES:
        raise ValueError(f"it holds {len(parts):,}, and at most {MOST_CHANGES} can stand at once")
    return [_part(part, form, *reads) for part in parts]


def _part(text: str, form: str, *reads: Callable[[str], Any]) -> tuple[Any, ...]:
    pieces = text.split(":")
    if len(pieces) != len(reads):
        raise ValueError(f"{_quoted(text)} is not {form}")
    try:
        return tuple(read(piece) for read, piece in zip(reads, pieces, strict=True))
    except ValueError as error:
        raise ValueError(f"{error}, in {_quoted(text)}") from None


def value_of(text: str) -> float:
    """A value that may stand in a change. Raises ValueError."""
    try:
        value = float(text) if text.isascii() and len(text) <= 20 else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) <= MOST_VALUE:
        raise ValueError(f"{_quoted(text)} is no value from {-MOST_VALUE:,.0f} to {MOST_VALUE:,.0f}")
    return rounded(value)


def rounded(value: float) -> float:
    """A value as the link has it: six significant digits, within bounds."""
    return float(f"{max(-MOST_VALUE, min(MOST_VALUE, value)):.6g}")


def _changes(text: str) -> tuple[Change, ...]:
    """Changes from "forget:0:9:17:0.5": quantity, layer, timestep, unit, value, the places counted from 0."""
    parts = _parts(text, _CHANGE, _QUANTITY_NAME, _LAYER, _TIME, _UNIT, value_of)
    return tuple({part[:-1]: Change(*part) for part in parts}.values())


def _tokens(text: str) -> tuple[tuple[int, int], ...]:
    """(timestep, token) pairs from "3:17,40:2"."""
    return tuple(sorted(dict(_parts(text, _REPLACED, _TIME, _TOKEN)).items()))


def _element(text: str) -> tuple[int, int] | None:
    row, column = _part(text, "row:column", _whole("row", 0, _MOST_UNITS), _whole("column", 0, _MOST_TOKENS))
    return row, column


def _setting(default: Any, parse: Callable[[str], Any], name: str, at_first: str, form: str = "") -> Any:
    """A setting: what reads it from a link, what it is called, what its default is in words, how a link gives it."""
    return field(default=default, metadata={"parse": parse, "name": name, "at_first": at_first, "form": form})


@dataclass(frozen=True)
class Settings:
    """What is looked at on this page alone. Field names are keys in the URL; defaults are left out of it."""

    of: Literal["sum"] | int = _setting(
        "sum", _of, "loss whose gradient flows back", "the sum of all losses", "sum, or a timestep counted from 0"
    )
    """the sum of all losses, or the loss at one timestep, counted from 0"""
    folded: bool = _setting(False, _flag, "choice of the folded picture", "unfolded")
    look: str = _setting("arithmetic", _one_of(*LOOKS), "drill-down", "arithmetic")
    block: str = _setting("", _named("a block"), "block of weights", "the cell's first", "a name such as forget")
    """rows of the weights whose pre-activations and gradients are looked at; "" for the cell's first"""
    weight: str = _setting("weight_hh", _one_of(*WEIGHTS), "weight", "weight_hh")
    element: tuple[int, int] | None = _setting(
        None, _element, "element of a weight", "all of them together", "row:column, counted from 0"
    )
    """one weight of the block, from unit `column` (or input) to unit `row`; None for all of them together"""
    measure: str = _setting("along", _one_of(*MEASURES), "measure", "along")
    quantity: str = _setting("", _QUANTITY_NAME, "quantity to change", "the cell's first", "a name such as forget")
    changes: tuple[Change, ...] = _setting(
        (), _changes, "changes", "no change", f"{_CHANGE}, places counted from 0, with commas between"
    )
    tokens: tuple[tuple[int, int], ...] = _setting(
        (), _tokens, "replaced tokens", "the probe's own", f"{_REPLACED}, both counted from 0, with commas between"
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
        text = state.given(item.name, item.metadata["name"])
        if text == in_link(settings, item.name):
            continue
        if text is None:
            if went_back:
                settings = replace(settings, **{item.name: getattr(Settings(), item.name)})
                _renew()
        elif went_back or not link.stale(item.name, text):
            settings = _read(settings, item.name, text, item.metadata)
    keep(settings)
    return settings


def _read(settings: Settings, name: str, text: str, about: Any) -> Settings:
    """The settings with the value that stands in the link; as they were, and a sentence, where it cannot be."""
    try:
        found = replace(settings, **{name: about["parse"](text)})
    except ValueError as error:
        kept = in_link(settings, name)
        stands = about["at_first"] if kept is None else _quoted(kept)
        form = f" Give it as {about['form']}." if about["form"] else ""
        state.problem(f"The link's {about['name']} cannot be used: {error}.{form} In its place stands: {stands}.")
        link.refuse(name, text)
        return settings
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
