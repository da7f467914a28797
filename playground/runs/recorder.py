"""From a training's events to rows in the store, gathered and written a few times a second."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.analysis.verbatim import VerbatimIndex
from engine.training.events import Diverged, Evaluated, Event, Finished, Planned, Progress, Sampled
from playground.runs.records import DIVERGED, FINISHED, Change, Evaluation, Metric, Row, SampleText, StoreError
from playground.runs.rows import finite
from playground.runs.run_records import Entry
from playground.runs.store import Store

WRITE_SECONDS = 0.15
"""Least time between two writes while somebody watches."""

UNWATCHED_SECONDS = 0.5
"""Least time between two writes while nobody does."""


@dataclass
class _Gathered:
    rows: list[Row] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)


class Recorder:
    """Gathers what happens in one worker's runs.

    What the store refuses is kept for the next attempt. It stays little, because a worker does not train on before
    what was gathered is written.

    Args:
        store: where it goes
        claims: the worker's claim number of each run
        training_text: what samples are compared with, to say how much of them is learnt by heart
    """

    def __init__(self, store: Store, claims: Mapping[str, int], training_text: str = "") -> None:
        self._store = store
        self._claims = claims
        self._training_text = training_text
        self._index: VerbatimIndex | None = None
        self._gathered: dict[str, _Gathered] = {}
        self._written_at = time.perf_counter()
        self.watched = True

    def note(self, run_id: str, event: Event) -> None:
        """Take in one event of a run."""
        place = self._place(run_id)
        match event:
            case Progress():
                place.rows.append(_metric(event))
                place.columns |= {
                    "step": event.step,
                    "last_loss": finite(event.loss),
                    "tokens_per_second": finite(event.tokens_per_second),
                    "seconds": event.seconds,
                    "train_seconds": event.train_seconds,
                }
            case Evaluated():
                place.rows.append(_evaluation(event))
                place.columns["val_loss"] = finite(event.val_loss)
                if event.best:
                    place.columns |= {"best_step": event.step, "best_loss": finite(event.val_loss)}
            case Sampled():
                place.rows.append(self._sample(event))
            case Planned():
                place.columns |= {
                    "step": event.step,
                    "planned_steps": event.planned_steps,
                    "parameters": event.parameters,
                    "evaluation_steps": event.evaluation_steps,
                    "device": event.device,
                    "threads": event.threads,
                    "message": "",
                }
            case _:
                place.columns["step"] = event.step

    def add(self, run_id: str, *rows: Row, **columns: Any) -> None:
        """Take in rows and columns that no event brings."""
        place = self._place(run_id)
        place.rows.extend(rows)
        place.columns |= columns

    def due(self, now: float) -> bool:
        """Whether there is something to write and it is time, `now` by `time.perf_counter`."""
        pause = WRITE_SECONDS if self.watched else UNWATCHED_SECONDS
        return now - self._written_at >= pause and bool(self._gathered)

    def flush(self) -> None:
        """Write all that was gathered, in one transaction. Raises StoreError; then all of it is still there."""
        entries = self.take(list(self._gathered))
        try:
            if entries:
                self._store.write(entries)
        except StoreError:
            self.give_back(entries)
            raise
        self._written_at = time.perf_counter()

    def take(self, run_ids: Iterable[str], **columns: Any) -> list[Entry]:
        """What was gathered of these runs, for the caller to write, with the same `columns` for each."""
        entries = []
        for run_id in run_ids:
            place = self._gathered.pop(run_id, _Gathered())
            entries.append(Entry(run_id, place.rows, place.columns | columns, self._claims[run_id]))
        return entries

    def give_back(self, entries: Iterable[Entry]) -> None:
        """Keep what was taken and could not be written; what came since stays the newer."""
        for entry in entries:
            newer = self._place(entry.run)
            rows, columns = [*entry.rows, *newer.rows], {**(entry.columns or {}), **newer.columns}
            self._gathered[entry.run] = _Gathered(rows, columns)

    def _place(self, run_id: str) -> _Gathered:
        return self._gathered.setdefault(run_id, _Gathered())

    def _sample(self, event: Sampled) -> SampleText:
        if self._index is None:
            self._index = VerbatimIndex(self._training_text)
        found = self._index.match(event.text)
        return SampleText(event.step, event.prompt, event.text, found.share, found.longest)


def ending(event: Finished | Diverged) -> tuple[dict[str, Any], Change]:
    """The columns and the mark with which an event ends a run."""
    now = time.time()
    if isinstance(event, Diverged):
        message = f"{event.reason} {event.advice}".strip()
        columns: dict[str, Any] = {"status": DIVERGED, "message": message, "suggestion": dict(event.suggestion)}
        columns |= {"ended": now, "why": ""}
        return columns, Change(event.step, DIVERGED, text=event.reason, when=now)
    message = _WHY.get(event.why, "").format(step=event.step)
    columns = {
        "status": FINISHED,
        "step": event.step,
        "why": event.why,
        "message": message,
        "ended": now,
        "val_loss": finite(event.val_loss),
        "best_step": event.best_step or None,
        "best_loss": finite(event.best_loss),
        "seconds": event.seconds,
        "train_seconds": event.train_seconds,
        "tokens_per_second": finite(event.tokens_per_second),
    }
    return columns, Change(event.step, FINISHED, text=message, when=now)


_WHY = {
    "steps": "Reached its {step:,} steps.",
    "until_loss": "Reached the validation loss it was to stop at, at step {step:,}.",
    "early_stopping": "Stopped at step {step:,}: the validation loss had not improved for long enough.",
}


def _metric(event: Progress) -> Metric:
    return Metric(
        event.step,
        event.loss,
        event.grad_norm,
        event.clipped_norm,
        event.learning_rate,
        event.clip_threshold,
        event.tokens_per_second,
        event.seconds,
        event.train_seconds,
    )


def _evaluation(event: Evaluated) -> Evaluation:
    return Evaluation(
        event.step,
        event.val_loss,
        event.bits_per_character,
        event.train_loss,
        event.best,
        event.rising,
        event.seconds,
        event.train_seconds,
    )
