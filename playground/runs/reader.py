"""One reader of runs for all viewers in an app process.

However many sessions look at a run, the store is asked about it at most every 0.05 s, and then only for
what is new; all of them get the same frozen snapshot. Looking also marks the run as watched.
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

from playground.runs.disk import Probe
from playground.runs.records import Change, CheckpointInfo, Evaluation, Metric, Run, SampleText, StoreError
from playground.runs.store import Store

log = logging.getLogger("unrolled.reader")

REFRESH_SECONDS = 0.05
"""A snapshot no older than this is good enough for everybody."""

WATCH_SECONDS = 2.0
"""Time between two signs that a run is watched."""

RUNS_KEPT = 64
"""Runs whose rows are kept in memory; the one not asked for longest goes first."""


@dataclass(frozen=True)
class Snapshot:
    """A run and all its rows at one moment. Shared between viewers: copy before changing anything.

    Two snapshots with equal `run.version` are the same object.
    """

    run: Run
    metrics: Sequence[Metric]
    evaluations: Sequence[Evaluation]
    samples: Sequence[SampleText]
    changes: Sequence[Change]
    checkpoints: Sequence[CheckpointInfo]

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

    @cached_property
    def changes_frame(self) -> pd.DataFrame:
        """One row for each change, in order; columns as in `Change`."""
        return _frame(Change, self.changes)


@dataclass
class _Followed:
    """What is known of one run."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    metrics: dict[int, Metric] = field(default_factory=dict)
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    samples: dict[int, SampleText] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    asked_at: float = -1e9
    watched_at: float = -1e9


class RunReader:
    """Snapshots of runs, shared by all threads of a process."""

    def __init__(self, store: Store, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self.store = store
        self.refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._probe = Probe(store)

    def snapshot(self, run_id: str, *, watch: bool = True) -> Snapshot:
        """The run as it stood at most `refresh_seconds` ago.

        `watch` says that somebody looks at it, which keeps the live slot of a running run fresh.

        Raises:
            RunNotFoundError: no such run (any more). StoreError: the store cannot be read and never could.
        """
        followed = self._follow(run_id)
        # Whoever comes while another thread asks the store takes what that thread finds.
        with followed.lock:
            now = time.monotonic()
            if followed.snapshot is None or now - followed.asked_at >= self.refresh_seconds:
                self._refresh(run_id, followed)
                followed.asked_at = time.monotonic()
            snapshot = followed.snapshot
            assert snapshot is not None
            if watch and snapshot.run.active and now - followed.watched_at >= WATCH_SECONDS:
                followed.watched_at = now
                self._say_watched(run_id)
        return snapshot

    def trouble(self) -> str | None:
        """Why the store cannot be read or written at present, as a sentence; None if it can. Cheap; ask often."""
        return self._probe.trouble()

    def _say_watched(self, run_id: str) -> None:
        """A store that cannot be written to can still be looked at; why it cannot, the page says elsewhere."""
        try:
            self.store.watch(run_id)
        except StoreError as error:
            log.info("Not noted as watched: %s", error)

    def forget(self, run_id: str) -> None:
        """Read the run from the start next time."""
        with self._lock:
            self._followed.pop(run_id, None)

    def _follow(self, run_id: str) -> _Followed:
        with self._lock:
            followed = self._followed.setdefault(run_id, _Followed())
            self._followed.move_to_end(run_id)
            while len(self._followed) > RUNS_KEPT:
                self._followed.popitem(last=False)
            return followed

    def _refresh(self, run_id: str, followed: _Followed) -> None:
        known = followed.snapshot
        try:
            update = self.store.update(run_id, known.version if known else 0)
        except StoreError:
            self.forget(run_id)
            raise
        if known is not None and update.run.version == known.version:
            return
        if known is not None and update.run.rewritten > known.version:
            followed.metrics, followed.evaluations, followed.samples, followed.changes = {}, {}, {}, []
        followed.changes = [*followed.changes, *update.changes]
        followed.snapshot = Snapshot(
            run=update.run,
            metrics=_merge(followed.metrics, update.metrics),
            evaluations=_merge(followed.evaluations, update.evaluations),
            samples=_merge(followed.samples, update.samples),
            changes=followed.changes,
            checkpoints=update.checkpoints or (known.checkpoints if known else []),
        )


def _merge(kept: dict[int, Any], new: Sequence[Any]) -> Sequence[Any]:
    """Put rows in their places by step; all rows in order of their steps."""
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
