"""The bar in which training step, timestep, layer and unit are chosen, on every inside page alike, and the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from playground.components import choice
from playground.components.component import Component
from playground.components.packing import plain, plain_fields

NEWEST = -1
"""The step that stands for the newest weights a run has, as in `playground.state`."""

# What each axis is called, and how a place on it is written: "{}" is where the number goes.
_PLAIN = {"t": ("timestep", "{}"), "layer": ("layer", "{}"), "unit": ("unit", "{}")}
LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ng": {**_PLAIN, "t": ("timestep", "⟨{}⟩"), "layer": ("layer", "[{}]")},
        "cs231n": {**_PLAIN, "t": ("timestep", "t = {}")},
        "pytorch": {**_PLAIN, "t": ("timestep", "t = {}")},
        "plain": {**_PLAIN, "t": ("position", "{}")},
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
    unit_names: Mapping[str, str] = field(default_factory=dict)
    """what a unit was found to track, by its layer and number: {"0:57": "inside quotation marks"}"""
    keys: Sequence[tuple[str, str]] = ()
    """keys that the page itself has, with what they do: for the legend, which says the bar's own anyway"""


_BAR = Component(
    "selection_bar/bar",
    style=["shared/announce", *(f"selection_bar/{part}" for part in ("scrubber", "legend", "bar", "present"))],
)


def selection_bar(bar: Bar, *, key: str, on_choose: Callable[[], None]) -> None:
    """The bar. There is one on a page: it has the keyboard.

    Args:
        bar: what it shows
        key: of the widget
        on_choose: called when the visitor has chosen something else; `chosen(key, bar)` is what
    """
    _BAR(plain(bar), key=key, on_choose=on_choose)


def chosen(key: str, bar: Bar) -> dict[str, Any]:
    """What the visitor last chose in the bar `key`, as `playground.state.select` takes it."""
    return choice.chosen(key, fits(bar))


def fits(bar: Bar) -> choice.Fits:
    """What can be chosen in a bar, as the keywords of `playground.state.select`."""
    return {
        "step": lambda value: choice.whole(value) and value in (NEWEST, bar.step, *bar.steps),
        "t": choice.place(len(bar.names)),
        "layer": choice.place(bar.layers),
        "unit": choice.place(bar.units),
        "present": lambda value: isinstance(value, bool),
        "notation": lambda value: isinstance(value, str) and value in bar.notations[0],
    }


@plain.register
def _(bar: Bar) -> dict[str, Any]:
    names, notation = bar.notations
    known = [(step, loss) for step, loss in zip(bar.steps, bar.losses, strict=True) if loss is not None]
    return {
        **plain_fields(bar, "notations"),
        "measured": plain(bar.measured or known),
        "notations": plain(list(names.items())),
        "notation": notation,
    }
