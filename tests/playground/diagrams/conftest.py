"""Every cell with every choice of its options, and every drawing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from engine.cells import CELLS, Cell
from playground.diagrams import Diagram, diagram

UNITS = 5


def variants() -> Iterator[Cell]:
    for kind in CELLS.values():
        choices = [option.choices for option in kind.options.values()]
        for values in itertools.product(*choices):
            yield kind(UNITS, dict(zip(kind.options, values, strict=True)))


def title(cell: Cell) -> str:
    return "-".join([cell.name, *map(str, cell.chosen.values())])


def drawings() -> list[Cell]:
    """Of the variants that are drawn alike, the first."""
    found: dict[Diagram, Cell] = {}
    for cell in variants():
        found.setdefault(diagram(cell), cell)
    return list(found.values())


@pytest.fixture(params=drawings(), ids=title)
def drawn(request: pytest.FixtureRequest) -> Diagram:
    """One drawing."""
    return diagram(request.param)


@pytest.fixture(params=list(variants()), ids=title)
def cell(request: pytest.FixtureRequest) -> Cell:
    """One variant of one cell."""
    return request.param
