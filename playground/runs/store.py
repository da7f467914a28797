"""The store: every run, what happened in it and what was saved of it. The only thing pages and trainer share.

A `Store` opens its database on first use and may be used from any thread; connections come from a pool
and are returned after each call. No connection may be carried through a fork: `close()` before it, and the
store can be used on both sides.
"""

from __future__ import annotations

from playground.runs.deleting import Deleting
from playground.runs.saved import SavedThings
from playground.runs.settings import Settings


class Store(SavedThings, Deleting):
    """Runs, their rows (`RunRecords`), weights (`SavedThings`), training (`Dispatch`), size and end (`Deleting`).

    Methods raise StoreError, with a sentence for people, where the database cannot do its part.
    """

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """The store that the settings name, with its limit."""
        return cls(settings.store, max_bytes=settings.max_store_bytes)
