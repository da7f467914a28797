"""Rows of the table of runs, and the sentence that sums them up. Pure: no page, no store.

A row is what the browser gets of a run: plain values, so that it can sort and filter by itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine.cells import CELLS
from engine.config import DataConfig
from playground import theme
from playground.access.run_list import Row, whose
from playground.charts.thinning import kept_extremes
from playground.charts.units import UNITS, convert
from playground.parts.run_claims import on_a_part, told_apart, too_few
from playground.parts.text_facts import WITHOUT_FACTS, percent
from playground.runs.records import (
    DIVERGED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    PAUSED,
    QUEUED,
    RUNNING,
    STOPPED,
    Evaluation,
    Run,
)
from playground.text import number, shorten, size, visible

SIGNS: Mapping[str, str] = {
    QUEUED: "○",
    RUNNING: "●",
    PAUSED: "‖",
    STOPPED: "■",
    FINISHED: "✓",
    DIVERGED: "▲",
    FAILED: "✕",
    INTERRUPTED: "!",
}
"""A sign for each status, so that it is known by more than its colour."""

_NAME_LENGTH = 200
_CLAIM_NAME_LENGTH = 40
_TEXT_LENGTH = 40
_MARK_LENGTH = 6
"""Characters of its id that tell a run from another of its name, as in the sidebar."""

_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_POINTS = 100, 24, 30


def text_title(data: DataConfig, name: str) -> str:
    """What a run is trained on: "Tales", "Tales (words)".

    Args:
        name: what its text is called, see `playground.access.corpora.text_name`
    """
    title = shorten(visible(name), _TEXT_LENGTH)
    return f"{title} (words)" if data.level == "word" else title


def model_title(run: Run) -> str:
    """A run's model in short: "LSTM 2 × 128"."""
    model = run.config.model
    layers = f"{model.layers} × " if model.layers > 1 else ""
    return f"{CELLS[model.cell].title} {layers}{model.units}"


def row(run: Run, text: str) -> Row:
    """The row of a run without what depends on the visitor, the queue and the disk (see `row_for_visitor`).

    Args:
        text: what its text is called
    """
    planned = run.planned_steps or (0 if run.config.training.seconds else run.config.training.steps)
    bits = run.bits(run.best_loss)
    perplexity = None if run.best_loss is None else _finite(float(convert(run.best_loss, "perplexity")))
    return {
        "id": run.id,
        "name": shorten(visible(run.name), _NAME_LENGTH),
        "status": run.status,
        "sign": SIGNS[run.status],
        "family": theme.family(run.config.model.cell),
        "cell": CELLS[run.config.model.cell].title,
        "model": model_title(run),
        "corpus": run.config.data.corpus,
        "text": text_title(run.config.data, text),
        "text_name": shorten(visible(text), _TEXT_LENGTH),
        "bits": bits,
        "bits_text": _three_digits(bits),
        "bits_missing": WITHOUT_FACTS if bits is None and run.best_loss is not None else "",
        "unknown_text": _unknown(run),
        "perplexity": perplexity,
        "perplexity_text": _three_digits(perplexity),
        "best_step": run.best_step,
        "spark": spark_points(run.spark, planned),
        "step": run.step,
        "planned": planned,
        "created": run.created,
    }


def row_for_visitor(row: Row, run: Run, *, visitor: str, waiting: Sequence[str], stored_bytes: int | None) -> Row:
    """A row with whose run it is, its place in the queue (from 1; 0 for none) and its bytes on disk."""
    place = waiting.index(run.id) + 1 if run.status == QUEUED and run.id in waiting else 0
    text = "" if stored_bytes is None else size(stored_bytes)
    return {**row, "whose": whose(run, visitor), "place": place, "bytes": stored_bytes, "bytes_text": text}


def _unknown(run: Run) -> str:
    """What share of its validation tokens a run reads as <unk>, where there are such."""
    share = run.text_facts.unknown_validation if run.text_facts else 0.0
    return f"{percent(share)} <unk>" if share else ""


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _three_digits(value: float | None) -> str:
    return "" if value is None else number(value, digits=True)


def spark_points(spark: Sequence[tuple[int, float]], planned: int) -> str:
    """A run's training loss as the points of an SVG line, 100 wide and 24 high: "0,0 50,20 100,24".

    The width is the whole run, so that the line of one that still trains ends where it stands; losses that are not
    finite are left out.
    """
    known = [(step, loss) for step, loss in spark if math.isfinite(loss)]
    if len(known) < 2:
        return ""
    kept = kept_extremes(np.array([loss for _, loss in known]), _SPARK_POINTS)
    known = [known[place] for place in kept]
    end = max(planned, known[-1][0], 1)
    low, high = min(loss for _, loss in known), max(loss for _, loss in known)
    scale = (high - low) or 1.0
    return " ".join(
        f"{_SPARK_WIDTH * step / end:.0f},{_SPARK_HEIGHT * (high - loss) / scale:.0f}" for step, loss in known
    )


def claim(rows: Sequence[Row], evaluated: Callable[[str, int], Evaluation | None] = lambda run, step: None) -> str:
    """One sentence on all runs together: how many there are, and the best of those on the text that most read.

    Bits per character pay for the whole text, so that runs that read characters and runs that read words compare.

    Args:
        rows: of all runs
        evaluated: the evaluation of a run, by its id, at a step; None where it is unknown
    """
    count = f"{len(rows):,} {'run' if len(rows) == 1 else 'runs'}"
    busy = Counter(entry["status"] for entry in rows)
    words = ((RUNNING, "training"), (QUEUED, "queued"))
    moving = [f"{busy[status]:,} {word}" for status, word in words if busy[status]]
    sentence = count + (f", {' and '.join(moving)}" if moving else "")
    judged = [entry for entry in rows if entry["bits"] is not None]
    if not judged:
        return f"{sentence}; none has been evaluated yet."
    corpus = Counter(entry["corpus"] for entry in judged).most_common(1)[0][0]
    first = sorted((entry for entry in judged if entry["corpus"] == corpus), key=lambda entry: entry["bits"])[:2]
    found = [evaluated(entry["id"], entry["best_step"]) for entry in first]
    best, *others = first
    sentence += f"; on {best['text_name']}, "
    few = too_few(filter(None, found), rest="rest")
    if few:
        return f"{sentence}the validation losses {few}."
    names, parts = _names(rows), [on_a_part(evaluation) for evaluation in found]
    level = number(best["bits"], digits=True)
    sentence += f"the best run is {names[best['id']]} with {level} {UNITS['bits'].name}" + _aside(parts[0])
    for other in others:
        next_level = number(other["bits"], digits=True)
        close = next_level == level
        sentence += f", {'just ' if close else ''}ahead of {names[other['id']]}"
        sentence += ("" if close else f" with {next_level}") + _aside(parts[1])
    return sentence + "."


def _aside(words: str) -> str:
    return f" ({words})" if words else ""


def _names(rows: Sequence[Row]) -> Mapping[str, str]:
    """The names of runs in a sentence, by their ids; those that are the same told apart."""
    names = {entry["id"]: f"“{shorten(entry['name'], _CLAIM_NAME_LENGTH)}”" for entry in rows}
    return told_apart(names, {run: run[:_MARK_LENGTH] for run in names})
