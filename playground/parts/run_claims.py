"""The result of a run, or of several that are compared, in a sentence with its live numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from playground.access.losses import loss_in, said_loss, unit_of
from playground.access.training_text import lines_to_beat
from playground.charts.units import DEFAULT_UNIT, UNITS, uniform
from playground.parts.text_facts import MUCH, percent
from playground.runs.reader import Snapshot
from playground.runs.records import Evaluation, Run
from playground.text import number
from playground.theme import RUN_LETTERS

_LEVEL = 0.01
"""Bits per character by which one run must be before another to lead."""


_FEW = 100
"""A loss over fewer predictions than this is a number, and no claim is made of it."""


def claim(snapshots: Sequence[Snapshot], unit: str = DEFAULT_UNIT) -> str:
    """One sentence with live numbers on what these runs have learned; losses in `unit`, a key of `UNITS`."""
    if len(snapshots) > 1:
        return _race_claim(snapshots, unit)
    snapshot = snapshots[0]
    run = snapshot.run
    if run.best_loss is None:
        return f"{run.name}: not evaluated yet."
    unit = unit_of(run, unit)
    few = too_few(snapshot.evaluations)
    if few:
        return f"{run.name}: the best validation loss, {said_loss(run, run.best_loss, unit)}, {few}."
    sentence = f"{run.name}: best validation loss {said_loss(run, run.best_loss, unit)}"
    best = next((e for e in snapshot.evaluations if e.step == run.best_step), None)
    if best is not None and best.partial:  # the lines to beat stand on the whole
        return f"{sentence}, {on_a_part(best)} of the validation part."
    beat = lines_to_beat(run) or {}
    levels = {name: number(loss_in(run, nats, unit)) for name, nats in beat.items()}
    if "uniform" in levels:
        levels["uniform"] = uniform(beat["uniform"], loss_in(run, beat["uniform"], unit), unit)
    if run.best_loss >= beat.get("uniform", math.inf):
        return f"{sentence}, no better than a uniform guess ({levels['uniform']})."
    titles = {"3-gram": "3-gram model", "uniform": "uniform guess"}
    held = [f"{title} {levels[name]}" for name, title in titles.items() if name in levels]
    return sentence + (f" ({', '.join(held)})" if held else "") + _on_its_text(run) + "."


def _on_its_text(run: Run) -> str:
    """What makes the validation loss of a run less telling, as the end of a sentence; else an empty text."""
    facts = run.text_facts
    if facts is None:
        return ""
    said = f"; {percent(facts.seen)} of the validation text also occurs in the training text" * (facts.seen >= MUCH)
    if facts.unknown_validation:
        said += f"; {percent(facts.unknown_validation)} of the validation tokens are unknown to the model"
    return said


def _race_claim(snapshots: Sequence[Snapshot], unit: str) -> str:
    judged, when = _judged_alike(snapshots)
    if not judged:
        return f"{len(snapshots)} runs on the same text and batches: not evaluated yet."
    few = too_few((evaluation for s in snapshots for evaluation in s.evaluations), rest="rest")
    if few:
        return f"The validation losses of these {len(snapshots)} runs {few}."
    marks = dict(zip((s.run.id for s in snapshots), RUN_LETTERS, strict=False))
    names = told_apart({s.run.id: s.run.name for s in snapshots}, marks)
    compared = unit_of(judged[0][1].run, "bits")  # all read the same text
    scores = sorted((loss_in(s.run, loss, compared), place, s.run, loss) for place, (loss, s) in enumerate(judged))
    (best, _, leader, lowest), *others = scores
    unit = unit_of(leader, unit)
    rest = [f"{names[run.id]} {number(loss_in(run, loss, unit), digits=True)}" for _, _, run, loss in others]
    if others and others[0][0] - best < _LEVEL:
        first = f"{names[leader.id]} {said_loss(leader, lowest, unit)}"
        sentence = f"{when}No run leads by more than {_LEVEL:g} {UNITS[compared].name}: {', '.join([first, *rest])}"
    else:
        sentence = f"{when}{names[leader.id]} leads with a validation loss of {said_loss(leader, lowest, unit)}"
        sentence += f", ahead of {', '.join(rest)}" if rest else ""
    fallen = [names[s.run.id] for s in snapshots if s.run.status == "diverged"]
    return sentence + (f". {', '.join(fallen)} diverged." if fallen else ".")


def _judged_alike(snapshots: Sequence[Snapshot]) -> tuple[list[tuple[float, Snapshot]], str]:
    """The best loss of each run that has one; while some train, up to the last step that all have been evaluated at,
    with the beginning of a sentence that says so."""
    known = [snapshot for snapshot in snapshots if snapshot.evaluations]
    if len(known) == len(snapshots) and any(snapshot.run.active for snapshot in snapshots):
        last = min(snapshot.evaluations[-1].step for snapshot in known if snapshot.run.active)
        early = [(_best_up_to(snapshot, last), snapshot) for snapshot in known]
        found = [(loss, snapshot) for loss, snapshot in early if loss is not None]
        if len(found) == len(known):
            return found, f"Up to step {last:,}: "
    return [(s.run.best_loss, s) for s in snapshots if s.run.best_loss is not None], ""


def _best_up_to(snapshot: Snapshot, last: int) -> float | None:
    losses = [each.val_loss for each in snapshot.evaluations if each.step <= last and math.isfinite(each.val_loss)]
    return min(losses, default=None)


def told_apart(names: Mapping[str, str], marks: Mapping[str, str]) -> dict[str, str]:
    """Names of runs by id, with a mark behind each that is not the only one of its kind: "First words (B)"."""
    count = Counter(names.values())
    return {run: f"{name} ({marks[run]})" if count[name] > 1 else name for run, name in names.items()}


def too_few(evaluations: Iterable[Evaluation], rest: str = "rests") -> str:
    """What to say of losses that rest on too few predictions to claim anything; an empty text where they do not.

    Args:
        rest: the verb, "rests" of one loss and "rest" of several
    """
    there = [evaluation.tokens_in_all for evaluation in evaluations if evaluation.tokens_in_all is not None]
    if not there or min(there) >= _FEW:
        return ""
    count = min(there)
    predictions = "a single prediction" if count == 1 else f"{count} predictions"
    return f"{rest} on {predictions}, too few to tell how well the model predicts other text"


def on_a_part(evaluation: Evaluation | None) -> str:
    """On how many tokens the loss of an evaluation is computed, where that is not all of them; else an empty text."""
    return f"computed on {_tokens(evaluation)}" if evaluation is not None and evaluation.partial else ""


def read_in_part(snapshot: Snapshot) -> str:
    """On how many tokens the validation losses stand, where that is not all of them; else an empty text."""
    partial = [evaluation for evaluation in snapshot.evaluations if evaluation.partial]
    if not partial:
        return ""
    part = f"computed on {_tokens(partial[-1])}, spread over the validation part"
    if snapshot.evaluations[-1].partial:
        return f"The validation losses are {part}; the last evaluation of a run uses all of it."
    return (
        f"The validation losses before the last are {part}. The last one is computed on all of it and may be higher or "
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
        "The validation loss is below the training loss because of dropout: the training loss is measured with dropout "
        "active, the validation loss without it."
    )


def overfitting(snapshot: Snapshot, unit: str = DEFAULT_UNIT) -> str:
    """A sentence where a run's validation loss rises, with the step at which it was lowest; else an empty one.

    It is overfitting where the training loss falls meanwhile; else nothing is learned, on either part.
    """
    evaluations = snapshot.evaluations
    if not evaluations or not evaluations[-1].rising or too_few(evaluations):
        return ""
    lowest = min(evaluations, key=lambda evaluation: evaluation.val_loss)
    best = next((evaluation for evaluation in evaluations if evaluation.step == snapshot.run.best_step), lowest)
    since = f"the validation loss has risen since step {best.step:,}, where it was lowest"
    lowest_said = said_loss(snapshot.run, best.val_loss, unit)
    if evaluations[-1].train_loss < best.train_loss:
        return f"Overfitting: {since} ({lowest_said}), while the training loss keeps falling."
    return f"Both losses are higher than before: {since} ({lowest_said}). A lower learning rate may help."
