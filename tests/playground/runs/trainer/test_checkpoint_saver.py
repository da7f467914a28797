"""Saving beside the training: in order, bounded, nothing lost while the disk is full, and never silently wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from playground.runs.records import StoreFullError
from playground.runs.trainer.checkpoint_saver import PENDING, CheckpointSaver

PATIENCE = 120.0


class Disk:
    """Takes checkpoints down; holds still or is full when told to."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, Any, bool]] = []
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Semaphore(0)
        self.full = False

    def save(self, run_id: str, checkpoint: Any, durable: bool) -> None:
        self.begun.release()
        assert self.free.wait(PATIENCE)
        if self.full:
            raise StoreFullError("There is no space left.")
        self.saved.append((run_id, checkpoint, durable))

    @property
    def steps(self) -> list[int]:
        return [checkpoint for _, checkpoint, _ in self.saved]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def saver(disk: Disk) -> Iterator[CheckpointSaver]:
    made = CheckpointSaver(disk.save)
    yield made
    disk.free.set()
    made.close()
    assert "saver" not in {thread.name for thread in threading.enumerate()}


def put(saver: CheckpointSaver, step: int, durable: bool = False) -> None:
    saver.put("run", step, durable)  # type: ignore[arg-type]  # the saver never looks into what it saves


def test_what_is_put_is_saved_in_order_once_it_has_settled(disk: Disk, saver: CheckpointSaver) -> None:
    for step in range(7):
        put(saver, step, durable=step == 6)
    saver.flush()
    assert disk.saved == [("run", step, step == 6) for step in range(7)]


def test_the_training_goes_on_while_a_checkpoint_is_written_but_not_far(disk: Disk, saver: CheckpointSaver) -> None:
    disk.free.clear()
    put(saver, 0)
    assert disk.begun.acquire(timeout=PATIENCE)
    for step in range(1, PENDING + 1):
        put(saver, step)  # these wait, and the training does not
    over = threading.Thread(target=put, args=(saver, PENDING + 1))
    over.start()
    over.join(0.05)
    assert over.is_alive()
    assert disk.saved == []
    disk.free.set()
    over.join(PATIENCE)
    saver.flush()
    assert disk.steps == list(range(PENDING + 2))


def test_what_cannot_be_saved_is_said_at_each_call_and_saved_when_there_is_room(
    disk: Disk, saver: CheckpointSaver
) -> None:
    disk.full = True
    put(saver, 0)
    put(saver, 1)
    for _ in range(3):
        with pytest.raises(StoreFullError):
            saver.flush()
        with pytest.raises(StoreFullError):
            put(saver, 2)
        assert saver.failed
    disk.full = False
    put(saver, 2)
    saver.flush()
    assert not saver.failed
    assert disk.steps == [0, 1, 2]


def test_a_closed_saver_gives_up_what_could_not_be_saved(disk: Disk, saver: CheckpointSaver) -> None:
    disk.full = True
    put(saver, 0)
    with pytest.raises(StoreFullError):
        saver.flush()
    saver.close()
    assert disk.saved == []
