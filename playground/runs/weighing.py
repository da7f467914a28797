"""How much the store holds, and giving back what it holds no more."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from playground.runs import schema
from playground.runs.database import sentences
from playground.runs.records import LimitError, Storage
from playground.runs.run_records import RunRecords
from playground.text import size

FREE_PAGES_BYTES = 4_000_000
"""Fewer bytes of free pages than this stay in the database file, for what is written next."""

PAGES_AT_ONCE = 2_000
"""Pages given back under one hold of the writer's lock: 8 MB, some tens of milliseconds."""


class Weighing(RunRecords):
    """Bytes by run and in all."""

    def sizes(self) -> dict[str, int]:
        """Bytes of each run's checkpoints and live weights; a run without any is left out, and so are starter runs."""
        with self.reading() as connection:
            return self._sizes(connection)

    def _sizes(self, connection: Connection) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for table in (schema.checkpoints, schema.live):
            for run_id, total in connection.execute(select(table.c.run, func.sum(table.c.bytes)).group_by(table.c.run)):
                sizes[run_id] = sizes.get(run_id, 0) + int(total)
        return sizes

    def storage(self) -> Storage:
        """What the store holds against its limit. With a database that is no file, its small tables do not count."""
        path = self._file
        with sentences(), self.reading() as connection:
            free = _free(path.parent) if path else None
            sizes = self._sizes(connection)
            texts = int(connection.scalar(select(func.coalesce(func.sum(schema.texts.c.bytes), 0))) or 0)
            deleted = connection.scalars(select(schema.runs.c.id).where(schema.runs.c.deleted.is_not(None)))
            restorable = sum(sizes.get(run_id, 0) for run_id in deleted)
            tables = _bytes_of_tables(connection) if path else 0
        return Storage(
            used=sum(sizes.values()) + texts + tables,
            limit=self.max_bytes,
            free_disk=free,
            restorable=restorable,
        )

    def refuse_full(self, coming: int = 0) -> None:
        """Refuse `coming` more bytes, or anything new, where the store has no room for it.

        Raises:
            LimitError: says how full it is, and what to do
        """
        held = self.storage()
        if held.used + coming >= held.limit:
            raise LimitError(
                f"The store holds {size(held.used)} and may hold {size(held.limit)} here (UNROLLED_MAX_STORE_MB): "
                "delete runs that are not needed any more."
            )

    @property
    def _file(self) -> Path | None:
        """The database's file; None where it is not one."""
        url = self.engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def _give_space_back(self) -> None:
        """Shorten the database's file by the pages that hold nothing any more. Other databases do that themselves."""
        path = self._file
        if path is None:
            return
        with sentences(), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if _pragma(cursor, "auto_vacuum") == _NEVER and _unused(cursor) >= FREE_PAGES_BYTES:
                # made by an Unrolled that did not ask for it: rewritten once, if the disk can hold it twice
                if _free(path.parent) > 2 * path.stat().st_size:
                    cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
                    cursor.execute("VACUUM")
                return
            while (unused := _unused(cursor)) >= FREE_PAGES_BYTES:
                cursor.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
                if _unused(cursor) >= unused:
                    return


_NEVER = 0
"""SQLite's `auto_vacuum` of a file whose unused pages stay in it."""


def _pragma(cursor: Any, name: str) -> int:
    return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def _unused(cursor: Any) -> int:
    """Bytes of pages that hold nothing."""
    return _pragma(cursor, "freelist_count") * _pragma(cursor, "page_size")


def _bytes_of_tables(connection: Connection) -> int:
    """Bytes of the pages of an SQLite database that hold something, those in its write-ahead log too."""

    def value(name: str) -> int:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    return (value("page_count") - value("freelist_count")) * value("page_size")


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
