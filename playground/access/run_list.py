"""The runs and their rows for the table, read from the store once for all visitors.

No metric is read: what a row shows is in the run itself. Only rows of runs that have changed are made anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.runs.records import QUEUED, Run, Storage, StoreError
from playground.runs.store import Store

Row = Mapping[str, Any]

MINE, OTHERS, STARTER = "mine", "others", "starter"

MOST_RUNS = 1_000
"""Most runs in the table; older ones are reached by their link."""

FRESH_SECONDS = 0.5
"""A listing no older than this does for an update that nobody asked for."""

_SIZES_SECONDS = 5.0


@dataclass(frozen=True)
class Listing:
    """The runs that a visitor may see, in the order of the table, with a row for each."""

    runs: Sequence[Run]
    rows: Sequence[Row]
    storage: Storage | None
    """what the store holds; None where it is out of reach, and only the starter runs are there"""
    cut: bool
    """whether there are more runs than `MOST_RUNS`"""

    @property
    def by_id(self) -> Mapping[str, Run]:
        """The runs by their ids."""
        return {run.id: run for run in self.runs}


@dataclass
class RunList:
    """Runs and rows of one store, shared by all threads of a process.

    Args:
        store: what is listed
        row: makes a run's row
        row_for_visitor: the row as one visitor sees it now
    """

    store: Store
    row: Callable[[Run], Row]
    row_for_visitor: Callable[..., Row]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _runs: list[Run] = field(default_factory=list)
    _rows: dict[str, tuple[int, Row]] = field(default_factory=dict)
    _sizes: Mapping[str, int] = field(default_factory=dict)
    _storage: Storage | None = None
    _read_at: float = -1e9
    _sized_at: float = -1e9

    def listing(self, visitor: str, *, fresh: bool = False) -> Listing:
        """All runs that `visitor` may see; `fresh` asks the store even if somebody just did."""
        with self._lock:
            now = time.monotonic()
            if fresh or now - self._read_at >= FRESH_SECONDS:
                self._read(fresh)
            runs, rows, sizes, storage = self._runs, self._rows, self._sizes, self._storage
            waiting = self.store.queue_state().waiting if any(run.status == QUEUED for run in runs) else ()
        seen = [run for run in runs if run.visibility == "public" or run.owner == visitor or run.starter]
        ordered = own_first(seen, visitor)
        return Listing(
            runs=ordered,
            rows=[
                self.row_for_visitor(
                    rows[run.id][1], run, visitor=visitor, waiting=waiting, stored_bytes=sizes.get(run.id)
                )
                for run in ordered
            ],
            storage=storage,
            cut=sum(not run.starter for run in runs) >= MOST_RUNS,
        )

    def _read(self, fresh: bool) -> None:
        runs = self.store.runs(limit=MOST_RUNS)
        before = self._rows
        rows = {}
        for run in runs:
            known = before.get(run.id)
            if known is None or known[0] != run.version:
                known = run.version, self.row(run)
            rows[run.id] = known
        if fresh or time.monotonic() - self._sized_at >= _SIZES_SECONDS:
            self._read_sizes()
        self._runs, self._rows, self._read_at = runs, rows, time.monotonic()

    def _read_sizes(self) -> None:
        self._sized_at = time.monotonic()
        try:
            self._sizes, self._storage = self.store.sizes(), self.store.storage()
        except StoreError:  # the frame reports it
            self._sizes, self._storage = {}, None


def whose(run: Run, visitor: str) -> str:
    """Whether a run is the visitor's own, somebody else's, or came with Unrolled."""
    if run.starter:
        return STARTER
    return MINE if run.owner in ("", visitor) else OTHERS


def own_first(runs: Iterable[Run], visitor: str) -> list[Run]:
    """Runs in the order of the table: the visitor's own, those of others, the starter runs; each as they came."""
    order = (MINE, OTHERS, STARTER)
    return sorted(runs, key=lambda run: order.index(whose(run, visitor)))
