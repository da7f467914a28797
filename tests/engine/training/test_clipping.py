"""Clipping, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.training.clipping import clip_gradients


def weights(scale: float = 1.0) -> list[Tensor]:
    """Three weights with gradients, the same at each call, and one that has none."""
    random = torch.Generator().manual_seed(0)
    made = []
    for shape in ((4, 3), (5,), (2, 2, 2)):
        weight = torch.zeros(shape, requires_grad=True)
        weight.grad = scale * torch.randn(shape, generator=random)
        made.append(weight)
    return [*made, torch.zeros(3, requires_grad=True)]


def gradients(parameters: list[Tensor]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def length(parameters: list[Tensor]) -> float:
    return torch.cat([gradient.flatten() for gradient in gradients(parameters)]).norm().item()


@pytest.mark.parametrize("threshold", [0.01, 1.0, 1_000.0])
def test_by_norm_it_does_what_torch_does(threshold: float) -> None:
    ours, theirs = weights(), weights()
    before, after = clip_gradients(ours, "norm", threshold)
    total = torch.nn.utils.clip_grad_norm_(theirs[:3], threshold)
    for our_gradient, their_gradient in zip(gradients(ours), gradients(theirs), strict=True):
        assert torch.allclose(our_gradient, their_gradient, rtol=1e-5)
    assert before.item() == pytest.approx(total.item())
    assert after.item() == pytest.approx(length(ours)) == pytest.approx(min(threshold, total.item()))


@pytest.mark.parametrize("threshold", [0.01, 0.5, 1_000.0])
def test_by_value_it_does_what_torch_does(threshold: float) -> None:
    ours, theirs = weights(), weights()
    unclipped = length(ours)
    before, after = clip_gradients(ours, "value", threshold)
    torch.nn.utils.clip_grad_value_(theirs, threshold)
    assert all(map(torch.equal, gradients(ours), gradients(theirs)))
    assert before.item() == pytest.approx(unclipped)
    assert after.item() == pytest.approx(length(ours))


def test_off_it_only_measures() -> None:
    parameters = weights(100.0)
    kept = [gradient.clone() for gradient in gradients(parameters)]
    before, after = clip_gradients(parameters, "off", 1.0)
    assert all(map(torch.equal, gradients(parameters), kept))
    assert before.item() == after.item() == pytest.approx(length(parameters))


def test_a_gradient_of_zero_stays_zero() -> None:
    parameters = weights(0.0)
    before, after = clip_gradients(parameters, "norm", 1.0)
    assert before.item() == after.item() == length(parameters) == 0.0


def test_a_gradient_that_is_not_finite_is_reported() -> None:
    parameters = weights()
    assert parameters[0].grad is not None
    parameters[0].grad[0, 0] = torch.inf
    before, _ = clip_gradients(parameters, "norm", 1.0)
    assert not torch.isfinite(before)
