"""Where a selection points to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import engine
from engine.trace import Trace
from playground.access.models import Loaded
from playground.inside.places import nearest_place
from playground.state import Selection


@pytest.fixture
def trace(load_run: Callable[..., Loaded]) -> Trace:
    return engine.record(load_run("tales-lstm").model, [1, 2, 3])


def test_without_a_choice_the_first_unit_with_a_name_is_meant(trace: Trace) -> None:
    place, notes = nearest_place(Selection(), trace, "characters", [(0, 57), (0, 3)])
    assert (place["layer"], place["unit"], notes) == (0, 57, ())


def test_a_unit_that_was_chosen_stays_chosen(trace: Trace) -> None:
    assert nearest_place(Selection(unit=0), trace, "characters", [(0, 57)])[0]["unit"] == 0


@pytest.mark.parametrize("named", [[], [(3, 1)], [(0, 160)]])
def test_where_no_unit_has_a_name_the_first_is_meant(trace: Trace, named: list[tuple[int, int]]) -> None:
    """A name may be of a unit that this network does not have: of another layer, or beyond its last."""
    place, notes = nearest_place(Selection(), trace, "characters", named)
    assert (place["layer"], place["unit"], notes) == (0, 0, ())
