"""The time of a run, and what is left of it."""

from __future__ import annotations

import math

import pytest

from engine.training import meters
from engine.training.meters import Pace, Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that a stopwatch reads; set its one entry."""
    now = [100.0]
    monkeypatch.setattr(meters.time, "perf_counter", lambda: now[0])
    return now


def test_a_stopwatch_leaves_its_pauses_out(clock: list[float]) -> None:
    watch = Stopwatch(5.0)
    clock[0] = 103.0
    assert watch.seconds == 8.0
    watch.stop()
    clock[0] = 1_000.0
    watch.stop()
    assert watch.seconds == 8.0
    watch.start()
    clock[0] = 1_001.5
    watch.start()
    assert watch.seconds == 9.5


def test_nothing_can_be_told_before_the_first_update() -> None:
    assert math.isnan(Pace(64).left(10, 0, 0))


def test_what_is_left_by_hand() -> None:
    pace = Pace(tokens_per_update=100)
    pace.update(3.0)
    assert pace.left(4, 0, 0) == 12.0
    pace.update(0.5)  # the first one set kernels up
    pace.update(0.7)
    assert pace.left(10, 0, 0) == pytest.approx(6.0)
    # before anything was read or written, a token read costs half of a trained one, one written ten
    assert pace.left(0, 1_000, 0) == pytest.approx(1_000 * 0.5 * 0.006)
    assert pace.left(0, 0, 20) == pytest.approx(20 * 10 * 0.006)
    pace.evaluated(500, 2.0)
    pace.sampled(100, 0.5)
    assert pace.left(10, 1_000, 20) == pytest.approx(6.0 + 4.0 + 0.1)


def test_a_machine_that_becomes_slower_is_noticed_within_some_updates() -> None:
    pace = Pace(100)
    for seconds in (1.0, *[1.0] * 500, *[2.0] * 200):
        pace.update(seconds)
    assert pace.left(1, 0, 0) == pytest.approx(2.0, rel=0.02)
