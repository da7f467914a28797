"""What the evaluations of a run read: a function of its config, its steps and its text, and a third of its updates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import Config
from engine.training.evaluation import Part
from engine.training.evaluation_plan import LEAST_PIECES, plan_evaluations


def test_what_is_cheap_is_read_whole_every_time() -> None:
    plan = plan_evaluations(Config(), 2_000, 17_842)
    assert (plan.part, plan.usual, plan.whole) == (None, 17_841, 17_841)
    assert plan.left(0) == (20 * 17_841, 20 * 200)
    assert plan.left(2_000) == (0, 0)


def test_by_hand_on_words_of_a_long_text() -> None:
    config = Config().with_values(level="word", steps=600, evaluations=20)  # 32 x 64 tokens an update
    plan = plan_evaluations(config, 600, 217_646)
    budget = 600 * 2_048 / 3  # trained tokens: a third of the updates
    left = budget - 20 * 200 * 10 - 217_645 * 0.5  # after the samples and the last evaluation
    pieces = int(left / 0.5 / 20 / (128 + 64))
    assert pieces == 135
    assert plan.part == Part(135, 128)
    assert plan.usual == 17_280
    assert plan.whole == 217_645
    assert len(plan.steps) == 20
    # the last reads the part too, so that it can be compared
    assert plan.left(0) == (20 * 17_280 + 217_645, 20 * 200)
    assert plan.left(plan.steps[-2]) == (17_280 + 217_645, 200)


def test_a_short_run_reads_the_least_that_tells_something() -> None:
    plan = plan_evaluations(Config(), 10, 1_000_000)
    assert plan.part == Part(LEAST_PIECES, 128)
    assert plan_evaluations(Config(), 10, 32 * 128 + 1).part is None, "that is the whole"


def test_the_speed_of_the_machine_is_no_part_of_it() -> None:
    config = Config().with_values(steps=500)
    assert plan_evaluations(config, 500, 300_000) == plan_evaluations(config.with_values(seconds=9.0), 500, 300_000)


@given(
    st.integers(1, 20_000), st.integers(2, 2_000_000), st.integers(1, 200), st.integers(0, 2_000), st.integers(1, 64)
)
def test_evaluations_and_samples_keep_to_a_third_of_the_updates_unless_they_are_the_least(
    steps: int, tokens: int, evaluations: int, length: int, streams: int
) -> None:
    config = Config().with_values(evaluations=evaluations, sampling__length=length, streams=streams)
    plan = plan_evaluations(config, steps, tokens)
    read, written = plan.left(0)
    lead_in = 0 if plan.part is None else len(plan.steps) * plan.part.pieces * 64
    cost = (read + lead_in) * 0.5 + written * min(10, streams)
    least = plan.part is not None and plan.part == Part(LEAST_PIECES, 128)
    assert cost <= steps * streams * config.data.chunk / 3 + 1e-6 or least or plan.whole <= LEAST_PIECES * 128
    assert plan.steps[-1] == steps


@pytest.mark.parametrize("step", [0, 1, 7, 299])
def test_what_is_left_is_what_the_later_evaluations_read(step: int) -> None:
    plan = plan_evaluations(Config().with_values(evaluations=9), 300, 400_000)
    later = [at for at in plan.steps if at > step]
    assert plan.left(step) == (len(later) * plan.usual + plan.whole, len(later) * 200)
