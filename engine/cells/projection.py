"""The input's share of every pre-activation: `W_ih x_t + b`, multiplied out for all timesteps at once."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from engine.cells.cell import Parameters

Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def project(inputs: Tensor, parameters: Parameters, linear: Linear = functional.linear) -> Tensor:
    """`W_ih x_t + b` for every timestep, (time, batch, rows).

    Args:
        inputs: (time, batch, inputs), or (time, batch) token ids, which stand for one-hot vectors: their
            product is a column of `weight_ih`, looked up instead of multiplied
        parameters: `weight_ih` (rows, inputs) and, where the model has biases, `bias` (rows)
        linear: how to multiply, by default PyTorch's way
    """
    weight, bias = parameters["weight_ih"], parameters.get("bias")
    if inputs.is_floating_point():
        return linear(inputs, weight, bias)
    columns = weight.T if bias is None else weight.T + bias  # (inputs, rows)
    return functional.embedding(inputs, columns)
