"""Weights, optimiser and carried state, to and from named tensors."""

from __future__ import annotations

import pytest
import torch

from engine.config import ModelConfig, TrainingConfig
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import CheckpointError
from engine.training.optimizers import OPTIMIZERS, build_optimizer
from engine.training.restore import load_weights, optimizer_tensors, restore_optimizer, state_from, state_tensors


def make_model(seed: int = 0, **values) -> LanguageModel:
    return LanguageModel(ModelConfig(**{"units": 4, "embedding": 3, **values}), 5, seed=seed)


def step(model: LanguageModel, optimizer: torch.optim.Optimizer, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=random)
    optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_put_away_goes_on_as_if_nothing_had_been(name: str) -> None:
    config = TrainingConfig(optimizer=name, learning_rate=0.1, weight_decay=0.01)
    model = make_model()
    optimizer = build_optimizer(model, config)
    for number in range(3):
        step(model, optimizer, number)
    twin = make_model(seed=9)
    load_weights(twin, model.state_dict())
    twins = build_optimizer(twin, config)
    kept = {key.removeprefix("optimizer."): value.clone() for key, value in optimizer_tensors(optimizer, model).items()}
    restore_optimizer(twins, twin, kept)
    for number in range(3, 6):
        step(model, optimizer, number)
        step(twin, twins, number)
    assert all(map(torch.equal, model.parameters(), twin.parameters()))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_the_carried_state_comes_back(cell: str) -> None:
    model = make_model(cell=cell, layers=2)
    _, state = model(torch.zeros(3, 2, dtype=torch.int64), model.initial_state(2))
    tensors = {name.removeprefix("state."): value.detach() for name, value in state_tensors(state).items()}
    back = state_from(tensors, model.initial_state(2))
    for ours, theirs in zip(state, back, strict=True):
        assert all(map(torch.equal, ours, theirs))


def test_weights_of_half_precision_are_read() -> None:
    model, other = make_model(), make_model(seed=1)
    load_weights(other, {name: value.half() for name, value in model.state_dict().items()})
    assert other.head_weight.dtype == torch.float32
    assert torch.equal(other.head_weight, model.head_weight.half().float())


def test_a_weight_missing_or_left_over_is_named() -> None:
    weights = make_model().state_dict()
    with pytest.raises(CheckpointError, match="head_bias"):
        load_weights(make_model(), {name: value for name, value in weights.items() if name != "head_bias"})
    with pytest.raises(CheckpointError, match="extra"):
        load_weights(make_model(), {**weights, "extra": torch.zeros(1)})


def test_a_weight_of_another_shape_or_kind_is_named() -> None:
    weights = make_model().state_dict()
    with pytest.raises(CheckpointError, match="head_bias has shape"):
        load_weights(make_model(), {**weights, "head_bias": torch.zeros(7)})
    with pytest.raises(CheckpointError, match="head_bias is of type"):
        load_weights(make_model(), {**weights, "head_bias": torch.zeros(5, dtype=torch.int64)})


def test_refused_weights_leave_the_model_as_it_was() -> None:
    model = make_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    wrong = {**make_model(seed=1).state_dict(), "head_bias": torch.zeros(7)}
    with pytest.raises(CheckpointError):
        load_weights(model, wrong)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_optimiser_of_another_model_is_refused() -> None:
    model = make_model()
    optimizer = build_optimizer(model, TrainingConfig())
    with pytest.raises(CheckpointError, match="'nowhere'"):
        restore_optimizer(optimizer, model, {"nowhere/exp_avg": torch.zeros(3)})
    with pytest.raises(CheckpointError, match=r"exp_avg.*head_bias"):
        restore_optimizer(optimizer, model, {"head_bias/exp_avg": torch.zeros(3)})
