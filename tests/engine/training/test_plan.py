"""A limit in seconds becomes a number of steps, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.config import Config
from engine.data import Corpus
from engine.training.checkpoint import Checkpoint
from engine.training.events import Finished, Planned
from engine.training.plan import Costs, steps_within

MakeConfig = Callable[..., Config]


def test_the_steps_fill_the_time_that_evaluations_and_samples_leave() -> None:
    costs = Costs(update=0.01, evaluation=0.5, sample=0.25)
    steps = steps_within(60.0, 20, costs)
    assert 0.95 * 60 <= steps * 0.01 + 20 * 0.75 <= 60


def test_there_is_always_one_step() -> None:
    assert steps_within(1.0, 20, Costs(update=5.0, evaluation=5.0, sample=5.0)) == 1
    assert steps_within(-3.0, 1, Costs(update=0.1, evaluation=0.1, sample=0.1)) == 1


@given(st.floats(0.1, 1e4), st.integers(1, 200), st.floats(1e-5, 10), st.floats(0, 10), st.floats(0, 10))
def test_what_is_planned_fits(
    seconds: float, evaluations: int, update: float, evaluation: float, sample: float
) -> None:
    costs = Costs(update, evaluation, sample)
    steps = steps_within(seconds, evaluations, costs)
    beside = evaluations * (evaluation + sample)
    assert steps == 1 or steps * update <= max(seconds - beside, seconds / 2) * (1 + 1e-12)  # as products are rounded


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_a_run_by_seconds_plans_its_steps_and_keeps_to_them(tiny: MakeConfig, story_corpus: Corpus) -> None:
    engine.train(tiny(), story_corpus, device="cpu")  # the first optimiser of a process takes a second to import
    config = tiny(seconds=1.0, evaluations=1, sampling__length=0)
    training = engine.train(config, story_corpus, device="cpu")
    assert training.planned_steps is None
    weights = training.model.head_weight.detach().clone()
    planned = next(event for event in training.events() if isinstance(event, Planned))
    assert planned.planned_steps == training.planned_steps
    assert training.planned_steps is not None
    assert training.planned_steps > 1
    assert training.step == 0
    assert (training.model.head_weight == weights).all(), "measuring trained the model itself"
    saved = Checkpoint.from_bytes(training.checkpoint().to_bytes())
    assert saved.planned_steps == planned.planned_steps
    again = engine.train(config, story_corpus, device="cpu", checkpoint=saved)
    *_, finished = again.events()
    assert isinstance(finished, Finished)
    assert finished.step == planned.planned_steps


def test_a_run_stopped_while_it_was_planned_plans_when_it_goes_on(tiny: MakeConfig, story_corpus: Corpus) -> None:
    training = engine.train(tiny(seconds=0.3), story_corpus, device="cpu")
    next(training.events())
    saved = Checkpoint.from_bytes(training.checkpoint().to_bytes())
    assert saved.planned_steps == 0
    again = engine.train(tiny(seconds=0.3), story_corpus, device="cpu", checkpoint=saved)
    planned = next(event for event in again.events() if isinstance(event, Planned))
    assert planned.planned_steps > 0
