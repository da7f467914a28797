"""What the picture of the unrolled network is made of, as the browser gets it.

Layers and timesteps count from 0. Arrays go as `playground.views.unrolled.packing` packs them, in order of their axes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from hashlib import blake2b
from typing import Any

from engine.trace import Target
from playground.notation import Sign


@dataclass(frozen=True)
class Lane:
    """One state of the cell in all layers, and in brackets the axes of its arrays."""

    name: str
    signs: list[Sign]
    low: float
    high: float
    full: float
    """value at which the colour of a unit is at its fullest; a few may lie beyond"""
    norms: str
    """(layer, 1 + time): of the state before the first token, then of each"""
    changes: str
    """(layer, time): share of the state that changed"""
    unit: str
    """(layer, time): the chosen unit"""
    values: str | None
    """(layer, time, unit), where the units are few"""
    levels: str | None
    """(layer, time, unit) as bytes, where they are many"""


@dataclass(frozen=True)
class Predictions:
    """The likeliest next tokens at each timestep."""

    names: list[str]
    tokens: list[list[int]]
    """(time, rank): places in `names`"""
    chances: str
    """(time, rank)"""
    other: str | None = None
    """(time, rank): chances of the same tokens after the change"""


@dataclass(frozen=True)
class Gradient:
    """How the loss depends on each timestep's states."""

    of: Target
    norms: str
    """(layer, 1 + time): of the state before the first token, then of each, over all states of a layer"""
    entry: list[int]
    """timesteps whose losses it is the gradient of"""


@dataclass(frozen=True)
class Mark:
    """Where something was put in place of what the model computes, or of what it reads."""

    t: int
    layer: int
    """-1 for the token that is read"""
    text: str


@dataclass(frozen=True)
class Other:
    """The same probe with something changed, against what the picture draws."""

    lanes: list[Lane]
    """norms and the chosen unit after the change; changes, values and levels of the difference"""
    apart: list[str]
    """(layer, time) for each state: norm of the difference"""
    losses: str
    tokens: list[str | None]
    """what is read instead, where it is something else"""
    targets: list[str | None]
    marks: list[Mark]


@dataclass(frozen=True)
class Picture:
    """The network over the probe."""

    title: str
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
    tokens: list[str]
    unknown: list[int]
    """timesteps whose token the vocabulary does not have"""
    stranger: str
    """what the model reads there; empty for a zero vector"""
    context: bool
    """whether the state before the first token comes from a context"""
    lanes: list[Lane]
    predictions: Predictions
    targets: list[str | None]
    """the token that follows each; None where none is known"""
    losses: str
    """(time), nats; NaN where there is no target"""
    uniform: float
    """loss of a uniform guess, nats"""
    gradient: Gradient | None
    other: Other | None
    signs: dict[str, Sign]
    weights: dict[str, str]
    """(layer), Frobenius norms of what is the same at every timestep"""
    colors: dict[str, str]

    def data(self) -> dict[str, Any]:
        """As the browser gets it. `version` is the same as long as nothing but the chosen place has changed."""
        plain = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        place = {name: plain.pop(name) for name in ("t", "layer", "unit")}
        version = blake2b(repr(plain).encode(), digest_size=12).hexdigest()
        return {**plain, **place, "version": version}


def _plain(value: Any) -> Any:
    """What JSON can carry. Numbers and texts are taken as they are: `asdict` would copy every one of them."""
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
