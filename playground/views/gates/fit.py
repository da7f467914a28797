"""Settings that do not fit the network that is looked at: the nearest stands in, and that is said."""

from __future__ import annotations

from playground.inside.view import View
from playground.notation import first_index
from playground.views.gates import quantities
from playground.views.gates.settings import settings


def fit(view: View) -> None:
    """Have the settings fit this network and probe."""
    _quantity(view)
    _units(view)
    _span(view)


def _quantity(view: View) -> None:
    wanted = settings.current().quantity
    there = quantities.shown(view, sums=True)
    if wanted and wanted not in there:
        settings.correct(
            f"The cell {view.cell.title} has no {wanted!r} (it has {', '.join(there)}); "
            f"{quantities.memory(view.cell)} is used instead.",
            quantity="",
        )


def _units(view: View) -> None:
    wanted, there = settings.current().units, view.trace.units
    fitting = tuple(unit for unit in wanted if unit < there)
    if fitting != wanted:
        gone = ", ".join(str(unit + first_index(view.notation)) for unit in wanted if unit >= there)
        settings.correct(f"Not shown, as a layer of this network has {there:,} units: {gone}.", units=fitting)


def _span(view: View) -> None:
    wanted = settings.current().span
    if wanted is not None and not wanted[0] <= wanted[1] < view.trace.length:
        settings.correct("The input text has no such span: the chosen timestep is used instead.", span=None)
