"""The bar in which training step, timestep, layer and unit are chosen, on every inside page alike, and the keyboard.

What is chosen is the server's to say. The browser shows a choice at once, counts what it has told the server, and lets
no answer that is older than its newest word take the choice back. A word repeats all that is not yet answered, so that
one which is overtaken is not lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeGuard

import streamlit as st

from playground import theme
from playground.components.assets import asset

NEWEST = -1
"""The step that stands for the newest weights a run has, as in `playground.state`."""

# What each axis is called, and how a place on it is written: "{}" is where the number goes.
_PLAIN = {"t": ("timestep", "{}"), "layer": ("layer", "{}"), "unit": ("unit", "{}")}
LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ng": {**_PLAIN, "t": ("timestep", "⟨{}⟩"), "layer": ("layer", "[{}]")},
        "cs231n": {**_PLAIN, "t": ("timestep", "t = {}")},
        "pytorch": {**_PLAIN, "t": ("timestep", "t = {}")},
        "plain": {**_PLAIN, "t": ("place in the text", "{}")},
    }
)


@dataclass(frozen=True)
class Bar:
    """What the selection bar shows. Places are counted from 0; all texts are data, nothing of them becomes markup."""

    steps: Sequence[int]
    """training steps whose weights are kept, rising; more may come while the run trains"""
    losses: Sequence[float | None]
    """validation loss at each of the steps; None where it was not measured"""
    step: int
    """the step that is looked at; the newest weights of a run that trains need not be kept"""
    newest: bool
    """whether the newest weights are looked at, whatever step they have"""
    live: bool
    """whether the run trains, so that the newest weights change"""
    t: int
    names: Sequence[str]
    """the token at each timestep, with spaces and line ends made visible"""
    first: int
    """what the notation calls the place 0: 0 or 1"""
    layer: int
    layers: int
    unit: int
    units: int
    labels: Mapping[str, tuple[str, str]]
    """what "t", "layer" and "unit" are called and how a place on them is written, as in `LABELS`"""
    present: bool
    """whether the page is shown to an audience: larger type, no sidebar, keyboard only"""
    notations: tuple[Mapping[str, str], str]
    """name of each notation by its key, in the order in which they follow each other, and the key of the chosen one"""
    loss_unit: str = "nats"
    measured: Sequence[tuple[int, float]] = ()
    """every step at which the validation loss was measured, kept or not, with the loss: what the curve goes through;
    where there is none, it goes through `losses`"""
    training: Sequence[float | None] = ()
    """loss in training at each of `steps`, for those before the first validation"""
    keys: Sequence[tuple[str, str]] = ()
    """keys that the page itself has, with what they do: for the legend, which says the bar's own anyway"""


_BAR = st.components.v2.component(
    "unrolled_selection_bar",
    html=asset("selection_bar/bar.html"),
    css="".join(asset(f"selection_bar/{part}.css") for part in ("scrubber", "legend", "bar", "present"))
    .replace("ALARM", theme.ALARM)
    .replace("NOT_A_NUMBER", theme.NAN),
    js=asset("drawing.js")
    + "".join(asset(f"selection_bar/{part}.js") for part in ("words", "keys", "play", "scrubber", "bar")),
)


def selection_bar(bar: Bar, *, key: str, on_choose: Callable[[], None]) -> None:
    """The bar. There is one on a page: it has the keyboard.

    Args:
        bar: what it shows
        key: of the widget
        on_choose: called when the visitor has chosen something else; `told(key, bar)` is what
    """
    _BAR(data={**_drawn(bar), "heard": heard(key)}, key=key, on_chosen_change=on_choose)


def told(key: str, bar: Bar) -> dict[str, Any]:
    """What the visitor last chose in the bar `key`, as `playground.state.select` takes it."""
    return changed(bar, _word(key))


def changed(bar: Bar, chosen: object) -> dict[str, Any]:
    """What of a word from the browser can be, as the keywords of `playground.state.select`.

    It comes from outside: what is not of its type, or is not on the bar, is left out.
    """
    if not isinstance(chosen, Mapping):
        return {}
    possible: Mapping[str, Callable[[Any], bool]] = {
        "step": lambda value: _whole(value) and value in (NEWEST, bar.step, *bar.steps),
        "t": lambda value: _whole(value) and 0 <= value < len(bar.names),
        "layer": lambda value: _whole(value) and 0 <= value < bar.layers,
        "unit": lambda value: _whole(value) and 0 <= value < bar.units,
        "present": lambda value: isinstance(value, bool),
        "notation": lambda value: isinstance(value, str) and value in bar.notations[0],
    }
    return {name: chosen[name] for name, fits in possible.items() if name in chosen and fits(chosen[name])}


def heard(key: str) -> int:
    """The count of the last word that came from the bar `key`; 0 for none."""
    word = _word(key)
    count = word.get("count") if isinstance(word, Mapping) else None
    return count if _whole(count) and count > 0 else 0


def _word(key: str) -> object:
    return (st.session_state.get(key) or {}).get("chosen")


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _drawn(bar: Bar) -> dict[str, Any]:
    """The bar as its script takes it."""
    names, chosen = bar.notations
    return {
        "steps": [int(step) for step in bar.steps],
        "losses": [_figure(loss) for loss in bar.losses],
        "training": [_figure(loss) for loss in bar.training],
        "curve": [[step, _figure(loss)] for step, loss in bar.measured or _known(bar)],
        "loss_unit": bar.loss_unit,
        "step": bar.step,
        "newest": bar.newest,
        "live": bar.live,
        "t": bar.t,
        "names": list(bar.names),
        "first": bar.first,
        "layer": bar.layer,
        "layers": bar.layers,
        "unit": bar.unit,
        "units": bar.units,
        "labels": {axis: list(words) for axis, words in bar.labels.items()},
        "present": bar.present,
        "notations": [[key, name] for key, name in names.items()],
        "notation": chosen,
        "keys": [list(key) for key in bar.keys],
    }


def _known(bar: Bar) -> list[tuple[int, float]]:
    return [(step, loss) for step, loss in zip(bar.steps, bar.losses, strict=True) if loss is not None]


def _figure(loss: float | None) -> float | str | None:
    """A loss as JSON can carry it: NaN and infinity are words there."""
    if loss is None or math.isfinite(loss):
        return loss
    return "NaN" if math.isnan(loss) else "∞"
