"""Memory that ran out is told from other trouble, and a kill by the system from another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.device import is_out_of_memory
from playground.runs.trainer.memory import RECENT_SECONDS, OomKills


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A control group's counters, as version 2 writes them."""
    file = tmp_path / "memory.events"
    file.write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 7\n")
    return file


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The machine's counters, as /proc/vmstat has them."""
    file = tmp_path / "vmstat"
    file.write_text("pgfault 12\noom_kill 4\ndrop_pagecache 0\n")
    return file


def test_a_failed_allocation_is_known_however_it_is_said() -> None:
    with pytest.raises(RuntimeError) as torchs:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(torchs.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(OSError(12, "Cannot allocate memory"))
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_a_kill_in_the_own_group_is_said_for_certain(own: Path, machine: Path) -> None:
    kills = OomKills([own], [machine])
    assert "perhaps because memory ran out" in kills.explain(), "what was counted before is not ours"
    own.write_text("oom_kill 2\n")
    assert "by the system because memory ran out" in kills.explain()


def test_a_kill_somewhere_on_the_machine_is_said_to_be_likely(own: Path, machine: Path) -> None:
    kills = OomKills([own], [machine])
    machine.write_text("oom_kill 5\n")
    assert "very likely" in kills.explain()


def test_a_kill_counts_for_a_while_also_when_it_was_seen_before_the_death(own: Path) -> None:
    clock = Clock()
    kills = OomKills([own], [], clock)
    own.write_text("oom_kill 2\n")
    kills.poll()
    clock.now = RECENT_SECONDS / 2
    kills.poll()
    assert "because memory ran out" in kills.explain()
    assert "perhaps" not in kills.explain()
    clock.now = RECENT_SECONDS + 1
    assert "perhaps" in kills.explain(), "an old kill says nothing of a new death"


def test_without_counters_nothing_is_claimed(tmp_path: Path) -> None:
    kills = OomKills([tmp_path / "not there"], [tmp_path / "nor this"])
    assert kills.explain() == "its process was killed, perhaps because memory ran out"
