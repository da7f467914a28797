"""Presets: each stands, and shows what it promises."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine
from engine.config import Config
from engine.models.language_model import LanguageModel
from engine.presets import PRESETS, Preset, lesson_of_divergence, preset_of
from engine.training.events import Diverged, Finished, Progress
from engine.validate import validate

SEEDS = [1337, 1, 2]
_UNBOUNDED = PRESETS["a-state-without-bound"]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_every_config_stands_and_says_what_to_look_for(preset: Preset) -> None:
    assert 1 <= len(preset.configs) <= 4
    assert preset.title
    assert preset.shows
    for config in preset.configs:
        assert validate(config) == config
        assert Config.from_json(config.to_json()) == config


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_the_runs_of_a_race_read_the_same_batches(preset: Preset) -> None:
    assert len({config.data for config in preset.configs}) == 1
    assert len({(config.training.seed, config.training.steps) for config in preset.configs}) == 1
    assert len(set(preset.configs)) == len(preset.configs), "two runs of a race are the same"


def test_the_presets_asked_for_are_there() -> None:
    assert {
        "first-words",
        "hello",
        "shakespeare-in-three-seconds",
        "shakespeare-in-a-minute",
        "a100-on-a-laptop",
        "python-writer",
        "why-clipping-matters",
        "a-state-without-bound",
        "rnn-gru-lstm",
    } <= set(PRESETS)


@pytest.mark.parametrize("seed", SEEDS)
def test_hello_is_learnt_with_three_units_and_no_biases(seed: int) -> None:
    (config,) = PRESETS["hello"].configs
    config = config.with_values(training__seed=seed, sampling__length=0)
    model = LanguageModel(config.model, 4, seed=0)
    assert config.model.units == 3
    assert not [name for name, _ in model.named_parameters() if "bias" in name]
    *_, finished = engine.train(config, device="cpu").events()
    assert isinstance(finished, Finished)
    assert finished.val_loss < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_without_clipping_the_same_network_comes_apart_within_a_hundred_steps(seed: int) -> None:
    clipped, unclipped = (
        config.with_values(training__seed=seed, sampling__length=0)
        for config in PRESETS["why-clipping-matters"].configs
    )
    assert unclipped == clipped.with_values(clip="off")
    assert clipped.training.clip == "norm"
    *_, last = engine.train(unclipped, device="cpu").events()
    assert isinstance(last, Diverged)
    assert last.step <= 100
    assert last.suggestion["training__clip"] == "norm"
    losses = []
    for event in engine.train(clipped, device="cpu").events():
        assert not isinstance(event, Diverged)
        if isinstance(event, Progress):
            losses.append(event.loss)
        if event.step == 60:
            break
    assert min(losses[-10:]) < losses[0] - 0.8


def test_only_what_nothing_bounds_is_meant_to_diverge() -> None:
    clipped, unclipped = PRESETS["why-clipping-matters"].configs
    assert (clipped.training.clip, unclipped.training.clip) == ("norm", "off")
    assert "exploding gradient" in lesson_of_divergence(unclipped)
    assert lesson_of_divergence(clipped) == ""
    assert lesson_of_divergence(unclipped.with_values(learning_rate=0.3)) == "", "a run of one's own is an error"
    meant = [config for preset in PRESETS.values() for config in preset.configs if lesson_of_divergence(config)]
    assert meant == [unclipped, _UNBOUNDED.configs[1]]


def test_a_preset_is_known_again_by_its_config() -> None:
    for preset in PRESETS.values():
        for config in preset.configs:
            assert preset_of(config) is preset
    assert preset_of(PRESETS["hello"].configs[0].with_values(training__seed=99)) is None


def test_the_state_without_a_bound_runs_away_and_the_one_beside_it_does_not(shared_data: Path) -> None:
    """Within 30 steps, on tiny Shakespeare."""
    held, free = (config.with_values(evaluations=1, sampling__length=0) for config in _UNBOUNDED.configs)
    assert held.model == free.model
    largest = {}
    for name, config in (("held", held), ("free", free)):
        training = engine.train(config, device="cpu")
        for event in training.events():
            if isinstance(event, Progress) and event.step == 30:
                largest[name] = training.largest_states()
                break
    assert largest["free"]["cell"] > 300
    assert largest["held"]["cell"] < 20
