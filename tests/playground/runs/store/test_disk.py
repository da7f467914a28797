"""Disk trouble that passes, the reserve that lets it be reported, and the write check with which pages find it."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from playground.runs.records import StoreError, StoreFullError
from playground.runs.store import Store, disk
from playground.runs.store.database import as_store_errors
from playground.runs.store.disk import ReserveFile, WriteCheck, is_transient


def error_of(store: Store, pragma: str, statement: str) -> StoreError:
    """What the store raises for `statement`, on connections with that setting."""

    @event.listens_for(store.engine, "checkout")
    def checkout(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(pragma)

    with pytest.raises(StoreError) as caught, store.writing() as connection:
        connection.exec_driver_sql(statement)
    event.remove(store.engine, "checkout", checkout)
    store.close()
    return caught.value


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_may_change_its_mind(number: int) -> None:
    with pytest.raises(StoreError) as caught, as_store_errors():
        raise OSError(number, os.strerror(number))
    assert is_transient(caught.value)
    assert isinstance(caught.value, StoreFullError) == (number in disk.FULL)


def test_a_database_that_refuses_may_change_its_mind_but_a_missing_table_does_not_come_back(store: Store) -> None:
    full = error_of(store, "PRAGMA max_page_count = 1", "CREATE TABLE more AS SELECT randomblob(1000000)")
    assert isinstance(full, StoreFullError)
    assert is_transient(full)
    assert is_transient(error_of(store, "PRAGMA query_only = ON", "DELETE FROM commands"))
    assert not is_transient(error_of(store, "PRAGMA query_only = OFF", "DELETE FROM nothing_of_ours"))
    assert not is_transient(StoreError("A sentence without a cause."))
    assert not is_transient(ValueError("not the store's"))


def test_the_reserve_is_laid_given_up_and_laid_again(tmp_path: Path) -> None:
    reserve = ReserveFile(f"sqlite:///{tmp_path}/store.sqlite")
    assert not reserve.release()
    assert reserve.allocate()
    assert reserve.path is not None
    assert reserve.path.stat().st_size == disk.RESERVE_BYTES
    assert reserve.allocate(), "once is enough"
    assert reserve.release()
    assert not reserve.exists
    assert list(tmp_path.iterdir()) == []


def test_no_reserve_is_laid_where_there_is_no_room_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = ReserveFile(f"sqlite:///{tmp_path}/store.sqlite")
    monkeypatch.setattr(disk, "RESERVE_BYTES", 1 << 60)
    assert not reserve.has_room
    assert not reserve.allocate()
    assert list(tmp_path.iterdir()) == []


def test_other_databases_need_no_reserve() -> None:
    reserve = ReserveFile("postgresql://somewhere/store")
    assert reserve.allocate()
    assert not reserve.release()


@pytest.fixture
def probe(store: Store, monkeypatch: pytest.MonkeyPatch) -> WriteCheck:
    monkeypatch.setattr(disk, "CHECK_SECONDS", 0.0)
    return WriteCheck(store)


def test_a_store_that_can_be_written_to_is_no_trouble(probe: WriteCheck, store: Store) -> None:
    assert probe.trouble() is None
    file = disk.file_of(store.url)
    assert file is not None
    assert not list(file.parent.glob("*probe*")), "the probe leaves nothing"


def test_a_probe_says_that_the_disk_is_full_and_gives_the_reserve_up(
    probe: WriteCheck, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = ReserveFile(store.url)
    assert probe.trouble() is None
    assert reserve.allocate()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "_write_beside", full)
        trouble = probe.trouble()
    assert trouble is not None
    assert "no space" in trouble
    assert "continue automatically" in trouble
    assert not reserve.exists
    assert probe.trouble() is None


def test_a_probe_says_that_the_store_is_read_only(probe: WriteCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe.trouble() is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    trouble = probe.trouble()
    assert trouble is not None
    assert "permissions" in trouble


def test_many_looks_are_one_probe(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = WriteCheck(store)
    tried: list[Path] = []
    monkeypatch.setattr(disk, "_write_beside", tried.append)
    for _ in range(50):
        probe.trouble()
    assert len(tried) == 1
