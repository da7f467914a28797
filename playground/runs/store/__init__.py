"""The store: every run with its rows, checkpoints, texts and analyses. The only thing that pages and the trainer share.

A `Store` opens its database on first use and may be used from any thread; connections come from a pool and are
returned after each call. No connection may cross a fork: call `close()` before it, then both sides can use the store.
"""

from __future__ import annotations

from playground.runs.settings import AppSettings
from playground.runs.store.artifacts import Artifacts
from playground.runs.store.deletion import Deletion


class Store(Artifacts, Deletion):
    """Runs and rows (`RunRecords`), checkpoints (`Artifacts`), the queue (`Dispatch`), jobs (`JobQueue`), named units
    (`Findings`), usage and `Deletion`.

    Methods raise StoreError, with a sentence for visitors, where the database fails.
    """

    @classmethod
    def of(cls, settings: AppSettings) -> Store:
        """The store that the settings name, with its limit."""
        return cls(settings.store, max_bytes=settings.max_store_bytes)
