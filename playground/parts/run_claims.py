"""What a run or a race has learned, in a sentence with its live numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.cells import CELLS
from playground.access.corpora import per_character
from playground.access.training_text import lines_to_beat
from playground.charts.units import UNITS, convert
from playground.parts.text_facts import percent, what_is_judged
from playground.runs.reader import Snapshot
from playground.text import number

_LEVEL = 0.01
"""Bits per character by which one run must be before another to lead."""

_SURE = 1.1
"""A perplexity below this is called all but sure."""


def claim(snapshots: Sequence[Snapshot]) -> str:
    """One sentence with live numbers on what these runs have learned."""
    if len(snapshots) > 1:
        return _race_claim(snapshots)
    run = snapshots[0].run
    cell = CELLS[run.config.model.cell].title
    if run.best_loss is None:
        return f"This {cell} has learned nothing yet: its first guesses are about to be judged."
    what = "character" if run.config.data.level == "char" else "word"
    beat = lines_to_beat(run) or {}
    if run.best_loss >= beat.get("uniform", math.inf):
        return (
            f"This {cell} does no better than blind guessing on text it has not seen: {number(run.best_loss)} nats, "
            f"where guessing costs {number(beat['uniform'])}."
        )
    choices = float(convert(run.best_loss, "perplexity"))
    if choices < _SURE:
        return f"This {cell} is all but sure of the next {what}: its loss is {number(run.best_loss)} nats."
    sentence = f"This {cell} predicts the next {what} of {what_is_judged(run)} "
    sentence += f"as if it chose among {number(choices)} likely ones"
    if "uniform" in beat:
        sentence += f" out of {number(round(math.exp(beat['uniform'])))}"
    if "3-gram" in beat:
        gap = beat["3-gram"] - run.best_loss
        better = "below" if gap > 0 else "above"
        sentence += f"; its loss is {number(abs(gap))} nats {better} a 3-gram model's"
    if run.text_facts is not None and run.text_facts.unknown_validation:
        sentence += f"; {percent(run.text_facts.unknown_validation)} of that text's tokens are unknown to it"
    return sentence + "."


def _race_claim(snapshots: Sequence[Snapshot]) -> str:
    judged = [(s.run.best_loss, s) for s in snapshots if s.run.best_loss is not None]
    if not judged:
        return f"{len(snapshots)} runs are off, on the same text and the same batches."
    text = per_character(judged[0][1].run)  # all read the same
    unit = "nats" if text is None else "bits"
    scores = sorted((float(convert(loss, unit, text)), place, s.run.name) for place, (loss, s) in enumerate(judged))
    (best, _, leader), *others = scores
    if others and others[0][0] - best < _LEVEL:
        leader = f"Nobody leads by more than {_LEVEL:g}: {leader} stands at"
    else:
        leader += " leads with"
    sentence = f"{leader} {number(best)} {UNITS[unit].name} of {what_is_judged(judged[0][1].run)}"
    if others:
        sentence += ", before " + ", ".join(f"{name} {number(score)}" for score, _, name in others)
    fallen = [s.run.name for s in snapshots if s.run.status == "diverged"]
    return sentence + (f". {', '.join(fallen)} came apart." if fallen else ".")


def overfitting(snapshot: Snapshot) -> str:
    """A sentence where a run's validation loss rises, with the step at which it was lowest; else an empty one."""
    evaluations = snapshot.evaluations
    if not evaluations or not evaluations[-1].rising:
        return ""
    best = min(evaluations, key=lambda evaluation: evaluation.val_loss)
    return (
        f"Validation loss is rising: it was lowest at step {best.step:,} ({number(best.val_loss)} nats). "
        "From here on the model learns its text by heart."
    )
