"""What a run wrote at its evaluations, as rows to show."""

from __future__ import annotations

from playground.components.samples import SampleRow
from playground.parts.text_facts import loss_in_words
from playground.runs.reader import Snapshot
from playground.runs.records import SampleText
from playground.text import number


def sample_rows(snapshot: Snapshot, newest: int = 0) -> list[SampleRow]:
    """The samples of a run (the `newest` so many, or all) as rows to show, each with the loss of its step."""
    losses = {evaluation.step: evaluation.val_loss for evaluation in snapshot.evaluations}
    return [
        SampleRow(
            step=sample.step,
            loss=loss_in_words(snapshot.run, losses[sample.step]) if sample.step in losses else "",
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
