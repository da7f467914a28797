"""Cheap polling of the store: has anyone written to it, and have visitors sent commands?"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from playground.runs.records import Command, StoreError
from playground.runs.store import Store
from playground.runs.store.database import Database, as_store_errors

log = logging.getLogger("unrolled.polling")


class ChangeDetector:
    """Whether the value of an SQL query has changed since it was last asked for.

    The query goes past SQLAlchemy, on a connection of its own: some ten microseconds, a twentieth of the time. That is
    for SQLite alone; with other databases the answer is always yes. Used from one thread, and closed before a fork.

    Args:
        query: gives one value; the default changes whenever another connection commits
    """

    def __init__(self, store: Database, query: str = "PRAGMA data_version") -> None:
        self._store = store
        self._query = query
        self._connection: Any = None
        self._seen: object = None

    def changed(self) -> bool:
        """Whether to read the store. The first answer after opening or closing is yes. Raises StoreError."""
        try:
            with as_store_errors():
                if self._store.engine.dialect.name != "sqlite":
                    return True
                opened = self._connection is None
                if opened:
                    self._connection = self._store.engine.raw_connection()
                    self._cursor = self._connection.cursor()
                before, self._seen = self._seen, self._cursor.execute(self._query).fetchone()[0]
                return opened or self._seen != before
        except sqlite3.Error as error:
            raise StoreError(f"The store cannot be read ({error}): check its file and folder.") from error

    def close(self) -> None:
        """Give the connection back; the next call opens another."""
        if self._connection is not None:
            self._cursor.close()
            self._connection.close()
            self._connection = None


class CommandPoller:
    """The commands that visitors send to some runs. Used from one thread."""

    def __init__(self, store: Store, run_ids: Sequence[str]) -> None:
        self._store = store
        self._run_ids = run_ids
        self._detector = ChangeDetector(store, "SELECT max(id) FROM commands")
        self._deleted = 0
        self.last = 0
        """number of the newest command received"""

    def poll(self) -> list[Command]:
        """The commands since the last call, oldest first. Their rows are deleted, as soon as the store allows it."""
        try:
            if not self._detector.changed() and self.last == self._deleted:
                return []
            commands = self._store.commands(self._run_ids, self.last)
        except StoreError:
            self.close()  # the next poll may succeed on a fresh connection
            raise
        if commands:
            self.last = commands[-1].id
        if self.last > self._deleted:
            try:
                self._store.delete_commands(self._run_ids, self.last)
                self._deleted = self.last
            except StoreError as error:
                log.warning("Commands that were received stay in the store for now: %s", error)
        return commands

    def close(self) -> None:
        """Give the connection back."""
        self._detector.close()
