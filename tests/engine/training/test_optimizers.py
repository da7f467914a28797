"""Update rules by name."""

from __future__ import annotations

import pytest
import torch

from engine.config import ModelConfig, TrainingConfig
from engine.models.language_model import LanguageModel
from engine.training.optimizers import OPTIMIZERS, build_optimizer

MODEL = ModelConfig(units=4, embedding=3, layers=2)


def one_step(**values) -> tuple[dict, dict, dict]:
    """Weights before and after one update of constant gradients, and the gradients."""
    model = LanguageModel(MODEL, 5, seed=0)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    build_optimizer(model, TrainingConfig(**values)).step()
    after = {name: value.detach() for name, value in model.named_parameters()}
    return before, after, {name: parameter.grad for name, parameter in model.named_parameters()}


FIRST_STEPS = {
    "sgd": 0.1 * 0.5,
    "momentum": 0.1 * 0.5,
    "rmsprop": 0.1 * 0.5 / (0.1 * 0.25) ** 0.5,  # s = (1 - 0.9) g²
    "adagrad": 0.1,
    "adamw": 0.1,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_first_step_is_the_rules(name: str) -> None:
    before, after, _ = one_step(optimizer=name, learning_rate=0.1, momentum=0.9)
    for key in before:
        assert torch.allclose(before[key] - after[key], torch.tensor(FIRST_STEPS[name]), atol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_the_matrices_of_products_decay(name: str) -> None:
    _, plain, _ = one_step(optimizer=name, learning_rate=0.01)
    _, decayed, _ = one_step(optimizer=name, learning_rate=0.01, weight_decay=0.5)
    changed = {key for key in plain if not torch.equal(plain[key], decayed[key])}
    matrices = {"head_weight", *(f"stack.layers.{n}.weight_{w}" for n in (0, 1) for w in ("ih", "hh"))}
    if name == "adagrad":  # its first step is the gradient's sign, so an L2 penalty may leave it as it is
        assert changed <= matrices
    else:
        assert changed == matrices


def test_every_weight_is_updated() -> None:
    model = LanguageModel(MODEL, 5, seed=0)
    groups = build_optimizer(model, TrainingConfig()).param_groups
    held = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(held) == sorted(map(id, model.parameters()))


def test_every_rule_is_named_and_explained() -> None:
    for rule in OPTIMIZERS.values():
        assert rule.title
        assert rule.meaning
