"""A worker whose store cannot be written to: it waits, says so, loses nothing, and goes on by itself."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from engine.config import Config
from playground.runs.records import HELD_UP
from playground.runs.settings import AppSettings
from playground.runs.store import Store, disk
from playground.runs.store.blobs import FileBlobs
from playground.runs.store.disk import ReserveFile, WriteCheck
from playground.runs.store.dispatch import Claim
from playground.runs.store.starter_files import StarterRuns
from playground.runs.trainer import retry
from playground.runs.trainer.worker import Worker

Until = Callable[..., None]

HALT = 30
"""The step after which a worker stands still, so that something can be done to its disk."""

PATIENCE = 120.0


@pytest.fixture
def config(tiny: Config) -> Config:
    """A run that is saved in full now and then, before and after it halts."""
    return tiny.with_values(steps=150, evaluations=12)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(retry, "POLL_SECONDS", 0.01)


class Disk:
    """Under one store: what it has is seen, what is new is refused while there is `trouble`."""

    def __init__(self, patch: pytest.MonkeyPatch, store: Store) -> None:
        self.trouble: int | None = None
        self.refused = 0
        put = FileBlobs.put

        def guarded(blobs: FileBlobs, *arguments: Any, **named: Any) -> None:
            if self.trouble:
                raise OSError(self.trouble, os.strerror(self.trouble))
            put(blobs, *arguments, **named)

        wait = retry.Retrying._wait

        def counted(waiting: retry.Retrying, for_space: bool) -> None:
            self.refused += 1
            wait(waiting, for_space)

        patch.setattr(FileBlobs, "put", guarded)
        patch.setattr(retry.Retrying, "_wait", counted)
        event.listen(store.engine, "checkout", self._checkout)
        store.close()

    tables_too = False
    """whether the tables are refused as well, not the large files alone"""

    def _checkout(self, connection: sqlite3.Connection, *_: object) -> None:
        refused = self.trouble is not None and self.tables_too
        connection.execute(f"PRAGMA max_page_count = {1 if refused and self.trouble in disk.FULL else 1 << 30}")
        connection.execute(f"PRAGMA query_only = {int(refused and self.trouble not in disk.FULL)}")


class Halting(Worker):
    """Stands still once its runs are well under way, saved in full, until it may go on."""

    def __init__(self, store: Store, claim: Claim, settings: AppSettings) -> None:
        super().__init__(store, claim, settings, alive=lambda: True)
        self.halted, self.may_go_on = threading.Event(), threading.Event()

    def _between_events(self) -> None:
        super()._between_events()
        if self.halted.is_set() or any(loaded.training.step <= HALT for loaded in self.runs.values()):
            return
        self._flush_checkpoints()
        self.halted.set()
        assert self.may_go_on.wait(PATIENCE)


class Training:
    """A worker at work on a thread of its own; it halts on the way unless it is told not to."""

    def __init__(self, store: Store, settings: AppSettings, halts: bool) -> None:
        claim = store.claim("trainer")
        assert claim is not None
        self.worker = Halting(store, claim, settings)
        self.thread = threading.Thread(target=self.worker.work, daemon=True)
        self.thread.start()
        if halts:
            assert self.worker.halted.wait(PATIENCE)
        else:
            self.go_on()

    def go_on(self) -> None:
        self.worker.may_go_on.set()

    def end(self) -> None:
        self.worker.end_requested = True
        self.go_on()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def seen(store: Store) -> Iterator[Store]:
    """The store as a page has it: with connections of its own."""
    other = Store(store.url, StarterRuns(Path("no starter runs")))
    yield other
    other.close()


@pytest.fixture
def faulty(store: Store, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch, store)


Train = Callable[..., Training]


@pytest.fixture
def train(store: Store, settings: AppSettings) -> Iterator[Train]:
    started: list[Training] = []

    def start(halts: bool = True) -> Training:
        started.append(Training(store, settings, halts))
        return started[-1]

    yield start
    for training in started:
        training.end()


def losses(store: Store, run_id: str) -> list[tuple[int, float, float]]:
    return [(row.step, row.loss, row.grad_norm) for row in store.metrics(run_id)]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("tables_too", [False, True])
def test_a_run_waits_for_the_disk_and_goes_on_by_itself_losing_nothing(
    number: int,
    tables_too: bool,
    seen: Store,
    faulty: Disk,
    train: Train,
    config: Config,
    until: Until,
) -> None:
    undisturbed, run_id = seen.create_run(config), seen.create_run(config)
    train(halts=False).thread.join(PATIENCE)
    training = train()
    faulty.tables_too, faulty.trouble = tables_too, number
    training.go_on()
    until(lambda: faulty.refused > 2, "it has tried to save, and tries again")
    if not tables_too:
        until(lambda: seen.run(run_id).why == HELD_UP, "the page is told")
        run = seen.run(run_id)
        assert run.status == "paused"
        assert ("no space" if number == errno.ENOSPC else "permissions") in run.message
        assert "continues automatically" in run.message
        assert seen.changes(run_id)[-1].text == run.message
    (loaded,) = training.worker.runs.values()
    step = loaded.training.step
    assert step < config.training.steps
    assert training.thread.is_alive()
    again = faulty.refused
    until(lambda: faulty.refused > again + 1, "it tries and tries")
    assert loaded.training.step == step, "it does not train on"

    faulty.trouble = None
    until(lambda: seen.run(run_id).status == "finished", "it has gone on by itself")
    assert losses(seen, run_id) == losses(seen, undisturbed)
    assert seen.run(run_id).why == "steps"
    keys = [change.key for change in seen.changes(run_id)]
    assert keys[-2:] == ["running", "finished"]
    assert tables_too or keys == ["running", "paused", "running", "finished"]


def test_what_pages_ask_meanwhile_is_done_when_the_disk_takes_it(
    seen: Store, faulty: Disk, train: Train, config: Config, until: Until
) -> None:
    run_id = seen.create_run(config)
    training = train()
    faulty.trouble = errno.ENOSPC
    training.go_on()
    until(lambda: seen.run(run_id).why == HELD_UP, "it waits")
    seen.command(run_id, "learning_rate", 0.002)
    seen.command(run_id, "stop")
    until(lambda: len(training.worker._earlier_commands) == 2, "it has heard")
    faulty.trouble = None
    until(lambda: seen.run(run_id).status == "stopped", "it stops")
    (turned,) = [change for change in seen.changes(run_id) if change.key == "learning_rate"]
    assert turned.value == 0.002
    assert seen.checkpoints(run_id)[-1].full
    assert seen.run(run_id).why == ""


def test_a_worker_told_to_end_while_it_waits_leaves_the_run_interrupted(
    seen: Store, faulty: Disk, train: Train, config: Config, until: Until
) -> None:
    run_id = seen.create_run(config)
    training = train()
    assert any(info.full for info in seen.checkpoints(run_id)), "something to go on from"
    faulty.trouble = errno.ENOSPC
    training.go_on()
    until(lambda: seen.run(run_id).why == HELD_UP, "it waits")
    training.end()
    run = seen.run(run_id)
    assert run.status == "interrupted"
    assert "could not be saved" in run.message
    assert "no space" in run.message
    assert run.resumable
    faulty.trouble = None
    seen.command(run_id, "resume")
    train(halts=False).thread.join(PATIENCE)
    assert seen.run(run_id).status == "finished"


def test_a_worker_that_dies_while_it_waits_is_marked_as_any_other(
    seen: Store, faulty: Disk, train: Train, config: Config, until: Until
) -> None:
    run_id = seen.create_run(config)
    training = train()
    faulty.trouble = errno.ENOSPC
    training.go_on()
    until(lambda: seen.run(run_id).why == HELD_UP, "it waits")
    assert seen.interrupt(training.worker.claim.numbers, "Interrupted: it was killed.") == [run_id]
    run = seen.run(run_id)
    assert (run.status, run.message, run.why) == ("interrupted", "Interrupted: it was killed.", "")
    assert run.resumable


def test_a_race_waits_together(seen: Store, faulty: Disk, train: Train, config: Config, until: Until) -> None:
    ids = seen.create_race([config, config.with_values(cell="gru")])
    training = train()
    faulty.trouble = errno.ENOSPC
    training.go_on()
    until(lambda: all(seen.run(run_id).why == HELD_UP for run_id in ids), "both wait")
    faulty.trouble = None
    until(lambda: all(seen.run(run_id).status == "finished" for run_id in ids), "both have gone on")


# ---- a real disk, where one may be mounted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if sys.platform != "linux" or mount is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes Linux and the rights of root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_on_a_disk_that_is_really_full_the_page_is_told_and_the_run_goes_on_when_there_is_space(
    small_disk: Path, settings: AppSettings, config: Config, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "CHECK_SECONDS", 0.0)
    store = Store(f"sqlite:///{small_disk}/store.sqlite", StarterRuns(small_disk / "none"))
    page = Store(store.url, StarterRuns(small_disk / "none"))
    probe, reserve = WriteCheck(page), ReserveFile(store.url)
    assert reserve.allocate()
    undisturbed, run_id = page.create_run(config), page.create_run(config)
    Training(store, settings, halts=False).thread.join(PATIENCE)
    training = Training(store, settings, halts=True)

    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    training.go_on()
    until(lambda: page.run(run_id).why == HELD_UP, "the page is told")
    assert "no space" in page.run(run_id).message
    assert not reserve.exists, "the reserve was given up for saying so"
    assert "no space" in (probe.trouble() or ""), "the page finds out by itself"
    shown = losses(page, run_id)

    filler.unlink()
    until(lambda: page.run(run_id).status == "finished", "it has gone on by itself")
    assert losses(page, run_id) == losses(page, undisturbed)
    assert losses(page, run_id)[: len(shown)] == shown
    until(lambda: not training.thread.is_alive(), "the worker has ended")
    assert reserve.exists
    assert probe.trouble() is None
    store.close()
    page.close()
