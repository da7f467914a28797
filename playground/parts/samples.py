"""What a run wrote at its evaluations, as rows to show."""

from __future__ import annotations

from playground.access.losses import said_loss
from playground.charts.units import DEFAULT_UNIT
from playground.components.samples import SampleRow
from playground.runs.reader import Snapshot
from playground.runs.records import SampleText
from playground.text import number


def sample_rows(snapshot: Snapshot, newest: int = 0, unit: str = DEFAULT_UNIT) -> list[SampleRow]:
    """The samples of a run (the `newest` so many, or all) as rows to show, each with the loss of its step in `unit`."""
    losses = {evaluation.step: evaluation.val_loss for evaluation in snapshot.evaluations}
    return [
        SampleRow(
            step=sample.step,
            loss=said_loss(snapshot, losses[sample.step], unit) if sample.step in losses else "",
            text=sample.text,
            note=_verbatim_note(sample),
            best=sample.step == snapshot.run.best_step,
        )
        for sample in snapshot.samples[-newest:]
    ]


def _verbatim_note(sample: SampleText) -> str:
    """How much of a sample stands word for word in the training text."""
    if not sample.longest_verbatim:
        return ""
    if not sample.verbatim_share:
        return f"nothing copied: longest stretch in the training text {sample.longest_verbatim} characters"
    share = number(100 * sample.verbatim_share)
    return f"{share}% copied from the training text, longest {sample.longest_verbatim} characters"
