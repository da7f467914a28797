"""When things happen along the steps of a run."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.config import TrainingConfig
from engine.training.schedule import (
    FINAL_SHARE,
    evaluation_steps,
    is_power_of_two,
    learning_rate,
    records_progress,
)

PEAK = 0.5


def rates(schedule: str, warmup: int, planned: int) -> list[float]:
    config = TrainingConfig(schedule=schedule, warmup=warmup, learning_rate=PEAK)
    return [learning_rate(config, step, planned) for step in range(planned + 1)]


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_warm_up_rises_in_equal_steps_to_the_peak(schedule: str) -> None:
    found = rates(schedule, 10, 100)
    assert found[:10] == pytest.approx([PEAK * (step + 1) / 10 for step in range(10)])
    assert found[10] == pytest.approx(PEAK)
    assert max(found) == pytest.approx(PEAK)


@pytest.mark.parametrize(("schedule", "end"), [("cosine", FINAL_SHARE), ("linear", FINAL_SHARE), ("constant", 1.0)])
def test_the_rate_ends_where_its_schedule_says(schedule: str, end: float) -> None:
    assert rates(schedule, 10, 100)[-1] == pytest.approx(PEAK * end)


def test_halfway_down_linear_and_cosine_are_in_the_middle() -> None:
    middle = PEAK * (1 + FINAL_SHARE) / 2
    assert rates("linear", 0, 100)[50] == pytest.approx(middle)
    assert rates("cosine", 0, 100)[50] == pytest.approx(middle)
    quarter = PEAK * (FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.sqrt(0.5)))
    assert rates("cosine", 0, 100)[25] == pytest.approx(quarter)


def test_a_warm_up_longer_than_half_the_run_is_cut_to_half() -> None:
    assert rates("linear", 1_000, 20)[9] == pytest.approx(PEAK)


@given(st.sampled_from(["cosine", "linear", "constant"]), st.integers(0, 200), st.integers(1, 300), st.integers(0, 400))
def test_a_rate_is_positive_and_never_above_the_peak(schedule: str, warmup: int, planned: int, step: int) -> None:
    config = TrainingConfig(schedule=schedule, warmup=warmup, learning_rate=PEAK)
    assert 0 < learning_rate(config, step, planned) <= PEAK * (1 + 1e-12)


@given(st.integers(1, 1_000_000), st.integers(1, 200))
def test_evaluations_begin_early_end_with_the_run_and_are_as_many_as_asked(planned: int, count: int) -> None:
    steps = evaluation_steps(planned, count)
    assert steps[0] == max(1, round(planned / count**2))
    assert steps[-1] == planned
    assert list(steps) == sorted(set(steps))
    assert len(steps) <= count
    if planned > 10 * count**2:
        assert len(steps) >= count


def test_evaluations_are_denser_early_on() -> None:
    steps = evaluation_steps(10_000, 20)
    gaps = [later - earlier for earlier, later in pairwise(steps)]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 5 * gaps[0]


@settings(max_examples=20)
@given(st.integers(1, 30_000))
@example(999)
@example(1_001)
@example(1_999)
def test_a_run_has_at_most_twelve_hundred_reports(planned: int) -> None:
    reported = [step for step in range(1, planned + 1) if records_progress(step, planned)]
    assert len(reported) <= 1_200
    assert reported[-1] == planned
    assert reported[:100] == list(range(1, min(planned, 100) + 1))
    assert len(reported) >= min(planned, 500)


def test_powers_of_two_are_the_steps_to_keep() -> None:
    assert [step for step in range(70) if is_power_of_two(step)] == [0, 1, 2, 4, 8, 16, 32, 64]
