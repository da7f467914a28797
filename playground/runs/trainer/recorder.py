"""Recording a training's events as rows of the store, buffered and written a few times a second."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from engine.analysis.verbatim import VerbatimIndex
from engine.training.events import Diverged, Evaluated, Event, Finished, Planned, Progress, Sampled, TextRead, Working
from playground.runs.records import (
    DIVERGED,
    FINISHED,
    Evaluation,
    Metric,
    Row,
    RunChange,
    RunWrite,
    SampleText,
    StoreError,
)
from playground.runs.store import Store
from playground.runs.store.rows import finite

WRITE_SECONDS = 0.15
"""Least time between two writes of a run that is watched."""

UNWATCHED_SECONDS = 0.5
"""Least time between two writes of one that is not."""

_AT_WORK = {
    "plan": "Measuring speed to set the number of steps.",
    "text": "Analysing the text before its first evaluation.",
    "evaluation": "Evaluating: {share:.0%} of the validation tokens.",
}
"""What a run that trains is doing while no update is made."""

Record = TypeVar("Record", Metric, Evaluation)


@dataclass
class _Pending:
    rows: list[Row] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)


class Recorder:
    """Buffers what happens in one worker's runs.

    Rows that the store refuses are kept for the next attempt. They stay few, because a worker does not train on until
    they are written.

    Args:
        store: where the rows are written
        claims: the worker's claim number of each run
        training_text: what samples are compared with, to tell how much of them is memorised
    """

    def __init__(self, store: Store, claims: Mapping[str, int], training_text: str = "") -> None:
        self._store = store
        self._claims = claims
        self._training_text = training_text
        self._index: VerbatimIndex | None = None
        self._pending: dict[str, _Pending] = {}
        self._written_at = time.perf_counter()
        self.watched = True

    def record_event(self, run_id: str, event: Event) -> None:
        """Buffer one event of a run."""
        pending = self._pending_of(run_id)
        match event:
            case Progress():
                pending.rows.append(_as_record(Metric, event))
                pending.columns |= {
                    "step": event.step,
                    "last_loss": finite(event.loss),
                    "tokens_per_second": finite(event.tokens_per_second),
                    "seconds": event.seconds,
                    "train_seconds": event.train_seconds,
                    "seconds_left": finite(event.seconds_left),
                    "message": "",
                }
            case TextRead():
                pending.columns["text_facts"] = event.facts
            case Evaluated():
                pending.rows.append(_as_record(Evaluation, event))
                pending.columns |= {"val_loss": finite(event.val_loss), "message": ""}
                if event.best:
                    pending.columns |= {"best_step": event.step, "best_loss": finite(event.val_loss)}
            case Sampled():
                pending.rows.append(self._sample(event))
            case Planned():
                pending.columns |= {
                    "step": event.step,
                    "planned_steps": event.planned_steps,
                    "parameters": event.parameters,
                    "evaluation_steps": event.evaluation_steps,
                    "device": event.device,
                    "threads": event.threads,
                    "message": "",
                }
            case Working() if event.what in _AT_WORK:
                pending.columns |= {"step": event.step, "message": _AT_WORK[event.what].format(share=event.share)}
                if math.isfinite(event.seconds_left):
                    pending.columns["seconds_left"] = event.seconds_left
            case _:
                pending.columns["step"] = event.step

    def add(self, run_id: str, *rows: Row, **columns: Any) -> None:
        """Buffer rows and columns that do not come from an event."""
        pending = self._pending_of(run_id)
        pending.rows.extend(rows)
        pending.columns |= columns

    def due(self, now: float) -> bool:
        """Whether something is buffered and due to be written, `now` by `time.perf_counter`."""
        pause = WRITE_SECONDS if self.watched else UNWATCHED_SECONDS
        return now - self._written_at >= pause and bool(self._pending)

    def flush(self) -> None:
        """Write everything buffered, in one transaction. Raises StoreError, and then keeps all of it."""
        writes = self.take(list(self._pending))
        try:
            if writes:
                self._store.write(writes)
        except StoreError:
            self.put_back(writes)
            raise
        self._written_at = time.perf_counter()

    def take(self, run_ids: Iterable[str], **columns: Any) -> list[RunWrite]:
        """Take what is buffered of these runs out, for the caller to write, with the same `columns` for each."""
        writes = []
        for run_id in run_ids:
            pending = self._pending.pop(run_id, _Pending())
            writes.append(RunWrite(run_id, pending.rows, pending.columns | columns, self._claims[run_id]))
        return writes

    def put_back(self, writes: Iterable[RunWrite]) -> None:
        """Buffer again what was taken and could not be written; what came since is the newer."""
        for write in writes:
            newer = self._pending_of(write.run)
            rows, columns = [*write.rows, *newer.rows], {**(write.columns or {}), **newer.columns}
            self._pending[write.run] = _Pending(rows, columns)

    def _pending_of(self, run_id: str) -> _Pending:
        return self._pending.setdefault(run_id, _Pending())

    def _sample(self, event: Sampled) -> SampleText:
        if self._index is None:
            self._index = VerbatimIndex(self._training_text)
        found = self._index.match(event.text)
        return SampleText(event.step, event.prompt, event.text, found.share, found.longest)


def end_of_run(event: Finished | Diverged) -> tuple[dict[str, Any], RunChange]:
    """The columns and the change that an event which ends a run leaves in the store."""
    now = time.time()
    if isinstance(event, Diverged):
        message = f"{event.reason} {event.advice}".strip()
        columns: dict[str, Any] = {"status": DIVERGED, "message": message, "suggestion": dict(event.suggestion)}
        columns |= {"ended": now, "why": ""}
        return columns, RunChange(event.step, DIVERGED, text=event.reason, when=now)
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
    return columns, RunChange(event.step, FINISHED, text=message, when=now)


_WHY = {
    "steps": "Completed {step:,} steps.",
    "until_loss": "Reached the target validation loss at step {step:,}.",
    "early_stopping": "Stopped early at step {step:,}: the validation loss had stopped improving.",
}


def _as_record(kind: type[Record], event: Event) -> Record:
    """The record whose fields are all attributes of the event."""
    return kind(**{item.name: getattr(event, item.name) for item in fields(kind)})
