"""The sentence at the top: what the network expects here, and how far back the gradient of its loss reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis import activity
from engine.trace import UNKNOWN, Target
from playground.charts.fading import VANISHED
from playground.charts.next_token import percent
from playground.inside.view import View
from playground.notation import first_index
from playground.text import number

EXPLODES = 10.0
"""A gradient explodes where it grows to this many times what it is at its loss's own timestep."""


@dataclass(frozen=True)
class Reach:
    """How far back the gradient of the loss at one timestep reaches.

    Attributes:
        t: that timestep
        steps: how many steps back it stays at `VANISHED` or more
        whole: whether that is as far back as the probe goes
        most: the largest that it becomes on its way, relative to what it is at t
        shares: that for each step back, from 0
    """

    t: int
    steps: int
    whole: bool
    most: float = 1.0
    shares: tuple[float, ...] = ()


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
    here = f"the gradient of the loss at t = {found.t + first_index(view.notation)}"
    if found.whole and found.steps == 0:
        return f"{said}; {here} has no earlier timestep to flow back to."
    return f"{said}; {here} {_far(found)}."


def _expects(view: View) -> str:
    kind = "word" if view.vocabulary.level == "word" else "character"
    read = view.t + 1
    after = f"After {read:,} {kind}{'' if read == 1 else 's'} this {view.run_cell.title}"
    chances = view.trace.log_probabilities[view.t].double().exp().numpy()  # (vocabulary)
    if not np.isfinite(chances).all():
        return f"{after} predicts NaN for every {kind}: its weights at this step or its input state are not finite"
    best = int(chances.argmax())
    said = f"{after} predicts ‘{view.vocabulary.display(best)}’ with probability {percent(float(chances[best]))}"
    wanted = int(view.trace.targets[view.t])
    if wanted in (UNKNOWN, best):
        return said + (", correctly" if wanted == best else "")
    return (
        f"{said}; the actual next {kind}, ‘{view.vocabulary.display(wanted)}’, gets {percent(float(chances[wanted]))}"
    )


def _far(found: Reach) -> str:
    """How far back a gradient reaches, after its name: "stays above 1% for 10 steps, then vanishes"."""
    if found.most >= EXPLODES:
        return f"explodes on the way back: its norm grows to {number(found.most)} times its value at that timestep"
    if found.whole:
        return f"stays above {100 * VANISHED:g}% for all {_steps(found.steps)} back"
    if found.steps == 0:
        return f"vanishes within one step: less than {100 * VANISHED:g}% of its norm remains"
    return f"stays above {100 * VANISHED:g}% for {_steps(found.steps)}, then vanishes"


def _steps(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"


def _compared(views: Sequence[View], of: Target) -> str:
    pairs = [(view, found) for view in views if (found := reach(view, of)) is not None]
    if not pairs:
        return "There is no loss here: the input text has no next token, or the weights are NaN."
    kind = "Exploding" if any(found.most >= EXPLODES for _, found in pairs) else "Vanishing"
    steps = {view.step for view, _ in pairs}
    together = _when(pairs[0][0].step) if len(steps) == 1 else ""
    several = [(found, f"{view.letter} ({_cell(view, together)})") for view, found in pairs]
    if any(found.most >= EXPLODES for found, _ in several):
        return f"{kind} gradients{together}: {'; '.join(f'{_in_short(found)} in {where}' for found, where in several)}."
    (first, where), *others = several
    said = [f"the norm {_in_short(first)} in {where}"]
    said += [f"for {'all ' if found.whole else ''}{found.steps:,} in {place}" for found, place in others]
    return f"{kind} gradients{together}: {', '.join(said)}."


def _cell(view: View, together: str) -> str:
    return view.run_cell.title if together else f"{view.run_cell.title}, step {view.step:,}"


def _when(step: int) -> str:
    return f" at training step {step:,}" if step else " before training"


def _in_short(found: Reach) -> str:
    """The same where several are told of together."""
    if found.most >= EXPLODES:
        return f"grows to {number(found.most)} times its value at the loss"
    return f"stays above {100 * VANISHED:g}% for {'all ' if found.whole else ''}{_steps(found.steps)} back"


def reach(view: View, of: Target) -> Reach | None:
    """How far back the gradient of a loss reaches; None where there is no loss, or it is no number."""
    t = view.trace.nearest_loss(view.t if of == "sum" else of)
    if t is None:
        return None
    trace = view.gradient(t)
    fading = activity.fading(trace)
    if not math.isfinite(float(trace.losses[t])) or math.isnan(float(fading[0])):
        return None
    steps = activity.steps_above(fading, VANISHED)
    return Reach(t, steps, whole=steps == t, most=float(fading.nan_to_num().max()), shares=tuple(fading.tolist()))
