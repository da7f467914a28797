"""Storage of large byte strings: checkpoints, live weights, visitors' texts.

Beside an SQLite store they are files in a folder, `FILE.blobs/RUN/NAME`. Compared with a second SQLite file this
writes each byte once instead of twice (no write-ahead log), frees the space the moment a run is removed, and never
blocks the single writer of the small tables. With any other database they are rows of one table, because app and
trainer may be on different machines.

A file is written under another name and then renamed, so a readable file is complete, even after `kill -9`. After a
power cut a file may be empty: checkpoints are stored with their SHA-256, and a damaged one is refused by name.
"""

from __future__ import annotations

import math
import os
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, delete, func, select

from playground.runs.records import StoreError
from playground.runs.store.schema import blobs, upsert

TEXTS = "texts"
"""The folder of visitors' texts."""


class BlobMissingError(StoreError):
    """The bytes that a row refers to are missing."""


class Blobs(Protocol):
    """Bytes by (folder, name); a folder is a run's id, or `texts`."""

    def put(self, folder: str, name: str, content: bytes, durable: bool = False) -> None:
        """Store `content`, replacing what had that name; `durable` waits until it is on the disk."""

    def get(self, folder: str, name: str) -> bytes:
        """The bytes under that name. Raises BlobMissingError."""

    def delete(self, folder: str, names: Iterable[str]) -> None:
        """Delete these; missing names are no error."""

    def delete_folder(self, folder: str) -> None:
        """Delete a whole folder."""

    def size(self) -> int:
        """Bytes stored in all."""

    def older_than(self, seconds: float) -> list[tuple[str, str]]:
        """(folder, name) of what was written longer ago, unfinished files too; "" names an empty folder."""


class FileBlobs:
    """Blobs as files under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, folder: str, name: str, content: bytes, durable: bool = False) -> None:
        place = self.root / folder
        place.mkdir(parents=True, exist_ok=True)
        unfinished = place / f".{name}.{os.getpid()}.{threading.get_ident()}"
        try:
            with open(unfinished, "wb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(unfinished, place / name)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def get(self, folder: str, name: str) -> bytes:
        try:
            return (self.root / folder / name).read_bytes()
        except FileNotFoundError:
            raise BlobMissingError(f"The file {name} of {folder} is missing from the store.") from None

    def delete(self, folder: str, names: Iterable[str]) -> None:
        for name in names:
            (self.root / folder / name).unlink(missing_ok=True)

    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self.root / folder, ignore_errors=True)

    def size(self) -> int:
        return sum(_bytes_of(path) for path in self.root.glob("*/*"))

    def older_than(self, seconds: float) -> list[tuple[str, str]]:
        before = time.time() - seconds
        found: list[tuple[str, str]] = []
        for place in _entries(self.root):
            if not place.is_dir(follow_symlinks=False):
                continue
            files = list(_entries(place.path))
            found += [(place.name, file.name) for file in files if _time_of(file) < before]
            if not files and _time_of(place) < before:
                found.append((place.name, ""))
        return found


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """The entries of a folder; none if it does not exist."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _time_of(entry: os.DirEntry[str]) -> float:
    """When it was last written; one that was just deleted counts as new."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return math.inf


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # thinned out meanwhile
        return 0


class TableBlobs:
    """Blobs as rows of one table, for databases that several machines share."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def put(self, folder: str, name: str, content: bytes, durable: bool = False) -> None:
        with self.engine.execution_options(writes=True).begin() as connection:
            connection.execute(upsert(self.engine, blobs), {"folder": folder, "name": name, "content": content})

    def get(self, folder: str, name: str) -> bytes:
        with self.engine.connect() as connection:
            found = select(blobs.c.content).where(blobs.c.folder == folder, blobs.c.name == name)
            content = connection.scalar(found)
        if content is None:
            raise BlobMissingError(f"The blob {name} of {folder} is missing from the store.")
        return bytes(content)

    def delete(self, folder: str, names: Iterable[str]) -> None:
        with self.engine.execution_options(writes=True).begin() as connection:
            connection.execute(delete(blobs).where(blobs.c.folder == folder, blobs.c.name.in_(list(names))))

    def delete_folder(self, folder: str) -> None:
        with self.engine.execution_options(writes=True).begin() as connection:
            connection.execute(delete(blobs).where(blobs.c.folder == folder))

    def size(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.scalar(select(func.coalesce(func.sum(func.length(blobs.c.content)), 0))) or 0)

    def older_than(self, seconds: float) -> list[tuple[str, str]]:
        return []  # rows are written in transactions: none is left unfinished


def blobs_of(engine: Engine) -> Blobs:
    """The blob storage that belongs to the store of `engine`."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        return FileBlobs(Path(f"{engine.url.database}.blobs"))
    return TableBlobs(engine)
