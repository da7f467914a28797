"""What every visitor's table reads: all runs and their rows, asked of the store once for everybody.

Never a metric: what a row shows stands in the run itself. Rows are made anew for runs that have changed, and only
for those.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.runs.records import QUEUED, Run, Storage, StoreError
from playground.runs.store import Store
from playground.views.runs import overview
from playground.views.runs.overview import Row

MOST_RUNS = 1_000
"""Runs in a table; older ones are reached by their link."""

FRESH_SECONDS = 0.5
"""A listing no older than this is good enough for a look that nobody asked for."""

_SIZES_SECONDS = 5.0
_TEXTS_KEPT = 256


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
    """Runs and rows of one store, shared by all threads of a process."""

    store: Store
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _runs: list[Run] = field(default_factory=list)
    _rows: dict[str, tuple[int, Row]] = field(default_factory=dict)
    _sizes: Mapping[str, int] = field(default_factory=dict)
    _characters: dict[tuple, float] = field(default_factory=dict)
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
        ordered = overview.own_first(seen, visitor)
        return Listing(
            runs=ordered,
            rows=[
                overview.placed(rows[run.id][1], run, visitor=visitor, waiting=waiting, size=sizes.get(run.id))
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
            made = (
                known if known and known[0] == run.version else (run.version, overview.row(run, self._per_token(run)))
            )
            rows[run.id] = made
        if fresh or time.monotonic() - self._sized_at >= _SIZES_SECONDS:
            self._weigh()
        self._runs, self._rows, self._read_at = runs, rows, time.monotonic()

    def _weigh(self) -> None:
        self._sized_at = time.monotonic()
        try:
            self._sizes, self._storage = self.store.sizes(), self.store.storage()
        except StoreError:  # the frame says what is the matter
            self._sizes, self._storage = {}, None

    def _per_token(self, run: Run) -> float:
        """Mean characters of a token in the run's validation text, from an evaluation of any run that reads it."""
        data = run.config.data
        if data.level == "char":
            return 1.0
        if run.best_loss is None:
            return math.nan
        key = (data.corpus, data.level, data.vocabulary_limit, run.corpus_sha256)
        if key not in self._characters:
            while len(self._characters) >= _TEXTS_KEPT:
                self._characters.pop(next(iter(self._characters)))
            self._characters[key] = characters_per_token(self.store, run)
        return self._characters[key]


def characters_per_token(store: Store, run: Run) -> float:
    """Mean characters that a token of the run's validation text stands for, as its evaluations tell; NaN before one.

    An evaluation holds one loss in both units: bits per character = nats per token / ln 2 / characters per token.
    """
    if run.config.data.level == "char":
        return 1.0
    try:
        evaluations = store.evaluations(run.id)
    except StoreError:
        return math.nan
    for evaluation in evaluations:
        if math.isfinite(evaluation.val_loss) and evaluation.bits_per_character > 0:
            return evaluation.val_loss / (math.log(2.0) * evaluation.bits_per_character)
    return math.nan
