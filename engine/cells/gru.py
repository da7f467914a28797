"""Gated recurrent units in three conventions (Cho et al. 2014; Ng's course; cuDNN).

The `update` gate is the share of the candidate that is *written* (Ng's Γ_u). The z of Cho's paper and
of PyTorch keeps the old state instead: z = 1 - update. Where a convention computes z, the gate is turned
over here, so that one word means one thing on every page.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.cell import Cell, Parameters, State, Tap, candidate_gate, unit_gate, untapped
from engine.cells.equations import (
    HIDDEN,
    Equation,
    Named,
    Parameter,
    Quantity,
    bias,
    candidate,
    gate,
    mixed,
    on_input,
    on_past,
    sigmoid,
    tanh,
    weighted,
)

_UPDATE = unit_gate("update", "how much of the hidden state is replaced by the candidate")
_RESET = unit_gate("reset", "how much of the previous hidden state enters the candidate")


class SimplifiedGRU(Cell):
    """The GRU with its update gate alone, as Ng's course first shows it.

    Γ_u = σ(W_u [c_{t-1}; x_t] + b_u)
    c̃_t = tanh(W_c [c_{t-1}; x_t] + b_c)
    c_t = Γ_u ⊙ c̃_t + (1 - Γ_u) ⊙ c_{t-1},  h_t = c_t
    """

    name = "gru-simplified"
    title = "GRU, simplified"
    family = "gru"
    blocks = ("update", "candidate")
    gates = (_UPDATE, candidate_gate())
    equations = (gate("update"), candidate(), mixed())

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        (hidden,) = state
        update_pre, candidate_pre = (projected + hidden @ parameters["weight_hh"].T).chunk(2, dim=-1)
        update = tap("update", torch.sigmoid(tap("update_pre", update_pre)))  # (batch, units)
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        return (tap("hidden", update * candidate + (1 - update) * hidden),)


class ResetBeforeGRU(Cell):
    """The GRU whose reset gate acts before the recurrent product (Cho et al. 2014; Ng).

    Γ_u = σ(W_u [c_{t-1}; x_t] + b_u)
    Γ_r = σ(W_r [c_{t-1}; x_t] + b_r)
    c̃_t = tanh(W_c [Γ_r ⊙ c_{t-1}; x_t] + b_c)
    c_t = Γ_u ⊙ c̃_t + (1 - Γ_u) ⊙ c_{t-1},  h_t = c_t
    """

    name = "gru-reset-before"
    title = "GRU, reset before"
    family = "gru"
    blocks = ("update", "reset", "candidate")
    gates = (_UPDATE, _RESET, candidate_gate())
    equations = (gate("update"), gate("reset"), candidate(Quantity("reset") * HIDDEN.before), mixed())

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        (hidden,) = state
        weight_gates, weight_candidate = parameters["weight_hh"].split((2 * self.units, self.units))
        projected_gates, projected_candidate = projected.split((2 * self.units, self.units), dim=-1)
        update_pre, reset_pre = (projected_gates + hidden @ weight_gates.T).chunk(2, dim=-1)
        update = tap("update", torch.sigmoid(tap("update_pre", update_pre)))  # (batch, units)
        reset = tap("reset", torch.sigmoid(tap("reset_pre", reset_pre)))
        candidate_pre = projected_candidate + (reset * hidden) @ weight_candidate.T
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        return (tap("hidden", update * candidate + (1 - update) * hidden),)


class GRU(Cell):
    """The GRU whose reset gate acts after the recurrent product (cuDNN; PyTorch's `nn.GRU`).

    r = σ(W_r x_t + U_r h_{t-1} + b_r)
    z = σ(W_z x_t + U_z h_{t-1} + b_z),  update = 1 - z
    n = tanh(W_n x_t + b_n + r ⊙ (U_n h_{t-1} + b_hn))
    h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}

    The rows stand in PyTorch's order: reset, z, candidate. `bias_candidate` is b_hn, (units).
    """

    name = "gru"
    title = "GRU"
    family = "gru"
    blocks = ("reset", "keep", "candidate")
    gates = (_UPDATE, _RESET, candidate_gate())
    _seen = Quantity("reset") * (on_past("candidate") + Parameter("bias_candidate"))
    equations = (
        gate("reset"),
        Equation("update", 1 - sigmoid(weighted("keep"))),
        Equation("candidate", tanh(Named("candidate_pre", on_input("candidate") + bias("candidate") + _seen))),
        mixed(),
    )

    def parameter_shapes(self, inputs: int, bias: bool) -> dict[str, tuple[int, ...]]:
        shapes = super().parameter_shapes(inputs, bias)
        return shapes | {"bias_candidate": (self.units,)} if bias else shapes

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        (hidden,) = state
        recurrent = hidden @ parameters["weight_hh"].T  # (batch, 3 x units)
        projected_gates, projected_candidate = projected.split((2 * self.units, self.units), dim=-1)
        recurrent_gates, recurrent_candidate = recurrent.split((2 * self.units, self.units), dim=-1)
        if "bias_candidate" in parameters:
            recurrent_candidate = recurrent_candidate + parameters["bias_candidate"]
        reset_pre, keep_pre = (projected_gates + recurrent_gates).chunk(2, dim=-1)
        reset = tap("reset", torch.sigmoid(tap("reset_pre", reset_pre)))  # (batch, units)
        keep = torch.sigmoid(tap("keep_pre", keep_pre))
        update = tap("update", 1 - keep)
        candidate_pre = projected_candidate + reset * recurrent_candidate
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        return (tap("hidden", update * candidate + (1 - update) * hidden),)
