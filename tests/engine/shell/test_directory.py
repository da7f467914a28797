"""A run in a folder: what is kept, and what is kept whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import engine
from engine.config import Config
from engine.data import Corpus
from engine.shell.directory import FULL_KEPT, RunDirectory
from engine.training.checkpoint import CHECKPOINT_LIMIT, Best, Checkpoint, CheckpointError


@pytest.fixture(scope="module")
def checkpoint(tiny: Callable[..., Config], story_corpus: Corpus) -> Checkpoint:
    """A full one."""
    return engine.train(tiny(units=2, embedding=0), story_corpus, device="cpu").checkpoint()


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    made = RunDirectory(tmp_path / "run")
    made.create(Config())
    return made


def at(checkpoint: Checkpoint, step: int, *, best: int = 0, full: bool = True) -> Checkpoint:
    moved = replace(checkpoint, step=step, best=Best(best, 1.0) if best else Best())
    return moved if full else moved.weights_only()


def whole(directory: RunDirectory) -> list[int]:
    return [step for step in directory.steps() if directory.load(step).full]


def test_what_was_saved_is_loaded(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    directory.save(at(checkpoint, 7))
    directory.save(at(checkpoint, 30))
    assert directory.steps() == [7, 30]
    assert directory.load().step == 30
    assert directory.load(7).step == 7


def test_the_newest_two_and_the_best_stay_whole(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    for step in (10, 20, 30, 40, 50):
        directory.save(at(checkpoint, step, best=min(step, 20)))
    assert directory.steps() == [10, 20, 30, 40, 50]
    assert whole(directory) == [20, 40, 50]
    assert directory.newest_full().step == 50


def test_a_best_that_is_beaten_does_not_stay_whole(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    for step in (10, 20, 30, 40):
        directory.save(at(checkpoint, step, best=10 if step < 30 else 30))
    assert whole(directory) == [30, 40]
    assert len(whole(directory)) == FULL_KEPT


def test_weights_do_not_replace_a_whole_one(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    directory.save(at(checkpoint, 8))
    directory.save(at(checkpoint, 8, full=False))
    assert directory.load(8).full


def test_going_on_starts_from_the_newest_whole_one(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    directory.save(at(checkpoint, 8))
    directory.save(at(checkpoint, 16, full=False))
    assert directory.load().step == 16
    assert directory.newest_full().step == 8


def test_a_long_run_is_thinned(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    for step in range(60):
        directory.save(at(checkpoint, step, full=step % 5 == 0, best=20 if step >= 20 else 0))
    steps = directory.steps()
    assert len(steps) == CHECKPOINT_LIMIT
    assert {0, 20, 59} <= set(steps)
    assert whole(directory) == [20, 50, 55]
    assert len(list((directory.path / "checkpoints").iterdir())) == CHECKPOINT_LIMIT + 3  # nothing else is left behind


def test_nothing_half_written_is_taken_for_a_checkpoint(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    directory.save(at(checkpoint, 8))
    (directory.path / "checkpoints" / "0000009.part").write_bytes(b"half")
    (directory.path / "checkpoints" / "notes.safetensors").write_bytes(b"not ours")
    assert directory.steps() == [8]


def test_a_folder_that_holds_a_run_is_not_taken_for_another(directory: RunDirectory, checkpoint: Checkpoint) -> None:
    directory.create(Config())  # nothing has been saved in it yet
    directory.save(at(checkpoint, 0))
    with pytest.raises(CheckpointError, match="already contains a run"):
        directory.create(Config())


def test_what_is_not_there_is_said(directory: RunDirectory, checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="contains no checkpoints"):
        directory.load()
    with pytest.raises(CheckpointError, match="contains no checkpoints"):
        RunDirectory(tmp_path / "nowhere").newest_full()
    directory.save(at(checkpoint, 4, full=False))
    with pytest.raises(CheckpointError, match="no full checkpoint"):
        directory.newest_full()
    with pytest.raises(CheckpointError, match="no checkpoint at step 3; it has 4"):
        directory.load(3)
