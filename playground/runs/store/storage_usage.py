"""How much the store holds, and returning unused space to the disk."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from playground.runs.records import LimitError, Storage
from playground.runs.store import schema
from playground.runs.store.database import as_store_errors
from playground.runs.store.run_records import RunRecords
from playground.text import size

FREE_PAGES_BYTES = 4_000_000
"""Free pages up to this many bytes stay in the database file, for what is written next."""

PAGES_PER_LOCK = 2_000
"""Pages returned while the writer's lock is held once: 8 MB, some tens of milliseconds."""


class StorageUsage(RunRecords):
    """Bytes by run and in total."""

    def sizes(self) -> dict[str, int]:
        """Bytes of each run's checkpoints, live weights and results of jobs, for runs that have any; starter runs are
        left out."""
        with self.reading() as connection:
            sizes = self._sizes(connection, schema.checkpoints, schema.live, schema.jobs)
        return {run_id: total for run_id, total in sizes.items() if total and run_id not in self.starters}

    def _sizes(self, connection: Connection, *tables: Table) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for table in tables:
            for run_id, total in connection.execute(select(table.c.run, func.sum(table.c.bytes)).group_by(table.c.run)):
                sizes[run_id] = sizes.get(run_id, 0) + int(total)
        return sizes

    def storage(self) -> Storage:
        """What the store holds, and its limit. Of the tables of a database that is not a file only the
        results of jobs are counted."""
        path = self._file
        with as_store_errors(), self.reading() as connection:
            free = _free(path.parent) if path else None
            sizes = self._sizes(connection, schema.checkpoints, schema.live)
            results = self._sizes(connection, schema.jobs)
            texts = int(connection.scalar(select(func.coalesce(func.sum(schema.texts.c.bytes), 0))) or 0)
            deleted = connection.scalars(select(schema.runs.c.id).where(schema.runs.c.deleted.is_not(None)))
            restorable = sum(sizes.get(run_id, 0) + results.get(run_id, 0) for run_id in deleted)
            # an SQLite file's pages hold the results too
            tables = _bytes_of_tables(connection) if path else sum(results.values())
        return Storage(
            used=sum(sizes.values()) + texts + tables,
            limit=self.max_bytes,
            free_disk=free,
            restorable=restorable,
        )

    def check_capacity(self, added: int = 0) -> None:
        """Refuse `added` more bytes, or anything new, if the store has no room for it.

        Raises:
            LimitError: says how full it is, and what to do
        """
        held = self.storage()
        if held.used + added >= held.limit:
            raise LimitError(
                f"The store holds {size(held.used)} and may hold {size(held.limit)} here (UNROLLED_MAX_STORE_MB): "
                "delete runs you no longer need."
            )

    @property
    def _file(self) -> Path | None:
        """The database's file; None if it is not a file."""
        url = self.engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def _return_space(self) -> None:
        """Shorten an SQLite file by its unused pages. Other databases do that by themselves."""
        path = self._file
        if path is None:
            return
        with as_store_errors(), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if _pragma(cursor, "auto_vacuum") == _NEVER and _unused(cursor) >= FREE_PAGES_BYTES:
                # made without auto_vacuum by an older Unrolled: rewritten once, if the disk can hold it twice
                if _free(path.parent) > 2 * path.stat().st_size:
                    cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
                    cursor.execute("VACUUM")
                return
            while (unused := _unused(cursor)) >= FREE_PAGES_BYTES:
                cursor.execute(f"PRAGMA incremental_vacuum({PAGES_PER_LOCK})").fetchall()
                if _unused(cursor) >= unused:
                    return


_NEVER = 0
"""SQLite's `auto_vacuum` of a file that keeps its unused pages."""


def _pragma(cursor: Any, name: str) -> int:
    return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def _unused(cursor: Any) -> int:
    """Bytes of unused pages."""
    return _pragma(cursor, "freelist_count") * _pragma(cursor, "page_size")


def _bytes_of_tables(connection: Connection) -> int:
    """Bytes of the used pages of an SQLite database, including those in its write-ahead log."""

    def value(name: str) -> int:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    return (value("page_count") - value("freelist_count")) * value("page_size")


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
