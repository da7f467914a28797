"""One reader of runs for all viewers in an app process.

However many sessions view a run, the store is queried for it at most every 0.05 s, and then only for what is new; all
of them get the same frozen snapshot. Reading also marks the run as watched.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import pandas as pd

from playground.runs.records import CheckpointInfo, Evaluation, Finding, Metric, Run, RunChange, SampleText, StoreError
from playground.runs.store import Store
from playground.runs.store.disk import WriteCheck

log = logging.getLogger("unrolled.reader")

REFRESH_SECONDS = 0.05
"""Snapshots up to this age are shared."""

WATCH_SECONDS = 2.0
"""Time between two marks that a run is watched."""

RUNS_KEPT = 64
"""Runs whose rows are kept in memory; the least recently used is evicted."""


@dataclass(frozen=True)
class Snapshot:
    """A run and all its rows at one moment. Shared between viewers: copy before changing anything.

    Two snapshots with equal `run.version` are the same object.
    """

    run: Run
    metrics: Sequence[Metric]
    evaluations: Sequence[Evaluation]
    samples: Sequence[SampleText]
    changes: Sequence[RunChange]
    checkpoints: Sequence[CheckpointInfo]
    findings: Sequence[Finding] = ()
    """the named units that everybody sees"""

    @property
    def version(self) -> int:
        """Grows with every change to the run."""
        return self.run.version

    @cached_property
    def metrics_frame(self) -> pd.DataFrame:
        """One row for each metric, by step; columns as in `Metric`."""
        return _frame(Metric, self.metrics)

    @cached_property
    def evaluations_frame(self) -> pd.DataFrame:
        """One row for each evaluation, by step; columns as in `Evaluation`."""
        return _frame(Evaluation, self.evaluations)


@dataclass
class _CachedRun:
    """What was read of one run."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    metrics: dict[int, Metric] = field(default_factory=dict)
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    samples: dict[int, SampleText] = field(default_factory=dict)
    changes: list[RunChange] = field(default_factory=list)
    asked_at: float = -1e9
    watched_at: float = -1e9


class RunReader:
    """Snapshots of runs, shared by all threads of a process."""

    def __init__(self, store: Store, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self.store = store
        self.refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._cached: OrderedDict[str, _CachedRun] = OrderedDict()
        self._write_check = WriteCheck(store)

    def snapshot(self, run_id: str, *, watch: bool = True) -> Snapshot:
        """The run as it stood at most `refresh_seconds` ago.

        `watch` marks it as watched, which keeps the live slot of a running run fresh.

        Raises:
            RunNotFoundError: no such run (any more). StoreError: the store cannot be read and never could.
        """
        cached = self._cached_run(run_id)
        # A thread that comes while another one queries the store takes what that one finds.
        with cached.lock:
            now = time.monotonic()
            if cached.snapshot is None or now - cached.asked_at >= self.refresh_seconds:
                self._refresh(run_id, cached)
                cached.asked_at = time.monotonic()
            snapshot = cached.snapshot
            assert snapshot is not None
            if watch and snapshot.run.active and now - cached.watched_at >= WATCH_SECONDS:
                cached.watched_at = now
                self._mark_watched(run_id)
        return snapshot

    def trouble(self) -> str | None:
        """Why the store cannot be read or written at the moment, as a sentence; None if it can. Cheap."""
        return self._write_check.trouble()

    def _mark_watched(self, run_id: str) -> None:
        """A failure is only logged: a store that cannot be written to can still be read."""
        try:
            self.store.watch(run_id)
        except StoreError as error:
            log.info("Not marked as watched: %s", error)

    def forget(self, run_id: str) -> None:
        """Read the run from the start next time."""
        with self._lock:
            self._cached.pop(run_id, None)

    def _cached_run(self, run_id: str) -> _CachedRun:
        with self._lock:
            cached = self._cached.setdefault(run_id, _CachedRun())
            self._cached.move_to_end(run_id)
            while len(self._cached) > RUNS_KEPT:
                self._cached.popitem(last=False)
            return cached

    def _refresh(self, run_id: str, cached: _CachedRun) -> None:
        known = cached.snapshot
        try:
            update = self.store.delta(run_id, known.version if known else 0)
        except StoreError:
            self.forget(run_id)
            raise
        if known is not None and update.run.version == known.version:
            return
        if known is not None and update.run.rewritten > known.version:
            cached.metrics, cached.evaluations, cached.samples, cached.changes = {}, {}, {}, []
        cached.changes = [*cached.changes, *update.changes]
        cached.snapshot = Snapshot(
            run=update.run,
            metrics=_merge(cached.metrics, update.metrics),
            evaluations=_merge(cached.evaluations, update.evaluations),
            samples=_merge(cached.samples, update.samples),
            changes=cached.changes,
            checkpoints=update.checkpoints or (known.checkpoints if known else []),
            findings=update.findings or [],
        )


def _merge(kept: dict[int, Any], new: Sequence[Any]) -> Sequence[Any]:
    """Insert rows by step; returns all rows in order of their steps."""
    last = next(reversed(kept), -1)
    in_order = all(row.step > last for row in new)
    for row in new:
        kept[row.step] = row
    if not in_order:
        ordered = sorted(kept.items())
        kept.clear()
        kept.update(ordered)
    return tuple(kept.values())


def _frame(kind: type, rows: Sequence[Any]) -> pd.DataFrame:
    names = [item.name for item in fields(kind)]
    columns: Mapping[str, list] = {name: [getattr(row, name) for row in rows] for name in names}
    return pd.DataFrame(columns, columns=names)
