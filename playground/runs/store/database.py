"""A database connection pool, opened on first use, whose errors are sentences for visitors."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError, OperationalError

from playground.runs.records import StoreError, StoreFullError
from playground.runs.store import migrations, schema
from playground.runs.store.blobs import Blobs, blobs_of


class Database:
    """Connections come from a pool, one for each use. They must not cross a fork: call `close()` before."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._writer: Engine | None = None
        self._blobs: Blobs | None = None

    @property
    def engine(self) -> Engine:
        """The pool of connections, opened and checked on first use."""
        with self._lock:
            if self._engine is None:
                engine = schema.open_engine(self.url)
                migrations.prepare(engine)
                self._engine, self._blobs = engine, blobs_of(engine)
                self._writer = engine.execution_options(writes=True)
            return self._engine

    @property
    def blobs(self) -> Blobs:
        """Where checkpoints and texts are stored."""
        assert self.engine is not None
        assert self._blobs is not None
        return self._blobs

    def close(self) -> None:
        """Close all connections; the next use opens new ones, on both sides of a fork."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()

    def trouble(self) -> str | None:
        """Why the database cannot be used, as a sentence; None if it can."""
        try:
            with self.reading() as connection:
                connection.execute(select(schema.schema_version))
        except StoreError as error:
            return str(error)
        return None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection with one read transaction: it sees one state of the database."""
        with as_store_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection with a write transaction, committed if the block ends without an error."""
        with as_store_errors():
            assert self.engine is not None
            assert self._writer is not None
            with self._writer.begin() as connection:
                yield connection


@contextmanager
def as_store_errors() -> Iterator[None]:
    """Turns errors of databases and disks into StoreErrors that say what to do."""
    try:
        yield
    except OperationalError as error:
        raise _explained(str(error.orig)) from error
    except DBAPIError as error:
        raise StoreError(f"The store's database failed ({error.orig}).") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(_FULL) from error
        raise StoreError(f"The store cannot be used ({error}): check the folder and its permissions.") from error


_FULL = "There is no space left on the store's disk: delete runs or other files, then try again."


def _explained(reason: str) -> StoreError:
    if "full" in reason:
        return StoreFullError(_FULL)
    if "readonly" in reason or "read-only" in reason:
        return StoreError("The store cannot be written to: check the permissions of its file and folder.")
    if "locked" in reason:
        return StoreError("The store is busy: another program is writing to it. Try again.")
    return StoreError(f"The store cannot be used ({reason}): check UNROLLED_STORE.")
