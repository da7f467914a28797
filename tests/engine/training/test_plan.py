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
from engine.training.evaluation_plan import EvaluationPlan, plan_evaluations
from engine.training.events import Finished, Planned
from engine.training.plan import Costs, steps_within

MakeConfig = Callable[..., Config]


def plans(evaluations: int, tokens: int = 1) -> Callable[[int], EvaluationPlan]:
    """Plans of as many evaluations, each of the whole of so many tokens, however many steps there are."""
    return lambda _: EvaluationPlan(tuple(range(1, evaluations + 1)), None, tokens, 0)


def test_the_steps_fill_the_time_that_evaluations_and_samples_leave() -> None:
    costs = Costs(update=0.01, evaluation=0.1, token=0.001, sample=0.25)
    steps = steps_within(60.0, plans(20, tokens=400), costs)
    assert 0.95 * 60 <= steps * 0.01 + 20 * (0.1 + 0.4 + 0.25) <= 60


def test_there_is_always_one_step() -> None:
    assert steps_within(1.0, plans(20), Costs(update=5.0, evaluation=5.0, token=0.0, sample=5.0)) == 1
    assert steps_within(-3.0, plans(1), Costs(update=0.1, evaluation=0.1, token=0.0, sample=0.1)) == 1


def test_longer_runs_read_more_and_that_is_planned_for() -> None:
    config = Config().with_values(sampling__length=0)
    costs = Costs(update=0.01, evaluation=0.0, token=2e-6, sample=0.0)
    steps = steps_within(10.0, lambda steps: plan_evaluations(config, steps, 500_000), costs)
    parts = plan_evaluations(config, steps, 500_000)
    tokens, _ = parts.left(0)
    assert parts.part is not None
    assert 9.7 < steps * 0.01 + tokens * 2e-6 <= 9.8
    more, _ = plan_evaluations(config, steps + 100, 500_000).left(0)
    assert more > tokens


@given(st.floats(0.1, 1e4), st.integers(1, 200), st.floats(1e-5, 10), st.floats(0, 10), st.floats(0, 10))
def test_what_is_planned_fits(
    seconds: float, evaluations: int, update: float, evaluation: float, sample: float
) -> None:
    costs = Costs(update, evaluation, 0.0, sample)
    steps = steps_within(seconds, plans(evaluations), costs)
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
