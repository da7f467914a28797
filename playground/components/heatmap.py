"""Grids of values on colour scales, as units by timesteps: several panels beside each other, under one crosshair.

Rows and columns count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from playground.components import choice
from playground.components.component import Component
from playground.components.packing import full_scale, levels, plain, plain_fields, rounded, span
from playground.notation import Symbol

MOST_ROWS, MOST_COLUMNS = 1024, 500

MOST_NUMBERS = 200_000
"""Values of all panels together up to which they are sent as numbers; more are sent as levels of colour."""

NEARLY_ALL = 1.001
"""By how much a value may exceed a scale's end, which is rounded, before it is said to lie beyond it."""


@dataclass(frozen=True, eq=False)
class Axis:
    """What stands along one side of every panel."""

    title: str
    """"unit", "timestep" """
    count: int
    choice: str
    """what a chosen place is told as: "unit", "t" """
    chosen: int | None = None
    first: int = 0
    """what the notation calls place 0"""
    form: str = "{}"
    """how a place is written in a sentence: "t = {}" """
    texts: Sequence[str] = ()
    """what stands at each place, made visible: tokens"""
    numbered: bool = True
    """whether places have numbers too, where they have texts"""
    names: Mapping[int, str] = field(default_factory=dict)
    """what is known of some places: {57: "inside quotation marks"}"""
    order: Sequence[int] | None = None
    """the row that is drawn at each place, from the top; None for their own order. Columns have none"""


@dataclass(frozen=True, eq=False)
class Panel:
    """One grid of values."""

    name: str
    """in plain words: "forget gate" """
    values: Tensor
    """(row, column)"""
    gate: bool
    """whether all values are between 0 and 1; else the scale is centred on zero"""
    symbol: Symbol | None = None
    measure: str = ""
    """what the numbers are of, such as "nats" """


@dataclass(frozen=True, eq=False)
class Heatmaps:
    """Panels of the same rows and columns.

    Raises:
        ValueError: panels of different sizes, more than can be drawn, or an order that is none
    """

    panels: Sequence[Panel]
    columns: Axis
    rows: Axis
    about: str
    """what it shows, in a sentence"""
    file: str
    """name of a file with it, without its ending"""

    def __post_init__(self) -> None:
        shape = (self.rows.count, self.columns.count)
        for panel in self.panels:
            if tuple(panel.values.shape) != shape:
                given = " by ".join(map(str, panel.values.shape))
                raise ValueError(f"The panel {panel.name!r} is {given}, not {shape[0]} rows by {shape[1]} columns.")
        if not 1 <= shape[0] <= MOST_ROWS or not 1 <= shape[1] <= MOST_COLUMNS:
            most = f"{MOST_ROWS:,} rows by {MOST_COLUMNS} columns"
            raise ValueError(f"A heatmap has up to {most}, not {shape[0]:,} by {shape[1]:,}; show a part of them.")
        if self.rows.order is not None and sorted(self.rows.order) != list(range(shape[0])):
            raise ValueError(f"The order of the rows must name each of the {shape[0]} rows once.")


@dataclass(frozen=True)
class Scale:
    """The colour scale of a panel: from -`full` to `full`, or of gates from 0 to 1.

    Attributes:
        full: where the colour is at its fullest
        low, high: least and greatest finite value
        beyond: how many finite values lie beyond the scale
        farthest: the largest of those in size
        nan, infinite: how many values are no numbers, or infinite
    """

    full: float
    low: float
    high: float
    beyond: int
    farthest: float
    nan: int
    infinite: int


_HEATMAPS = Component(
    "heatmap/heatmaps",
    style=[*(f"shared/{part}" for part in ("announce", "signs", "scale", "readout")), "heatmap/heatmaps"],
)


def heatmaps(data: Heatmaps, *, key: str, on_choose: Callable[[], None] | None = None) -> None:
    """The panels.

    Args:
        data: what is drawn
        key: of the widget
        on_choose: called when a place is chosen; `chosen(key, data)` is which. None if none can be
    """
    _HEATMAPS({**plain(data), "choosable": on_choose is not None}, key=key, on_choose=on_choose)


def chosen(key: str, data: Heatmaps) -> dict[str, Any]:
    """The row and the column that were last chosen in the panels `key`, each by what its axis tells it as."""
    return choice.chosen(key, fits(data))


def fits(data: Heatmaps) -> choice.Fits:
    """What can be chosen in the panels."""
    return {axis.choice: choice.place(axis.count) for axis in (data.columns, data.rows)}


def scale_of(values: Tensor, gate: bool) -> Scale:
    """The colour scale for values: of gates from 0 to 1; else centred on zero, up to what 98 in 100 values keep to."""
    full = 1.0 if gate else full_scale(values)
    finite = values[values.isfinite()]
    beyond = finite[finite.abs() > NEARLY_ALL * full]
    low, high = span(values)
    return Scale(
        full=full,
        low=rounded(low),
        high=rounded(high),
        beyond=beyond.numel(),
        farthest=rounded(float(beyond[beyond.abs().argmax()])) if beyond.numel() else 0.0,
        nan=int(values.isnan().sum()),
        infinite=int(values.isinf().sum()),
    )


@plain.register
def _(data: Heatmaps) -> dict[str, Any]:
    as_numbers = sum(panel.values.numel() for panel in data.panels) <= MOST_NUMBERS
    return {**plain_fields(data, "panels"), "panels": [_panel(panel, data, as_numbers) for panel in data.panels]}


def _panel(panel: Panel, data: Heatmaps, as_numbers: bool) -> dict[str, Any]:
    """With its values as numbers; or as levels of the scale, in which infinity is no number either, and then with the
    numbers of the chosen row and column, which are read out."""
    values = panel.values.detach().cpu()
    scale = scale_of(values, panel.gate)
    finite = values.where(values.isfinite(), float("nan"))
    return {
        **plain_fields(panel, "values"),
        **plain_fields(scale),
        "values": plain(values) if as_numbers else None,
        "levels": None if as_numbers else plain(levels(finite, scale.full)),
        "across": None if as_numbers or data.rows.chosen is None else plain(values[data.rows.chosen]),
        "down": None if as_numbers or data.columns.chosen is None else plain(values[:, data.columns.chosen]),
    }
