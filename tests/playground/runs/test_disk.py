"""Trouble that passes, the reserve that lets it be said, and the probe with which pages find it."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from playground.runs import disk
from playground.runs.database import sentences
from playground.runs.disk import Probe, Reserve, passes
from playground.runs.records import StoreError, StoreFullError
from playground.runs.store import Store


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
    with pytest.raises(StoreError) as caught, sentences():
        raise OSError(number, os.strerror(number))
    assert passes(caught.value)
    assert isinstance(caught.value, StoreFullError) == (number in disk.FULL)


def test_a_database_that_refuses_may_change_its_mind_but_a_missing_table_does_not_come_back(store: Store) -> None:
    full = error_of(store, "PRAGMA max_page_count = 1", "CREATE TABLE more AS SELECT randomblob(1000000)")
    assert isinstance(full, StoreFullError)
    assert passes(full)
    assert passes(error_of(store, "PRAGMA query_only = ON", "DELETE FROM commands"))
    assert not passes(error_of(store, "PRAGMA query_only = OFF", "DELETE FROM nothing_of_ours"))
    assert not passes(StoreError("A sentence without a cause."))
    assert not passes(ValueError("not the store's"))


def test_the_reserve_is_laid_given_up_and_laid_again(tmp_path: Path) -> None:
    reserve = Reserve(f"sqlite:///{tmp_path}/store.sqlite")
    assert not reserve.give_up()
    assert reserve.lay()
    assert reserve.path is not None
    assert reserve.path.stat().st_size == disk.RESERVE_BYTES
    assert reserve.lay(), "once is enough"
    assert reserve.give_up()
    assert not reserve.there
    assert list(tmp_path.iterdir()) == []


def test_no_reserve_is_laid_where_there_is_no_room_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = Reserve(f"sqlite:///{tmp_path}/store.sqlite")
    monkeypatch.setattr(disk, "RESERVE_BYTES", 1 << 60)
    assert not reserve.fits
    assert not reserve.lay()
    assert list(tmp_path.iterdir()) == []


def test_other_databases_need_no_reserve() -> None:
    reserve = Reserve("postgresql://somewhere/store")
    assert reserve.lay()
    assert not reserve.give_up()


@pytest.fixture
def probe(store: Store, monkeypatch: pytest.MonkeyPatch) -> Probe:
    monkeypatch.setattr(disk, "PROBE_SECONDS", 0.0)
    return Probe(store)


def test_a_store_that_can_be_written_to_is_no_trouble(probe: Probe, store: Store) -> None:
    assert probe.trouble() is None
    file = disk.file_of(store.url)
    assert file is not None
    assert not list(file.parent.glob("*probe*")), "the probe leaves nothing"


def test_a_probe_says_that_the_disk_is_full_and_gives_the_reserve_up(
    probe: Probe, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = Reserve(store.url)
    assert probe.trouble() is None
    assert reserve.lay()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "_write_beside", full)
        trouble = probe.trouble()
    assert trouble is not None
    assert "no space" in trouble
    assert "go on by themselves" in trouble
    assert not reserve.there
    assert probe.trouble() is None


def test_a_probe_says_that_the_store_is_read_only(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe.trouble() is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    trouble = probe.trouble()
    assert trouble is not None
    assert "permissions" in trouble


def test_many_looks_are_one_probe(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe(store)
    tried: list[Path] = []
    monkeypatch.setattr(disk, "_write_beside", tried.append)
    for _ in range(50):
        probe.trouble()
    assert len(tried) == 1
