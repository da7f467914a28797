"""Activation functions in place, and their derivatives as factors."""

from __future__ import annotations

import torch
from torch import Tensor

_MINUS_ONE = torch.tensor(-1.0)  # a tensor, as a Python number would be wrapped in one at every call


def tanh(values: Tensor, out: Tensor) -> Tensor:
    """tanh(x) = 2 σ(2x) - 1: on CPU PyTorch's σ is up to eight times as fast as its tanh."""
    torch.add(values, values, out=out).sigmoid_()
    return torch.add(_MINUS_ONE, out, alpha=2, out=out)


def tanh_(values: Tensor) -> Tensor:
    """The same in place."""
    return tanh(values, out=values)


def times_sigmoid_slope(factor: Tensor, sigmoid: Tensor, out: Tensor) -> Tensor:
    """`factor` ⊙ σ'(x), from σ(x): σ' = σ (1 - σ)."""
    return torch.ops.aten.sigmoid_backward.grad_input(factor, sigmoid, grad_input=out)


def times_tanh_slope(factor: Tensor, tanh: Tensor, out: Tensor) -> Tensor:
    """`factor` ⊙ tanh'(x), from tanh(x): tanh' = 1 - tanh²."""
    return torch.ops.aten.tanh_backward.grad_input(factor, tanh, grad_input=out)
