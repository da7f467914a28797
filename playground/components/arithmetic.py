"""The panel in which one timestep's arithmetic is read: equations with live vectors, the weights, one unit's sum.

Layers, timesteps and units count from 0. Quantities go by the keys of `playground.notation.Part`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from engine.analysis.sums import Sum, Term
from playground import theme
from playground.components import choice
from playground.components.component import Component
from playground.components.packing import levels, plain, plain_fields
from playground.notation import Formula

LARGEST_TERMS = 8
"""Products of one source that are shown at first, the largest of them."""

MOST_TERMS = 512
"""Products of one source that are sent; of more, what the smallest add up to."""

Axis = Literal["unit", "token", "input"]


@dataclass(frozen=True, eq=False)
class Vector:
    """A quantity's values at the timestep.

    Attributes:
        values: those that are shown, (places)
        length: how many there are
        axis: what a place stands for: a unit of the layer, a token of the vocabulary, or a value that is read
        full: the size from which on the colour is at its fullest; the same at all timesteps of a quantity
        gate: whether the values are between 0 and 1
        places: which of all values are shown; None for all, in order
    """

    values: Tensor
    length: int
    axis: Axis
    full: float
    gate: bool = False
    places: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Matrix:
    """A weight matrix, small enough to be drawn. It has no timestep: it is the same at every one.

    Attributes:
        values: (rows, columns) of the picture
        rows, columns: of the matrix itself
        dot: how many rows and columns of the matrix a dot of the picture is the mean of
        full: the size from which on the colour is at its fullest
        joined: columns of the picture that act on the past, where those that act on the input stand to their right
        row_axis, column_axis: what a row and a column stand for
        exact: whether the numbers themselves are written out, which are few then
    """

    values: Tensor
    rows: int
    columns: int
    dot: tuple[int, int]
    full: float
    joined: int | None
    row_axis: Axis
    column_axis: Axis
    exact: bool = False


@dataclass(frozen=True)
class Likely:
    """A next token and its probability."""

    token: int
    name: str
    probability: float
    target: bool


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """All that is computed at one timestep in one layer, and the output layer's step above it.

    Attributes:
        run, step: whose arithmetic it is: the run's name, and the training step
        cell: name of the cell
        notation: the chosen one
        first: what the notation calls place 0 in time and depth
        t, layer, unit: the chosen place
        layers, units: how many there are
        names: the token at each timestep, made visible
        reads: what the layer reads: "one-hot", "embedding", "state" of the layer below, or "unknown", a zero vector
        target: the token that follows, made visible; None where it is not known
        equations: of the cell, in the order in which they are computed
        outputs: of the output layer: scores, probabilities, loss
        vectors: by key, for every vector in the equations, and for every weighted sum
        matrices: by key, for every weight matrix in the equations
        numbers: by key, for quantities that are one number
        tokens: names of the tokens that are shown, by id
        sums: for each block of weights the weighted sum of the chosen unit, by the sum's key
        likeliest: next tokens, the likeliest first, and the target wherever it stands
        weights: how many numbers the layer and the output layer have learned
        every_number: whether the network is so small that all its numbers are written out
    """

    run: str
    step: int
    cell: str
    notation: str
    first: int
    t: int
    layer: int
    unit: int
    layers: int
    units: int
    names: tuple[str, ...]
    reads: str
    target: str | None
    equations: list[Formula]
    outputs: list[Formula]
    vectors: Mapping[str, Vector]
    matrices: Mapping[str, Matrix]
    numbers: Mapping[str, float]
    tokens: Mapping[int, str]
    sums: Mapping[str, Sum]
    likeliest: list[Likely]
    weights: int
    every_number: bool


_PANEL = Component("arithmetic/panel", style=("shared/signs", "arithmetic/panel"))


def arithmetic_panel(data: Arithmetic, *, key: str, on_choose: Callable[[], None]) -> None:
    """The panel.

    Args:
        data: what is computed at the chosen timestep
        key: of the widget
        on_choose: called when the visitor chooses a unit or a timestep; `chosen(key, data)` is which
    """
    _PANEL(plain(data), key=key, on_choose=on_choose)


def chosen(key: str, data: Arithmetic) -> dict[str, int]:
    """What the visitor last chose in the panel `key`, as `playground.state.select` takes it."""
    return choice.chosen(key, fits(data))


def fits(data: Arithmetic) -> choice.Fits:
    """What can be chosen in the panel."""
    places = {"unit": data.units, "t": len(data.names), "layer": data.layers}
    return {name: choice.place(count) for name, count in places.items()}


@plain.register
def _(data: Arithmetic) -> dict[str, Any]:
    return {**plain_fields(data), "family": theme.family(data.cell)}


@plain.register
def _(matrix: Matrix) -> dict[str, Any]:
    """`values` are all the numbers, where they are written out; `levels` are colours."""
    height, width = matrix.values.shape
    return {
        **plain_fields(matrix, "values"),
        "height": height,
        "width": width,
        "values": plain(matrix.values) if matrix.exact else None,
        "levels": plain(levels(matrix.values, matrix.full)),
    }


@plain.register
def _(found: Sum) -> dict[str, Any]:
    sources = dict.fromkeys(term.source for term in found.terms)
    groups = {key: _terms([term for term in found.terms if term.source == key]) for key in sources}
    return {**plain_fields(found, "terms"), "groups": groups}


def _terms(terms: list[Term]) -> dict[str, Any]:
    """The products of one source, the largest first: (index, weight, value, product, gate) each."""
    ordered = sorted(terms, key=lambda term: -abs(term.product) if term.product == term.product else float("-inf"))
    nan = float("nan")
    numbers = [
        (term.place, term.weight, term.value, term.product, nan if term.gate is None else term.gate)
        for term in ordered[:MOST_TERMS]
    ]
    return {
        "count": len(terms),
        "terms": plain(torch.tensor(numbers)),
        "part": plain(_total(terms)),
        "shown": LARGEST_TERMS,
        "rest": plain(_total(ordered[LARGEST_TERMS:])),
        "rest_of_all": plain(_total(ordered[MOST_TERMS:])),
    }


def _total(terms: Iterable[Term]) -> float:
    return sum((term.product for term in terms), start=0.0)
