"""The sentence at the top: what the network expects here, and how far back its loss is felt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis import activity
from engine.trace import UNKNOWN, Target
from playground.charts.next_token import percent
from playground.inside.view import View
from playground.notation import first_index

FELT = 0.01
"""A loss is felt as far back as its gradient stays at least at this share of what it is at its own timestep."""


@dataclass(frozen=True)
class Reach:
    """How far back the loss at one timestep is felt."""

    t: int
    steps: int
    whole: bool
    """whether it is felt as far back as the probe goes"""


def claim(views: Sequence[View], of: Target) -> str:
    """One sentence with the numbers of the chosen place.

    Args:
        views: the chosen run, and those compared with it
        of: the loss whose gradient is drawn; of the sum, that of the chosen timestep, or the last known before it
    """
    if len(views) > 1:
        return _compared(views, of)
    view = views[0]
    said = _expects(view)
    found = reach(view, of)
    if found is None:
        return f"{said}."
    here = f"its loss at t = {found.t + first_index(view.notation)}"
    if found.whole and found.steps == 0:
        return f"{said}; nothing stands before it that {here} could be traced back to."
    if found.steps == 0:
        return f"{said}; {here} does not even reach the timestep before."
    return f"{said}; {here} is felt {_far(found)}."


def _expects(view: View) -> str:
    kind = "word" if view.vocabulary.level == "word" else "character"
    read = view.t + 1
    after = f"After {read:,} {kind}{'' if read == 1 else 's'} this {view.run_cell.title}"
    chances = view.trace.log_probabilities[view.t].double().exp().numpy()  # (vocabulary)
    if not np.isfinite(chances).all():
        return f"{after} gives NaN for every {kind}: its weights at this step, or what it reads, are broken"
    best = int(chances.argmax())
    said = f"{after} expects ‘{view.vocabulary.display(best)}’ with {percent(float(chances[best]))}"
    wanted = int(view.trace.targets[view.t])
    if wanted in (UNKNOWN, best):
        return said + (", and it comes" if wanted == best else "")
    return f"{said}; what comes, ‘{view.vocabulary.display(wanted)}’, had {percent(float(chances[wanted]))}"


def _far(found: Reach) -> str:
    if found.whole:
        return f"all the way back, {_steps(found.steps)}"
    return f"{_steps(found.steps)} back"


def _steps(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"


def _compared(views: Sequence[View], of: Target) -> str:
    said = []
    found = [reach(view, of) for view in views]
    for view, one in zip(views, found, strict=True):
        if one is not None:
            said.append(f"{_far(one)} in {view.letter} ({view.run_cell.title}, step {view.step:,})")
    first_known = next((one for one in found if one is not None), None)
    if first_known is None:
        return "No loss is known here: the probe has no next token, or the weights hold NaN."
    return f"The loss at t = {first_known.t + first_index(views[0].notation)} is felt " + "; ".join(said) + "."


def reach(view: View, of: Target) -> Reach | None:
    """How far back a loss is felt; None where there is no loss, or it is no number."""
    t = view.trace.nearest_loss(view.t if of == "sum" else of)
    if t is None:
        return None
    trace = view.gradient(t)
    if not math.isfinite(float(trace.losses[t])) or math.isnan(float(activity.fading(trace)[0])):
        return None
    steps = activity.reach(trace, FELT)
    return Reach(t, steps, whole=steps == t)
