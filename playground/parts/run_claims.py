"""What a run or a race has learned, in a sentence with its live numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.cells import CELLS
from playground.access.corpora import characters_per_token
from playground.access.training_text import lines_to_beat
from playground.charts.units import UNITS, convert
from playground.runs.reader import Snapshot
from playground.runs.records import Evaluation
from playground.text import number

_LEVEL = 0.01
"""Bits per character by which one run must be before another to lead."""

_SURE = 1.1
"""A perplexity below this is called all but sure."""

_FEW = 100
"""A loss over fewer predictions than this is a number, and no claim is made of it."""


def claim(snapshots: Sequence[Snapshot]) -> str:
    """One sentence with live numbers on what these runs have learned."""
    if len(snapshots) > 1:
        return _race_claim(snapshots)
    run = snapshots[0].run
    cell = CELLS[run.config.model.cell].title
    if run.best_loss is None:
        return f"This {cell} has learned nothing yet: its first guesses are about to be judged."
    what = "character" if run.config.data.level == "char" else "word"
    few = _too_few(snapshots)
    if few:
        return f"The validation loss of this {cell}, {number(run.best_loss)} nats, {few}."
    beat = lines_to_beat(run) or {}
    if run.best_loss >= beat.get("uniform", math.inf):
        return (
            f"This {cell} does no better than blind guessing on text it has not seen: {number(run.best_loss)} nats, "
            f"where guessing costs {number(beat['uniform'])}."
        )
    choices = float(convert(run.best_loss, "perplexity"))
    if choices < _SURE:
        return f"This {cell} is all but sure of the next {what}: its loss is {number(run.best_loss)} nats."
    sentence = f"This {cell} predicts the next {what} of unseen text as if it chose among {number(choices)} likely ones"
    if "uniform" in beat:
        sentence += f" out of {number(round(math.exp(beat['uniform'])))}"
    best = next((e for e in snapshots[0].evaluations if e.step == run.best_step), None)
    if best is not None and best.partial:  # the lines to beat stand on the whole
        return f"{sentence}, on {_tokens(best)} of the validation part."
    if "3-gram" in beat:
        gap = beat["3-gram"] - run.best_loss
        better = "below" if gap > 0 else "above"
        sentence += f"; its loss is {number(abs(gap))} nats {better} a 3-gram model's"
    return sentence + "."


def _race_claim(snapshots: Sequence[Snapshot]) -> str:
    judged = [(s.run.best_loss, s) for s in snapshots if s.run.best_loss is not None]
    if not judged:
        return f"{len(snapshots)} runs are off, on the same text and the same batches."
    few = _too_few(snapshots)
    if few:
        return f"The validation losses of these {len(snapshots)} runs {few}."
    scores = sorted(
        (float(convert(loss, "bits", characters_per_token(s.run, s.evaluations))), place, s.run.name)
        for place, (loss, s) in enumerate(judged)
    )
    (best, _, leader), *others = scores
    if others and others[0][0] - best < _LEVEL:
        leader = f"Nobody leads by more than {_LEVEL:g}: {leader} stands at"
    else:
        leader += " leads with"
    sentence = f"{leader} {number(best)} {UNITS['bits'].name} of unseen text"
    if others:
        sentence += ", before " + ", ".join(f"{name} {number(score)}" for score, _, name in others)
    fallen = [s.run.name for s in snapshots if s.run.status == "diverged"]
    return sentence + (f". {', '.join(fallen)} came apart." if fallen else ".")


def _too_few(snapshots: Sequence[Snapshot]) -> str:
    """What to say of a loss that rests on too few predictions to claim anything; an empty text where it does not."""
    there = [e.tokens_in_all for s in snapshots for e in s.evaluations if e.tokens_in_all is not None]
    if not there or min(there) >= _FEW:
        return ""
    count = min(there)
    rests = "rests" if len(snapshots) == 1 else "rest"
    predictions = "a single prediction" if count == 1 else f"{count} predictions"
    return f"{rests} on {predictions}: too few to tell how well other text is predicted"


def read_in_part(snapshot: Snapshot) -> str:
    """On how many tokens the validation losses stand, where that is not all of them; else an empty text."""
    partial = [evaluation for evaluation in snapshot.evaluations if evaluation.partial]
    if not partial:
        return ""
    part = f"computed on {_tokens(partial[-1])}, spread over the validation part"
    if snapshot.evaluations[-1].partial:
        return f"The validation losses are {part}; the last evaluation of a run reads all of it."
    return (
        f"The validation losses before the last are {part}. The last is computed on all of it, and may lie higher or "
        "lower for that reason alone."
    )


def _tokens(evaluation: Evaluation) -> str:
    return f"{evaluation.tokens_read:,} of {evaluation.tokens_in_all:,} tokens"


def below_training(snapshot: Snapshot) -> str:
    """Why the validation loss lies below the training loss, where dropout is the reason; else an empty text."""
    model = snapshot.run.config.model
    newest = snapshot.evaluations[-1] if snapshot.evaluations else None
    if newest is None or not (model.dropout or model.input_dropout) or not newest.val_loss < newest.train_loss:
        return ""
    return (
        "The validation loss lies below the training loss because of dropout: the training loss is measured with "
        "dropout on, the validation loss with all units."
    )


def overfitting(snapshot: Snapshot) -> str:
    """A sentence where a run's validation loss rises, with the step at which it was lowest; else an empty one."""
    evaluations = snapshot.evaluations
    if not evaluations or not evaluations[-1].rising:
        return ""
    lowest = min(evaluations, key=lambda evaluation: evaluation.val_loss)
    best = next((evaluation for evaluation in evaluations if evaluation.step == snapshot.run.best_step), lowest)
    return (
        f"Validation loss is rising: it was lowest at step {best.step:,} ({number(best.val_loss)} nats). "
        "From here on the model learns its text by heart."
    )
