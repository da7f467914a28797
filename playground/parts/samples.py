"""What a run wrote at its evaluations, as rows to show."""

from __future__ import annotations

from playground.components.samples import SampleRow
from playground.runs.reader import Snapshot
from playground.runs.records import SampleText
from playground.text import number, visible


def sample_rows(snapshot: Snapshot, newest: int = 0) -> list[SampleRow]:
    """The samples of a run (the `newest` so many, or all) as rows to show, each with the loss of its step."""
    bits = {evaluation.step: evaluation.bits_per_character for evaluation in snapshot.evaluations}
    return [
        SampleRow(
            step=sample.step,
            loss=f"{number(bits[sample.step])} bits per character" if sample.step in bits else "",
            text=sample.text if sample.text.strip() else visible(sample.text, spaces=True),
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
