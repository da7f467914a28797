"""The sentence at the top: what the chosen unit tells, or how its gates behave on this text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from engine.analysis.memory import half_lives, kept
from engine.analysis.unit_order import saturated
from playground.charts.next_token import percent
from playground.inside.view import View
from playground.notation import first_index
from playground.runs.records import Finding
from playground.text import number
from playground.views.gates import quantities


def claim(views: Sequence[View]) -> str:
    """One sentence with the numbers of the chosen unit; of runs that are compared, of all units of each."""
    if len(views) > 1:
        return _compared(views)
    view = views[0]
    unit = f"Unit {view.unit + first_index(view.notation)}"
    if not torch.isfinite(view.trace["hidden"][view.layer]).all():
        return f"{unit} cannot be read: the weights at this step are not finite."
    finding = view.finding
    if finding is not None and finding.score is not None:
        return (
            f"{unit} of this {view.run_cell.title} tracks “{finding.name}”: it ranks {number(100 * finding.score)}% of "
            f"token pairs correctly (baseline {number(100 * (finding.baseline or 0.5))}%){_when(view, finding)}."
        )
    return _of_its_gates(view, unit)


def _when(view: View, finding: Finding) -> str:
    """At which step that was measured, where another one is looked at."""
    return "" if finding.step == view.step else f", at step {finding.step:,}"


def _of_its_gates(view: View, unit: str) -> str:
    """How long the unit remembers on this text; of a cell without gates, what range its state has."""
    share = kept(view.cell)
    if share is None:
        values = view.trace["hidden"][view.layer, :, view.unit]
        return (
            f"{view.cell.title} has no gates: it computes its whole state anew at every timestep. {unit} ranges from "
            f"{number(float(values.min()))} to {number(float(values.max()))} on this text."
        )
    mine = share.share({share.gate: view.trace[share.gate][view.layer, :, view.unit]})  # (time)
    half_life = float(half_lives(mine.unsqueeze(1))[0])
    gone = "it never forgets here" if half_life == math.inf else f"half of it is gone after {_timesteps(half_life)}"
    return (
        f"{unit} of this {view.run_cell.title} keeps {percent(float(mine.double().log().mean().exp()))} of what it "
        f"stores at each timestep of this text: {gone}."
    )


def _timesteps(count: float) -> str:
    return f"{number(count)} timestep{'' if count == 1 else 's'}"


def _compared(views: Sequence[View]) -> str:
    """The share of gate values that are saturated in each."""
    shares = "; ".join(f"{view.letter} ({view.run_cell.title}) {_share(view)}" for view in views)
    return f"Saturated gate values on this text: {shares}."


def _share(view: View) -> str:
    names = [name for name in quantities.gates(view.cell) if name in view.trace]
    if not names:
        return "has no gates"
    values = torch.stack([view.trace[name][view.layer] for name in names])
    return percent(float(saturated(values).double().mean()))
