"""The runs and their rows for the table, read from the store once for all visitors.

No metric is read: what a row shows is in the run itself. Only rows of runs that have changed are made anew.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from playground.frame import services
from playground.runs.records import QUEUED, Run, Storage, StoreError
from playground.runs.store import Store
from playground.views.runs.rows import Row, own_first, row, row_for_visitor

MOST_RUNS = 1_000
"""Most runs in the table; older ones are reached by their link."""

FRESH_SECONDS = 0.5
"""A listing no older than this does for an update that nobody asked for."""

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
        ordered = own_first(seen, visitor)
        return Listing(
            runs=ordered,
            rows=[
                row_for_visitor(rows[run.id][1], run, visitor=visitor, waiting=waiting, stored_bytes=sizes.get(run.id))
                for run in ordered
            ],
            storage=storage,
            cut=sum(not run.starter for run in runs) >= MOST_RUNS,
        )

    def _read(self, fresh: bool) -> None:
        runs = self.store.runs(limit=MOST_RUNS)
        rows = {}
        for run in runs:
            known = self._rows.get(run.id)
            if known is None or known[0] != run.version:
                known = run.version, row(run, self._per_token(run))
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


@st.cache_resource(max_entries=4, show_spinner=False)
def _run_list(url: str) -> RunList:
    return RunList(services.store())


def listing(*, fresh: bool = False) -> Listing:
    """The runs that this visitor sees; `fresh` where something was just done to them."""
    return _run_list(services.settings().store).listing(services.visitor(), fresh=fresh)


def characters_per_token(store: Store, run: Run) -> float:
    """Mean characters that a token of the run's validation text stands for, by its evaluations; NaN before the first.

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
