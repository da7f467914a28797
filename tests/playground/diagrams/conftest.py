"""Every cell with every choice of its options."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from engine.cells import CELLS, Cell

UNITS = 5


def variants() -> Iterator[Cell]:
    for kind in CELLS.values():
        choices = [option.choices for option in kind.options.values()]
        for values in itertools.product(*choices):
            yield kind(UNITS, dict(zip(kind.options, values, strict=True)))


def title(cell: Cell) -> str:
    return "-".join([cell.name, *map(str, cell.chosen.values())])


@pytest.fixture(params=list(variants()), ids=title)
def cell(request: pytest.FixtureRequest) -> Cell:
    """One variant of one cell."""
    return request.param
