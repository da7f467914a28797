"""The simple recurrent network's passes.

h_t = g(a_t),  a_t = W_x x_t + b + W_h h_{t-1}

Backwards: dL/da_t = dL/dh_t ⊙ g'(a_t),  dL/dh_{t-1} = W_hᵀ dL/da_t, and what comes back from the output.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.cells.cell import Parameters, State
from engine.cells.packed.functions import tanh_
from engine.cells.packed.passes import Gradients, Passes, RecurrentRows, Tape, after, before, timesteps, timesteps_back
from engine.cells.products import product_with
from engine.cells.rnn import RNN

ACTIVATE: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": tanh_,
    "relu": Tensor.relu_,
    "sigmoid": Tensor.sigmoid_,
    "identity": lambda values: values,
}
SLOPES: dict[str, Callable[[Tensor], Tensor]] = {  # g'(a) from g(a)
    "tanh": lambda g: 1 - g * g,
    "relu": lambda g: (g > 0).to(g.dtype),
    "sigmoid": lambda g: g * (1 - g),
    "identity": torch.ones_like,
}


class RNNPasses(Passes):
    def __init__(self, cell: RNN) -> None:
        super().__init__(cell)
        self.activation = cell.activation

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        time, batch, _ = tape["gates"].shape
        product, activate = product_with(parameters["weight_hh"], batch, time), ACTIVATE[self.activation]
        for now in timesteps({"projected": tape["gates"]}, hidden=tape["hidden"]):
            activate(torch.add(now.projected, product(now.past_hidden), out=now.hidden))

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        hidden = tape["hidden"]
        time, batch, _ = d_outputs.shape
        product = product_with(parameters["weight_hh"].T, batch, time)
        d_weighted_sum = SLOPES[self.activation](after(hidden))  # the factors, until the loop multiplies them
        (d_hidden,) = d_state
        for now in timesteps_back({"d_weighted_sum": d_weighted_sum, "from_above": d_outputs}):
            d_hidden = product(now.d_weighted_sum.mul_(d_hidden.add_(now.from_above)))
        return Gradients(d_weighted_sum, (d_hidden,), (RecurrentRows(self.units, before(hidden)),))
