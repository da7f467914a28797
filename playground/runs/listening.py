"""Noticing cheaply that somebody wrote to the store."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playground.runs.database import Database, sentences
from playground.runs.records import Command, StoreError
from playground.runs.store import Store

log = logging.getLogger("unrolled.listening")


@contextmanager
def _sentences() -> Iterator[None]:
    """As `sentences`, also for what is asked past SQLAlchemy."""
    try:
        with sentences():
            yield
    except sqlite3.Error as error:
        raise StoreError(f"The store cannot be read ({error}): check its file and folder.") from error


class ChangeDetector:
    """Whether anyone committed to the database since the last look.

    For SQLite one `PRAGMA data_version` on a connection of its own (some ten microseconds); other databases have
    no such thing, and the answer is always yes. Used from one thread, and closed before a fork.
    """

    def __init__(self, store: Database) -> None:
        self._store = store
        self._connection: Any = None
        self._seen: int | None = None

    def changed(self) -> bool:
        """Whether to look again. The first look is always worth it."""
        with _sentences():
            if self._store.engine.dialect.name != "sqlite":
                return True
            if self._connection is None:
                self._connection = self._store.engine.raw_connection()
                self._cursor = self._connection.cursor()
            version = self._cursor.execute("PRAGMA data_version").fetchone()[0]
            seen, self._seen = self._seen, version
            return version != seen

    def close(self) -> None:
        """Give the connection back; the next look opens another."""
        if self._connection is not None:
            self._cursor.close()
            self._connection.close()
            self._connection, self._seen = None, None


class Listener:
    """What pages ask of some runs, as it comes. Used from one thread."""

    def __init__(self, store: Store, run_ids: Sequence[str]) -> None:
        self._store = store
        self._run_ids = run_ids
        self._connection: Any = None
        self._newest: int | None = -1
        self._forgotten = 0
        self.last = 0
        """number of the newest command heard"""

    def poll(self) -> list[Command]:
        """The commands since the last call, oldest first. They are forgotten in the store, as soon as it lets them."""
        try:
            if not self._anything_new() and self.last == self._forgotten:
                return []
            heard = self._store.commands(self._run_ids, self.last)
        except StoreError:
            self.close()  # the next look is worth a fresh connection
            raise
        if heard:
            self.last = heard[-1].id
        if self.last > self._forgotten:
            try:
                self._store.forget_commands(self._run_ids, self.last)
                self._forgotten = self.last
            except StoreError as error:
                log.warning("Commands that were heard stay in the store for now: %s", error)
        return heard

    def _anything_new(self) -> bool:
        """Whether a command came or went. Asked past SQLAlchemy in SQLite, where that takes a twentieth of the time."""
        with _sentences():
            if self._store.engine.dialect.name != "sqlite":
                return True
            if self._connection is None:
                self._connection = self._store.engine.raw_connection()
                self._cursor = self._connection.cursor()
            newest = self._cursor.execute("SELECT max(id) FROM commands").fetchone()[0]
            before, self._newest = self._newest, newest
            return newest is not None and newest != before

    def close(self) -> None:
        """Stop listening."""
        if self._connection is not None:
            self._cursor.close()
            self._connection.close()
            self._connection, self._newest = None, -1
