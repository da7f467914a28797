"""When a run has come apart, and what is advised."""

from __future__ import annotations

import math

import pytest

from engine.config import Config
from engine.training.divergence import PATIENCE, DivergenceWatch
from engine.training.events import Diverged

UNIFORM = math.log(60)
BAD = UNIFORM + 1.1


def watch(**values) -> DivergenceWatch:
    return DivergenceWatch(Config().with_values(**values), UNIFORM)


def look(
    at: DivergenceWatch, loss: float, norm: float = 1.0, *, rate: float = 0.1, clipped: bool = True, step: int = 1
):
    return at.look(step, loss, norm, rate, clipped)


@pytest.mark.parametrize(("loss", "shown"), [(math.nan, "NaN"), (math.inf, "∞")])
def test_a_loss_that_is_not_finite_ends_the_run(loss: float, shown: str) -> None:
    diverged = look(watch(), loss, step=7)
    assert isinstance(diverged, Diverged)
    assert diverged.step == 7
    assert diverged.reason == f"The loss is {shown} at step 7."


@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_ends_the_run(norm: float) -> None:
    diverged = look(watch(), 2.0, norm)
    assert isinstance(diverged, Diverged)
    assert "gradient" in diverged.reason


def test_a_loss_a_nat_above_a_uniform_guess_ends_the_run_after_so_many_steps() -> None:
    watched = watch()
    for _ in range(PATIENCE - 1):
        assert look(watched, BAD) is None
    diverged = look(watched, BAD)
    assert isinstance(diverged, Diverged)
    assert "uniform guess" in diverged.reason


def test_one_better_step_starts_the_count_again() -> None:
    watched = watch()
    for _ in range(3):
        for _ in range(PATIENCE - 1):
            assert look(watched, BAD) is None
        assert look(watched, UNIFORM + 0.9) is None


def test_updates_seen_in_one_look_all_count() -> None:
    watched = watch()
    for _ in range(PATIENCE // 10 - 1):
        assert watched.look(1, BAD, 1.0, 0.1, True, 10) is None
    assert watched.look(1, BAD, 1.0, 0.1, True, 10) is not None


def test_a_run_that_learns_is_left_alone() -> None:
    watched = watch()
    for step in range(1_000):
        assert look(watched, UNIFORM * math.exp(-step / 300) + 0.5, step=step) is None


def test_a_jump_of_the_gradient_is_told() -> None:
    watched = watch()
    for norm in (1.0, 1.2, 0.9, 400.0):
        look(watched, 3.0, norm)
    diverged = look(watched, math.nan)
    assert diverged.reason.endswith("the gradient norm had risen from 1.2 to 400.")


def ran_away(watched: DivergenceWatch, *sizes: dict[str, float]) -> Diverged:
    for states in sizes:
        assert watched.look(1, 3.0, 1.0, 0.1, True, states=states) is None
    diverged = watched.look(1, math.nan, 1.0, 0.1, True, states=sizes[-1])
    assert diverged is not None
    return diverged


def test_a_state_that_ran_away_is_named() -> None:
    diverged = ran_away(watch(), {"hidden": 0.6, "cell": 1.25}, {"hidden": 2900.0, "cell": 3038.4})
    assert diverged.reason.endswith("the largest value of the cell state had grown to 3,040.")
    assert diverged.suggestion == {"training__state_penalty": 2.0, "training__carried_limit": 3.0}
    assert ran_away(watch(), {"hidden": 0.6}, {"hidden": 500.0}).reason.endswith(
        "the largest value of the hidden state had grown to 500."
    )


def test_of_two_bounds_the_one_that_was_chosen_stays() -> None:
    diverged = ran_away(watch(state_penalty=10.0), {"hidden": 0.6}, {"hidden": 500.0})
    assert diverged.suggestion == {"training__state_penalty": 10.0, "training__carried_limit": 3.0}
    assert "a state penalty of 10 " in diverged.advice


def test_a_state_that_has_come_back_is_not_blamed() -> None:
    assert "state" not in ran_away(watch(), {"hidden": 500.0}, {"hidden": 0.9}).reason


def test_a_state_that_is_no_longer_finite_is_told_by_its_last_size() -> None:
    diverged = ran_away(watch(), {"hidden": 1.0}, {"hidden": 4e6}, {"hidden": math.inf})
    assert "had grown to 4 M" in diverged.reason


def test_a_large_cell_state_behind_a_tanh_is_not_blamed() -> None:
    diverged = ran_away(watch(), {"hidden": 0.6, "cell": 1.25}, {"hidden": 1.0, "cell": 3000.0})
    assert "state" not in diverged.reason
    assert "training__learning_rate" in diverged.suggestion


def test_where_states_are_held_already_the_learning_rate_is_next() -> None:
    diverged = ran_away(watch(state_penalty=2.0, carried_limit=3.0), {"hidden": 0.6}, {"hidden": 500.0})
    assert "hidden state had grown" in diverged.reason
    assert list(diverged.suggestion) == ["training__learning_rate"]


def test_a_large_gain_is_blamed_first() -> None:
    diverged = look(watch(gain=3.0), math.nan, clipped=False)
    assert diverged.suggestion == {"model__gain": 1.0}


def test_then_a_gradient_without_bound() -> None:
    diverged = look(watch(), math.nan, clipped=False)
    assert diverged.suggestion == {"training__clip": "norm", "training__clip_threshold": 1.0}


def test_then_the_learning_rate() -> None:
    diverged = look(watch(), math.nan, rate=0.5)
    assert diverged.suggestion == {"training__learning_rate": pytest.approx(0.05)}


@pytest.mark.parametrize("rate", [1e-9, 1e-3, 1e3])
@pytest.mark.parametrize("gain", [1.0, 5.0])
@pytest.mark.parametrize("clipped", [True, False])
def test_every_suggestion_is_a_config_that_stands(rate: float, gain: float, clipped: bool) -> None:
    config = Config().with_values(gain=gain, clip="norm" if clipped else "off")
    diverged = DivergenceWatch(config, UNIFORM).look(1, math.nan, 1.0, rate, clipped)
    assert diverged is not None
    assert config.with_values(**diverged.suggestion) != config
    assert diverged.advice.endswith(".")
