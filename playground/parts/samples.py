"""The samples that a run generated at its evaluations, as rows to show."""

from __future__ import annotations

from functools import lru_cache

from engine.analysis.repetition import loop
from engine.analysis.verbatim import LEAST
from playground.charts.units import DEFAULT_UNIT
from playground.components.samples import SampleRow
from playground.parts.text_facts import loss_in_words
from playground.runs.reader import Snapshot
from playground.runs.records import SampleText
from playground.text import number, shorten, visible


def sample_rows(snapshot: Snapshot, newest: int = 0, unit: str = DEFAULT_UNIT) -> list[SampleRow]:
    """The samples of a run (the `newest` so many, or all) as rows to show, each with the loss of its step in `unit`."""
    losses = {evaluation.step: evaluation.val_loss for evaluation in snapshot.evaluations}
    return [
        SampleRow(
            step=sample.step,
            loss=loss_in_words(snapshot.run, losses[sample.step], unit) if sample.step in losses else "",
            text=sample.text if sample.text.strip() else visible(sample.text, spaces=True),
            note=_verbatim_note(sample),
            best=sample.step == snapshot.run.best_step,
        )
        for sample in snapshot.samples[-newest:]
    ]


@lru_cache(maxsize=512)
def repeated(text: str) -> str:
    """Of a text that mostly repeats itself: that it is a loop, from where on and of what; else an empty text."""
    found = loop(text)
    if found is None or len(text) < LEAST or len(text) - found.start < len(text) / 2:
        return ""
    stretch = shorten(visible(text[found.start : found.start + found.period], spaces=True), 60)
    same = "the same character repeats" if found.period == 1 else f"the same {found.period:,} characters repeat"
    return f"a loop: from character {found.start + 1:,} on, {same}, “{stretch}”"


def _verbatim_note(sample: SampleText) -> str:
    """How much of a sample stands word for word in the training text, or that it repeats itself."""
    looped = repeated(sample.text)
    if looped:
        return looped
    if not sample.longest_verbatim:
        return ""
    if not sample.verbatim_share:
        return f"no verbatim copies: longest match with the training text {sample.longest_verbatim} characters"
    share = number(100 * sample.verbatim_share)
    return f"{share}% verbatim from the training text, longest match {sample.longest_verbatim} characters"
