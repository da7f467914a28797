"""A disk that is full or may not be written to: telling such trouble from other faults, and being able to say so.

Trouble that passes (a full disk, a read-only one, a busy or unreachable database) is waited out; other faults end
what met them. Beside an SQLite store lies a small reserve file. It is given up when the disk is full, so that the
runs can still say why they wait, and laid down again when there is room. Where even that cannot be written, pages
find out by themselves: `Probe` tries to write.
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

from playground.runs.database import Database, sentences
from playground.runs.records import StoreError, StoreFullError

log = logging.getLogger("unrolled.disk")

RESERVE_BYTES = 1 << 20
"""What is set aside: room for the small tables' writes while the disk is full."""

PROBE_BYTES = 1 << 16
"""What a probe writes and takes away again."""

PROBE_SECONDS = 2.0
"""Time between two probes, however many people look."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says where there is no space left, on the disk or in a quota."""

_REFUSED = FULL | {errno.EROFS, errno.EACCES, errno.EPERM}
_SQLITE_PASSING = frozenset(
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


def passes(error: BaseException) -> bool:
    """Whether it is trouble of the disk or the database that may pass by itself, so that waiting makes sense."""
    cause = error.__cause__ if isinstance(error, StoreError) else error
    if isinstance(cause, OSError):
        return cause.errno in _REFUSED
    reason = cause.orig if isinstance(cause, DBAPIError) else cause
    if isinstance(reason, sqlite3.Error):
        # a missing table or a damaged file is for good; the upper bits only say more of the same
        code = getattr(reason, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _SQLITE_PASSING
    return isinstance(cause, OperationalError)  # another machine's database is full, read-only or away


def file_of(url: str) -> Path | None:
    """The file of an SQLite store; None for another database."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


class Reserve:
    """A file beside an SQLite store whose space can be given up. For other databases there is none, and no need."""

    def __init__(self, url: str) -> None:
        file = file_of(url)
        self.path = None if file is None else Path(f"{file}.reserve")

    @property
    def there(self) -> bool:
        """Whether the space is set aside."""
        return self.path is None or self.path.exists()

    @property
    def fits(self) -> bool:
        """Whether the disk has room for it, and for something to go on with."""
        return self.path is None or shutil.disk_usage(self.path.parent).free >= 2 * RESERVE_BYTES

    def lay(self) -> bool:
        """Set the space aside unless it is already; whether there is room to go on."""
        if self.path is None:
            return True
        unfinished = Path(f"{self.path}.{os.getpid()}.{threading.get_ident()}")
        try:
            if self.there:
                return True
            if not self.fits:
                return False
            with open(unfinished, "wb") as file:
                file.write(os.urandom(RESERVE_BYTES))  # a file system that compresses would keep nothing of zeros
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self.path)
        except OSError:
            _remove(unfinished)
            return False
        return True

    def give_up(self) -> bool:
        """Free the space; whether there was any."""
        return self.path is not None and _remove(self.path)


class Probe:
    """Whether the store can be written to, found out by trying. One for all threads of a process.

    It gives the reserve up where the disk is full, so that a page can still delete a run.
    """

    def __init__(self, store: Database) -> None:
        self._store = store
        self._reserve = Reserve(store.url)
        self._lock = threading.Lock()
        self._tried_at = -1e9
        self._trouble: str | None = None

    def trouble(self) -> str | None:
        """Why the store cannot be read or written, as a sentence, as of the last `PROBE_SECONDS`; None if it can."""
        with self._lock:
            if time.monotonic() - self._tried_at >= PROBE_SECONDS:
                before, self._trouble = self._trouble, self._store.trouble() or self._refusal()
                if before and not self._trouble:
                    self._store.close()  # connections that were opened read-only stay so
                self._tried_at = time.monotonic()
            return self._trouble

    def _refusal(self) -> str | None:
        """What the disk says to somebody who writes beside the store."""
        file = file_of(self._store.url)
        if file is None:
            return None
        try:
            with sentences():
                _write_beside(file)
                if not self._reserve.there and not self._reserve.fits:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        except StoreError as error:
            if isinstance(error, StoreFullError):
                self._reserve.give_up()
            return f"{error} Runs that train wait meanwhile, and go on by themselves."
        return None


def _write_beside(file: Path) -> None:
    """Write a little beside `file`, and take it away. Raises what the system says."""
    attempt = Path(f"{file}.probe.{os.getpid()}.{threading.get_ident()}")
    try:
        attempt.write_bytes(os.urandom(PROBE_BYTES))
    finally:
        _remove(attempt)
    if not os.access(file, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))


def _remove(path: Path) -> bool:
    """Delete a file if it is there and that is allowed; whether it was done."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("%s cannot be deleted: %s", path, error)
        return False
    return True
