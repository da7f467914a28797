"""Bounds on the gradient (Pascanu, Mikolov and Bengio 2013)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def clip_gradients(parameters: Sequence[Tensor], kind: str, threshold: float) -> tuple[Tensor, Tensor]:
    """Clip the gradients in place, and say how long the whole gradient was before and after.

    "norm":  g <- g * threshold / ||g|| when ||g|| exceeds the threshold
    "value": every entry into [-threshold, threshold]

    Returns:
        the L2 norm over all gradients before and after, as scalars on their device
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    before = _norm(gradients)
    if kind == "norm":
        factor = (threshold / before).clamp(max=1.0)
        torch._foreach_mul_(gradients, factor)
        return before, before * factor
    if kind == "value":
        torch.nn.utils.clip_grad_value_(parameters, threshold)
        return before, _norm(gradients)
    return before, before


def _norm(gradients: list[Tensor]) -> Tensor:
    return torch.nn.utils.get_total_norm(gradients)
