"""The simple recurrent network (Elman 1990), with a choice of activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from torch import Tensor

from engine.cells.cell import Cell, Gate, Option, Parameters, State, Tap, untapped
from engine.cells.equations import Applied, Equation, Named, elman
from engine.config import OptionValue

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}
_RANGES = {
    "tanh": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "sigmoid": (0.0, 1.0),
    "identity": (-float("inf"), float("inf")),
}


class RNN(Cell):
    """h_t = g(W_x x_t + W_h h_{t-1} + b), with g one of tanh, ReLU, σ and the identity.

    Without biases this is CS231n's form. Equal to `torch.nn.RNN` for tanh and ReLU.
    """

    name = "rnn"
    title = "RNN"
    family = "rnn"
    blocks = ("candidate",)
    options: ClassVar = {
        "activation": Option("tanh", tuple(ACTIVATIONS), "the activation function g, applied to the weighted sum"),
    }

    def __init__(self, units: int, options: Mapping[str, OptionValue] | None = None) -> None:
        super().__init__(units, options)
        self.activation = str(self.chosen["activation"])
        low, high = _RANGES[self.activation]
        self.gates = (Gate("candidate", low, high, "the new hidden state"),)
        self.equations = (Equation("hidden", Named("candidate", Applied(self.activation, elman()))),)

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        (hidden,) = state
        pre = projected + hidden @ parameters["weight_hh"].T  # (batch, units)
        candidate = tap("candidate", ACTIVATIONS[self.activation](tap("candidate_pre", pre)))
        return (tap("hidden", candidate),)
