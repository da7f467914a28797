"""What is said about a run before it starts."""

from __future__ import annotations

import time

import pytest
import torch

from engine.config import Config
from engine.models.language_model import LanguageModel, mean_loss
from engine.training.estimate import MachineSpeed, estimate, measure_machine
from engine.training.evaluation_plan import plan_evaluations

SPEED = MachineSpeed(seconds_per_timestep=2e-5, products_per_second=1e10)
VOCABULARY = 65
VALIDATION = 20_000


def seconds(**values) -> float:
    return estimate(Config().with_values(**values), VOCABULARY, VALIDATION, SPEED).seconds


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
    said = (
        estimate(small, VOCABULARY, VALIDATION, speed).steps_per_second
        / estimate(large, VOCABULARY, VALIDATION, speed).steps_per_second
    )
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
        estimate(Config().with_values(**{setting: value}), VOCABULARY, VALIDATION, SPEED).memory_bytes
        for value in (1, 2, 4, 8)
    ]
    assert taken == sorted(taken)
    assert taken[-1] > taken[0]


def test_a_run_by_seconds_takes_those_seconds() -> None:
    said = estimate(Config().with_values(seconds=30.0), VOCABULARY, VALIDATION, SPEED)
    assert said.seconds == pytest.approx(30, rel=0.05)
    assert 0.75 * 30 < said.steps / said.steps_per_second < 30


def test_the_parameters_are_those_of_the_model() -> None:
    config = Config().with_values(cell="gru", units=20, layers=2)
    assert (
        estimate(config, VOCABULARY, VALIDATION, SPEED).parameters
        == LanguageModel(config.model, VOCABULARY, seed=0).parameter_count()
    )


def test_an_optimiser_with_more_to_remember_takes_more_memory() -> None:
    taken = [
        estimate(Config().with_values(optimizer=name), VOCABULARY, VALIDATION, SPEED).memory_bytes
        for name in ("sgd", "momentum", "adamw")
    ]
    assert taken[0] < taken[1] < taken[2]


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_measuring_gives_a_speed() -> None:
    speed = measure_machine(0.05)
    assert 1e-7 <= speed.seconds_per_timestep < 1
    assert speed.products_per_second > 1e6


def test_evaluations_and_samples_are_counted_as_the_plan_of_the_run_has_them() -> None:
    config = Config().with_values(steps=300, evaluations=10, sampling__length=0)
    said = estimate(config, VOCABULARY, 200_001, SPEED)
    tokens, _ = plan_evaluations(config, 300, 200_001).left(0)
    assert 200_000 < tokens < 2_000_000
    updates = 300 / said.steps_per_second
    each = 1 / said.steps_per_second / (config.data.streams * config.data.chunk)
    assert said.seconds - updates == pytest.approx(0.4 * each * tokens)
    once = config.with_values(evaluations=1)
    written = estimate(once.with_values(sampling__length=500), VOCABULARY, 200_001, SPEED).seconds
    products = 4 * (4 * 128 * (64 + 128 + 1) + VOCABULARY * 129) / SPEED.products_per_second
    silent = estimate(once, VOCABULARY, 200_001, SPEED).seconds
    assert written - silent == pytest.approx(500 * (1.5 * SPEED.seconds_per_timestep + products))


def test_a_large_vocabulary_costs_more_than_its_products() -> None:
    config = Config().with_values(evaluations=1, steps=1, sampling__length=0)
    few, many = (1 / estimate(config, size, 2, SPEED).steps_per_second for size in (1_000, 10_000))
    tokens, added = config.data.streams * config.data.chunk, 9_000
    products = 3 * tokens * added * (config.model.units + 1) / SPEED.products_per_second
    assert many - few == pytest.approx(products + tokens * added * 3.5e-9)
