"""The gallery of task shapes, drawn by the same modules as the unrolled network."""

from __future__ import annotations

from dataclasses import dataclass

from playground.components.component import Component
from playground.components.packing import plain
from playground.notation import Sign


@dataclass(frozen=True)
class Cell:
    """One timestep of a shape. What is None is not there, or has no value."""

    reads: str | None = None
    """token that is read; "" for one that only a model would have"""
    says: str | None = None
    """token that is the answer; "" for one that only a model would have"""
    chance: float | None = None
    norm: float | None = None
    """of the top layer's hidden state"""
    fed_back: bool = False
    """whether what is read is what was said a timestep before"""
    right: bool = False
    """whether the answer is what really came"""
    t: int | None = None
    """timestep of the probe, counted from 0"""


@dataclass(frozen=True)
class Shape:
    """One card of the gallery."""

    name: str
    title: str
    task: str
    """what has this shape, in plain words"""
    live: bool
    caption: str
    """of a live one what it shows; of another what a model of it would do"""
    cells: list[Cell]
    low: float = 0.0
    high: float = 0.0
    """least and greatest norm drawn"""


@dataclass(frozen=True)
class Shapes:
    """The gallery, for one view."""

    shapes: list[Shape]
    signs: dict[str, Sign]
    first: int
    """what the notation calls the first timestep"""
    family: str
    """of the cell: it decides the colour"""


_GALLERY = Component("shapes/shapes")


def shape_gallery(shapes: Shapes, *, key: str) -> None:
    """One card for each shape: live ones with the run's values, the others grey and without any."""
    _GALLERY(plain(shapes), key=key)
