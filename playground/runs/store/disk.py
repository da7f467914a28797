"""A disk that is full or read-only: telling such errors from others, and still being able to report them.

Transient errors (a full disk, a read-only one, a busy or unreachable database) are waited out; others are raised.
Beside an SQLite store lies a small reserve file. It is deleted when the disk is full, so that there is space to write
why the runs wait, and allocated again when there is room. Where even that cannot be written, pages find out by
themselves: `WriteCheck` tries to write.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from playground.runs.records import StoreError, StoreFullError
from playground.runs.store.database import Database, as_store_errors

log = logging.getLogger("unrolled.disk")

RESERVE_BYTES = 1 << 20
"""Size of the reserve: room for writes to the small tables while the disk is full."""

CHECK_BYTES = 1 << 16
"""What a write check writes and deletes again."""

CHECK_SECONDS = 2.0
"""Time between two write checks, however many visitors there are."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Error numbers for no space left, on the disk or in a quota."""

_DENIED = FULL | {errno.EROFS, errno.EACCES, errno.EPERM}
_SQLITE_TRANSIENT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)


def is_transient(error: BaseException) -> bool:
    """Whether the error comes from the disk or the database and may pass by itself, so that waiting makes sense."""
    cause = error.__cause__ if isinstance(error, StoreError) else error
    if isinstance(cause, OSError):
        return cause.errno in _DENIED
    reason = cause.orig if isinstance(cause, DBAPIError) else cause
    if isinstance(reason, sqlite3.Error):
        # a missing table or a damaged file stays so; the upper bits of the code hold details
        code = getattr(reason, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _SQLITE_TRANSIENT
    return isinstance(cause, OperationalError)  # a database server that is full, read-only or unreachable


def file_of(url: str) -> Path | None:
    """The file of an SQLite store; None for another database."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


class ReserveFile:
    """A file beside an SQLite store whose space can be freed. Other databases have none and need none."""

    def __init__(self, url: str) -> None:
        file = file_of(url)
        self.path = None if file is None else Path(f"{file}.reserve")

    @property
    def exists(self) -> bool:
        """Whether the space is reserved."""
        return self.path is None or self.path.exists()

    @property
    def has_room(self) -> bool:
        """Whether the disk has room for it, and as much again to work with."""
        return self.path is None or shutil.disk_usage(self.path.parent).free >= 2 * RESERVE_BYTES

    def allocate(self) -> bool:
        """Reserve the space if it is not yet reserved; whether there is room to continue."""
        if self.path is None:
            return True
        unfinished = Path(f"{self.path}.{os.getpid()}.{threading.get_ident()}")
        try:
            if self.exists:
                return True
            if not self.has_room:
                return False
            with open(unfinished, "wb") as file:
                file.write(os.urandom(RESERVE_BYTES))  # zeros would take no space on a file system that compresses
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self.path)
        except OSError:
            _remove(unfinished)
            return False
        return True

    def release(self) -> bool:
        """Free the space; whether any was reserved."""
        return self.path is not None and _remove(self.path)


class WriteCheck:
    """Whether the store can be written to, found out by trying. Shared by all threads of a process.

    If the disk is full it frees the reserve, so that a visitor can still delete a run.
    """

    def __init__(self, store: Database) -> None:
        self._store = store
        self._reserve = ReserveFile(store.url)
        self._lock = threading.Lock()
        self._checked_at = -1e9
        self._trouble: str | None = None

    def trouble(self) -> str | None:
        """Why the store cannot be read or written, as a sentence, as of the last `CHECK_SECONDS`; None if it can."""
        with self._lock:
            if time.monotonic() - self._checked_at >= CHECK_SECONDS:
                before, self._trouble = self._trouble, self._store.trouble() or self._write_problem()
                if before and not self._trouble:
                    self._store.close()  # connections that were opened read-only stay so
                self._checked_at = time.monotonic()
            return self._trouble

    def _write_problem(self) -> str | None:
        """The error met when writing beside the store, as a sentence."""
        file = file_of(self._store.url)
        if file is None:
            return None
        try:
            with as_store_errors():
                _write_beside(file)
                if not self._reserve.exists and not self._reserve.has_room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        except StoreError as error:
            if isinstance(error, StoreFullError):
                self._reserve.release()
            return f"{error} Running runs are paused until then and continue automatically."
        return None


def _write_beside(file: Path) -> None:
    """Write a little beside `file`, and delete it. Raises OSError."""
    attempt = Path(f"{file}.probe.{os.getpid()}.{threading.get_ident()}")
    try:
        attempt.write_bytes(os.urandom(CHECK_BYTES))
    finally:
        _remove(attempt)
    if not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))


def _remove(path: Path) -> bool:
    """Delete a file if it exists and that is allowed; whether it was deleted."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("%s cannot be deleted: %s", path, error)
        return False
    return True
