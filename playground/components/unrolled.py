"""The network unrolled over a probe: the main picture of the page Unrolled.

Layers and timesteps count from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from torch import Tensor

from engine.trace import Target
from playground.components import choice
from playground.components.component import Component
from playground.components.packing import plain, plain_fields
from playground.notation import Sign


@dataclass(frozen=True, eq=False)
class Lane:
    """One state of the cell in all layers, and in brackets the axes of its arrays."""

    name: str
    signs: list[Sign]
    low: float
    high: float
    full: float
    """value at which the colour of a unit is at its fullest; a few may lie beyond"""
    norms: Tensor
    """(layer, 1 + time): of the state before the first token, then of each"""
    changes: Tensor
    """(layer, time): relative change, ||s_t - s_{t-1}|| / (||s_t|| + ||s_{t-1}||)"""
    unit: Tensor
    """(layer, time): the chosen unit"""
    values: Tensor | None
    """(layer, time, unit), where the units are few"""
    levels: np.ndarray | None
    """(layer, time, unit) as bytes, where they are many"""


@dataclass(frozen=True, eq=False)
class Predictions:
    """The likeliest next tokens at each timestep."""

    names: list[str]
    tokens: list[list[int]]
    """(time, rank): places in `names`"""
    chances: Tensor
    """(time, rank)"""
    other: Tensor | None = None
    """(time, rank): chances of the same tokens after the change"""


@dataclass(frozen=True, eq=False)
class Gradient:
    """How the loss depends on each timestep's states."""

    of: Target
    norms: Tensor
    """(layer, 1 + time): of the state before the first token, then of each, over all states of a layer"""
    carried: Tensor
    """(layer, time): of what it carries from each timestep to the one before, through the layer's own step alone"""
    entry: list[int]
    """timesteps whose losses it is the gradient of"""


@dataclass(frozen=True, eq=False)
class Mark:
    """Where something was put in place of what the model computes, or of what it reads."""

    t: int
    layer: int
    """-1 for the token that is read"""
    text: str


@dataclass(frozen=True, eq=False)
class Other:
    """The same probe with something changed, against what the picture draws."""

    lanes: list[Lane]
    """norms and the chosen unit after the change; changes, values and levels of the difference"""
    apart: list[Tensor]
    """(layer, time) for each state: norm of the difference"""
    losses: Tensor
    tokens: list[str | None]
    """what is read instead, where it is something else"""
    targets: list[str | None]
    marks: list[Mark]


@dataclass(frozen=True)
class Scales:
    """Where colour scales begin and end, for pictures in which one colour is to mean one number."""

    full: dict[str, float]
    """by state: value at which the colour of a unit is at its fullest"""
    norms: dict[str, list[float]]
    """by state: its least and its greatest norm"""
    pull: list[float]
    """the least gradient norm above zero, and the greatest; zeros where there is none"""


@dataclass(frozen=True, eq=False)
class Picture:
    """The network over the probe."""

    title: str
    folded_title: str
    """while it is drawn as one column whose state goes round"""
    about: str
    run: str
    letter: str
    cell: str
    step: int
    live: bool
    kind: str
    """what a token is: "character" or "word" """
    first: int
    """what the notation calls the first timestep"""
    t: int
    layer: int
    unit: int
    layers: int
    units: int
    length: int
    chunk: int
    """timesteps that a gradient travelled at most while the run trained: it was cut between one chunk and the next"""
    tokens: list[str]
    unknown: list[int]
    """timesteps whose token the vocabulary does not have"""
    unknown_read_as: str
    """what the model reads there; empty for a zero vector"""
    context: bool
    """whether the state before the first token comes from a context"""
    lanes: list[Lane]
    predictions: Predictions
    targets: list[str | None]
    """the token that follows each; None where none is known"""
    losses: Tensor
    """(time), nats; NaN where there is no target"""
    vocabulary: int
    """number of tokens: a uniform guess has a loss of ln of it, in nats"""
    gradient: Gradient | None
    other: Other | None
    signs: dict[str, Sign]
    weights: dict[str, Tensor]
    """(layer), Frobenius norms of what is the same at every timestep"""
    family: str
    """of the cell: it decides the colour"""
    scales: Scales | None = None
    """those that it shares with other pictures; None for its own"""
    legend: bool = True
    """whether it needs a legend of its own where space is short"""


_PICTURE = Component("unrolled/picture")


def unrolled(
    picture: Picture,
    *,
    key: str,
    on_choose: Callable[[], None] | None = None,
    folded: bool = False,
    overview: bool = False,
    show: int = 0,
) -> None:
    """The picture.

    Args:
        picture: what is drawn
        key: of the widget
        on_choose: called when something is chosen; `chosen(key, picture)` is what
        folded: whether it is drawn as one column whose state goes round
        overview: whether every timestep is drawn at once, narrow and without predictions
        show: another number than before, and not 0, has the picture come into sight
    """
    _PICTURE({**plain(picture), "folded": folded, "overview": overview, "show": show}, key=key, on_choose=on_choose)


def chosen(key: str, picture: Picture) -> dict[str, Any]:
    """What was last chosen in the picture `key`: of "t", "layer", "unit", "target" (whose gradient), "folded"."""
    return choice.chosen(key, fits(picture))


def fits(picture: Picture) -> choice.Fits:
    """What can be chosen in a picture."""
    timestep = choice.place(picture.length)
    return {
        "t": timestep,
        "layer": choice.place(picture.layers),
        "unit": choice.place(picture.units),
        "target": lambda value: value == "sum" or timestep(value),
        "folded": lambda value: isinstance(value, bool),
    }


@plain.register
def _(picture: Picture) -> dict[str, Any]:
    """With a `version`, which is the same as long as nothing but the chosen place has changed."""
    place = {name: getattr(picture, name) for name in ("t", "layer", "unit")}
    drawn = plain_fields(picture, *place)
    return {**drawn, **place, "version": blake2b(repr(drawn).encode(), digest_size=12).hexdigest()}
