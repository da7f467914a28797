"""What is said about a run before it starts."""

from __future__ import annotations

import time

import pytest
import torch

from engine.config import Config
from engine.models.language_model import LanguageModel, mean_loss
from engine.training.estimate import MachineSpeed, estimate, measure_machine

SPEED = MachineSpeed(seconds_per_timestep=2e-5, products_per_second=1e10)
VOCABULARY = 65


def seconds(**values) -> float:
    return estimate(Config().with_values(**values), VOCABULARY, SPEED).seconds


def update_seconds(config: Config) -> float:
    """The quickest of many updates: the one that other processes disturbed least."""
    model = LanguageModel(config.model, VOCABULARY, seed=0)
    random = torch.Generator().manual_seed(0)
    tokens = torch.randint(VOCABULARY, (config.data.chunk, config.data.streams), generator=random)
    taken = []
    for _ in range(25):
        started = time.perf_counter()
        logits, _ = model(tokens, model.initial_state(config.data.streams))
        mean_loss(logits, tokens).backward()
        taken.append(time.perf_counter() - started)
    return min(taken)


def test_the_time_of_a_large_model_beside_a_small_one_is_about_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", time.thread_time)  # what other processes take does not count
    small, large = (Config().with_values(units=units, streams=16, chunk=32) for units in (48, 256))
    speed = measure_machine(0.3)
    said = estimate(small, VOCABULARY, speed).steps_per_second / estimate(large, VOCABULARY, speed).steps_per_second
    measured = update_seconds(large) / update_seconds(small)
    assert 1 / 3 < said / measured < 3


@pytest.mark.parametrize("setting", ["units", "layers", "streams", "chunk", "embedding", "steps"])
def test_more_of_anything_takes_longer(setting: str) -> None:
    taken = [seconds(**{setting: value}) for value in (1, 2, 4, 8)]
    assert taken == sorted(taken)
    assert taken[-1] > taken[0]


@pytest.mark.parametrize("setting", ["units", "layers", "streams", "chunk", "embedding"])
def test_more_of_anything_takes_more_memory(setting: str) -> None:
    taken = [
        estimate(Config().with_values(**{setting: value}), VOCABULARY, SPEED).memory_bytes for value in (1, 2, 4, 8)
    ]
    assert taken == sorted(taken)
    assert taken[-1] > taken[0]


def test_a_run_by_seconds_takes_those_seconds() -> None:
    said = estimate(Config().with_values(seconds=30.0), VOCABULARY, SPEED)
    assert said.seconds == pytest.approx(30, rel=0.05)
    assert said.steps == pytest.approx(30 * said.steps_per_second, rel=0.05)


def test_the_parameters_are_those_of_the_model() -> None:
    config = Config().with_values(cell="gru", units=20, layers=2)
    assert (
        estimate(config, VOCABULARY, SPEED).parameters
        == LanguageModel(config.model, VOCABULARY, seed=0).parameter_count()
    )


def test_an_optimiser_with_more_to_remember_takes_more_memory() -> None:
    taken = [
        estimate(Config().with_values(optimizer=name), VOCABULARY, SPEED).memory_bytes
        for name in ("sgd", "momentum", "adamw")
    ]
    assert taken[0] < taken[1] < taken[2]


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_measuring_gives_a_speed() -> None:
    speed = measure_machine(0.05)
    assert 1e-7 <= speed.seconds_per_timestep < 1
    assert speed.products_per_second > 1e6
