"""What a run or a race has learned, in a sentence with its live numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.access.losses import loss_in, said_loss
from playground.access.training_text import lines_to_beat
from playground.charts.units import DEFAULT_UNIT, uniform
from playground.runs.reader import Snapshot
from playground.text import number

_LEVEL = 0.01
"""Bits per character by which one run must be before another to lead."""


def claim(snapshots: Sequence[Snapshot], unit: str = DEFAULT_UNIT) -> str:
    """One sentence with live numbers on what these runs have learned; losses in `unit`, a key of `UNITS`."""
    if len(snapshots) > 1:
        return _race_claim(snapshots, unit)
    snapshot = snapshots[0]
    run = snapshot.run
    if run.best_loss is None:
        return f"{run.name}: nothing learned yet, the first evaluation is on its way."
    sentence = f"{run.name}: best validation loss {said_loss(snapshot, run.best_loss, unit)}"
    beat = lines_to_beat(run) or {}
    levels = {name: number(loss_in(snapshot, nats, unit)) for name, nats in beat.items()}
    if "uniform" in levels:
        levels["uniform"] = uniform(beat["uniform"], loss_in(snapshot, beat["uniform"], unit), unit)
    if run.best_loss >= beat.get("uniform", math.inf):
        return f"{sentence}, no better than a uniform guess ({levels['uniform']})."
    titles = {"3-gram": "3-gram model", "uniform": "uniform guess"}
    held = [f"{title} {levels[name]}" for name, title in titles.items() if name in levels]
    return sentence + (f" ({', '.join(held)})." if held else ".")


def _race_claim(snapshots: Sequence[Snapshot], unit: str) -> str:
    judged = [(s.run.best_loss, s) for s in snapshots if s.run.best_loss is not None]
    if not judged:
        return f"{len(snapshots)} runs are off, on the same text and the same batches."
    scores = sorted((loss_in(s, loss, "bits"), place, s, loss) for place, (loss, s) in enumerate(judged))
    (best, _, leader, lowest), *others = scores
    if others and others[0][0] - best < _LEVEL:
        sentence = f"No run leads by more than {_LEVEL:g} bits per character: {leader.run.name} has"
    else:
        sentence = f"{leader.run.name} leads with"
    sentence += f" a validation loss of {said_loss(leader, lowest, unit)}"
    if others:
        rest = (f"{s.run.name} {number(loss_in(s, loss, unit))}" for _, _, s, loss in others)
        sentence += f", before {', '.join(rest)}"
    fallen = [s.run.name for s in snapshots if s.run.status == "diverged"]
    return sentence + (f". {', '.join(fallen)} diverged." if fallen else ".")


def overfitting(snapshot: Snapshot, unit: str = DEFAULT_UNIT) -> str:
    """A sentence where a run's validation loss rises, with the step at which it was lowest; else an empty one."""
    evaluations = snapshot.evaluations
    if not evaluations or not evaluations[-1].rising:
        return ""
    best = min(evaluations, key=lambda evaluation: evaluation.val_loss)
    return (
        f"Overfitting: the validation loss has risen since step {best.step:,}, where it was lowest "
        f"({said_loss(snapshot, best.val_loss, unit)}), while the training loss goes on falling."
    )
