"""Long short-term memory (Hochreiter and Schmidhuber 1997, with Gers' forget gate) and its variants.

Rows stand in PyTorch's order: input, forget, candidate, output; a variant leaves blocks out or adds them
at the end. The recorded `update` gate is i, Ng's Γ_u: how much of the candidate is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from engine.cells.cell import Cell, Option, Parameters, State, Tap, candidate_gate, unit_gate, untapped
from engine.cells.equations import (
    CANDIDATE,
    CELL,
    FORGET,
    HIDDEN,
    OUTPUT,
    UPDATE,
    Equation,
    Named,
    Parameter,
    Quantity,
    bias,
    candidate,
    gate,
    on_input,
    sigmoid,
    tanh,
)
from engine.config import CARRIED_LIMIT, STATE_PENALTY, OptionValue

_UPDATE = unit_gate("update", "how much of the candidate is added to the cell state")
_FORGET = unit_gate("forget", "how much of the previous cell state is kept")
_OUTPUT = unit_gate("output", "how much of the cell state is passed to the hidden state")
_RELEVANCE = unit_gate("relevance", "how much of the previous hidden state enters the candidate")
_DEPTH = unit_gate("depth", "how much of the cell state of the layer below is added")

_GATES = (gate("update"), gate("forget"), gate("output"))
_REMEMBERED = Equation("cell", FORGET * CELL.before + UPDATE * CANDIDATE)
_SHOWN = Equation("hidden", OUTPUT * tanh(CELL))


class LSTM(Cell):
    """Long short-term memory, as `torch.nn.LSTM` has it.

    i, f, o = σ(W_{i,f,o} x_t + U_{i,f,o} h_{t-1} + b_{i,f,o})
    g = tanh(W_g x_t + U_g h_{t-1} + b_g)
    c_t = f ⊙ c_{t-1} + i ⊙ g
    h_t = o ⊙ tanh(c_t)
    """

    name = "lstm"
    title = "LSTM"
    family = "lstm"
    state_names = ("hidden", "cell")
    blocks = ("update", "forget", "candidate", "output")
    gates = (_UPDATE, _FORGET, candidate_gate(), _OUTPUT)
    equations = (*_GATES, candidate(), _REMEMBERED, _SHOWN)

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        hidden, cell = state
        pre = projected + hidden @ parameters["weight_hh"].T  # (batch, 4 x units)
        update_pre, forget_pre, candidate_pre, output_pre = pre.chunk(4, dim=-1)
        update = tap("update", torch.sigmoid(tap("update_pre", update_pre)))  # (batch, units)
        forget = tap("forget", torch.sigmoid(tap("forget_pre", forget_pre)))
        output = tap("output", torch.sigmoid(tap("output_pre", output_pre)))
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        new_cell = tap("cell", forget * cell + update * candidate)
        new_hidden = tap("hidden", output * torch.tanh(new_cell))
        return new_hidden, new_cell


class CourseLSTM(Cell):
    """The LSTM as courses write it: two switches on the LSTM, both on by default.

    Output without tanh (Ng's lecture):         h_t = Γ_o ⊙ c_t
    Relevance gate (the CS230 cheatsheet):      Γ_r = σ(W_r [h_{t-1}; x_t] + b_r)
                                                c̃_t = tanh(W_c [Γ_r ⊙ h_{t-1}; x_t] + b_c)
    With both off this is `LSTM`. The rows of the relevance gate stand last.

    Without the tanh nothing bounds h. While Γ_u and Γ_f are both near 1, c grows by up to 1 a timestep; h grows with
    it, holds the very gates open that it feeds, and saturates them, so that no gradient closes them again. A start
    with the update gate shut, or coupled to the forget gate, only delays this by some steps. Two settings of the
    training prevent it and leave the equations as they are: a penalty on large hidden states, and, for what a rare
    stretch of text still drives up, a limit on the state that one chunk hands to the next, so that the next chunk
    starts where gradients flow.
    """

    name = "lstm-course"
    title = "LSTM, course form"
    family = "lstm"
    state_names = ("hidden", "cell")
    options: ClassVar = {
        "relevance_gate": Option(True, (True, False), "a gate on the hidden state that enters the candidate (CS230)"),
        "output_tanh": Option(
            False, (True, False), "tanh on the cell state before the output gate (off in Ng's lecture)"
        ),
    }

    def __init__(self, units: int, options: Mapping[str, OptionValue] | None = None) -> None:
        super().__init__(units, options)
        self.relevance_gate = bool(self.chosen["relevance_gate"])
        self.output_tanh = bool(self.chosen["output_tanh"])
        self.blocks = LSTM.blocks + (("relevance",) if self.relevance_gate else ())
        self.gates = LSTM.gates + ((_RELEVANCE,) if self.relevance_gate else ())
        shown = _SHOWN if self.output_tanh else Equation("hidden", OUTPUT * CELL)
        relevant = (gate("relevance"), candidate(Quantity("relevance") * HIDDEN.before))
        made = relevant if self.relevance_gate else (candidate(),)
        self.equations = (*_GATES, *made, _REMEMBERED, shown)

    @property
    def trains_with(self) -> Mapping[str, float]:
        if self.output_tanh:
            return {}
        return {"training__state_penalty": STATE_PENALTY, "training__carried_limit": CARRIED_LIMIT}

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        hidden, cell = state

        def weighted_sum(block: str, seen: Tensor) -> Tensor:
            """W x_t + U seen + b of one block of rows, (batch, units)."""
            rows = self.rows(block)
            return tap(f"{block}_pre", projected[:, rows] + seen @ parameters["weight_hh"][rows].T)

        update = tap("update", torch.sigmoid(weighted_sum("update", hidden)))
        forget = tap("forget", torch.sigmoid(weighted_sum("forget", hidden)))
        output = tap("output", torch.sigmoid(weighted_sum("output", hidden)))
        seen = hidden
        if self.relevance_gate:
            seen = tap("relevance", torch.sigmoid(weighted_sum("relevance", hidden))) * hidden
        candidate = tap("candidate", torch.tanh(weighted_sum("candidate", seen)))
        new_cell = tap("cell", forget * cell + update * candidate)
        shown = torch.tanh(new_cell) if self.output_tanh else new_cell
        return tap("hidden", output * shown), new_cell


class PeepholeLSTM(Cell):
    """The LSTM whose gates see the cell state through diagonal weights (Gers and Schmidhuber 2000).

    i = σ(... + p_i ⊙ c_{t-1}),  f = σ(... + p_f ⊙ c_{t-1})
    o = σ(... + p_o ⊙ c_t), or p_o ⊙ c_{t-1} in the lecture's variant

    `peephole_update`, `peephole_forget` and `peephole_output` are (units) each; one that is switched off
    has no parameter. With all at zero this is `LSTM`.
    """

    name = "lstm-peephole"
    title = "LSTM with peepholes"
    family = "lstm"
    state_names = ("hidden", "cell")
    blocks = LSTM.blocks
    gates = LSTM.gates
    options: ClassVar = {
        "peephole_update": Option(True, (True, False), "peephole connection from the cell state to the update gate"),
        "peephole_forget": Option(True, (True, False), "peephole connection from the cell state to the forget gate"),
        "peephole_output": Option(True, (True, False), "peephole connection from the cell state to the output gate"),
        "output_sees": Option(
            "new", ("new", "old"), "which cell state the output gate sees: new is c_t, old is c_{t-1} (Ng's lecture)"
        ),
    }

    def __init__(self, units: int, options: Mapping[str, OptionValue] | None = None) -> None:
        super().__init__(units, options)
        names = ("peephole_update", "peephole_forget", "peephole_output")
        self.peepholes = tuple(name for name in names if self.chosen[name])
        shown = CELL if self.chosen["output_sees"] == "new" else CELL.before
        update, forget = self._gate("update", CELL.before), self._gate("forget", CELL.before)
        self.equations = (update, forget, candidate(), _REMEMBERED, self._gate("output", shown), _SHOWN)

    def _gate(self, block: str, sees: Quantity) -> Equation:
        name = f"peephole_{block}"
        return gate(block, Parameter(name) * sees) if name in self.peepholes else gate(block)

    def parameter_shapes(self, inputs: int, bias: bool) -> dict[str, tuple[int, ...]]:
        return super().parameter_shapes(inputs, bias) | dict.fromkeys(self.peepholes, (self.units,))

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        hidden, cell = state
        pre = projected + hidden @ parameters["weight_hh"].T  # (batch, 4 x units)
        update_pre, forget_pre, candidate_pre, output_pre = pre.chunk(4, dim=-1)
        if "peephole_update" in parameters:
            update_pre = update_pre + parameters["peephole_update"] * cell
        if "peephole_forget" in parameters:
            forget_pre = forget_pre + parameters["peephole_forget"] * cell
        update = tap("update", torch.sigmoid(tap("update_pre", update_pre)))  # (batch, units)
        forget = tap("forget", torch.sigmoid(tap("forget_pre", forget_pre)))
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        new_cell = tap("cell", forget * cell + update * candidate)
        if "peephole_output" in parameters:
            seen = new_cell if self.chosen["output_sees"] == "new" else cell
            output_pre = output_pre + parameters["peephole_output"] * seen
        output = tap("output", torch.sigmoid(tap("output_pre", output_pre)))
        return tap("hidden", output * torch.tanh(new_cell)), new_cell


class CoupledLSTM(Cell):
    """The LSTM that writes just what it forgets (Greff et al. 2015, CIFG): i = 1 - f."""

    name = "lstm-coupled"
    title = "LSTM, coupled gates"
    family = "lstm"
    state_names = ("hidden", "cell")
    blocks = ("forget", "candidate", "output")
    gates = (_UPDATE, _FORGET, candidate_gate(), _OUTPUT)
    equations = (gate("forget"), Equation("update", 1 - FORGET), gate("output"), candidate(), _REMEMBERED, _SHOWN)

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        hidden, cell = state
        pre = projected + hidden @ parameters["weight_hh"].T  # (batch, 3 x units)
        forget_pre, candidate_pre, output_pre = pre.chunk(3, dim=-1)
        forget = tap("forget", torch.sigmoid(tap("forget_pre", forget_pre)))  # (batch, units)
        update = tap("update", 1 - forget)
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        output = tap("output", torch.sigmoid(tap("output_pre", output_pre)))
        new_cell = tap("cell", forget * cell + update * candidate)
        return tap("hidden", output * torch.tanh(new_cell)), new_cell


class DepthGatedLSTM(Cell):
    """The LSTM whose cell state also takes in that of the layer below, through a gate (Yao et al. 2015).

    d = σ(W_d x_t + b_d + w_c ⊙ c_{t-1} + w_l ⊙ c_t^{below})
    c_t = f ⊙ c_{t-1} + i ⊙ g + d ⊙ c_t^{below}

    and the rest as `LSTM` has it. x_t is what the layer below shows, c_t^{below} what it keeps. `peephole_depth` is
    w_c and `peephole_below` w_l, (units) each. The depth gate does not see h_{t-1}: its rows stand last, and
    `weight_hh` has none of them. The lowest layer has nothing below it: there this is `LSTM`, and with d = 0 it is
    everywhere.
    """

    name = "lstm-depth-gated"
    title = "LSTM, depth-gated"
    family = "lstm"
    state_names = ("hidden", "cell")
    below = "cell"
    blocks = (*LSTM.blocks, "depth")
    gates = (*LSTM.gates, _DEPTH)
    _seen = Parameter("peephole_depth", sign="w_c", word="cell") * CELL.before
    _below = Parameter("peephole_below", sign="w_l", word="below") * CELL.below
    _pre = Named("depth_pre", on_input("depth") + _seen + _below + bias("depth"))
    equations = (
        *_GATES,
        candidate(),
        Equation("depth", sigmoid(_pre)),
        Equation("cell", _REMEMBERED.right + Quantity("depth") * CELL.below),
        _SHOWN,
    )
    remark = "The lowest layer has no cell state below it and is a plain LSTM: use at least two layers."

    def lowest(self) -> Cell:
        return LSTM(self.units)

    @property
    def recurrent_blocks(self) -> tuple[str, ...]:
        return LSTM.blocks

    def parameter_shapes(self, inputs: int, bias: bool) -> dict[str, tuple[int, ...]]:
        shapes = super().parameter_shapes(inputs, bias)
        return shapes | {"peephole_depth": (self.units,), "peephole_below": (self.units,)}

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        hidden, cell, below = state
        projected_gates, projected_depth = projected.split((4 * self.units, self.units), dim=-1)
        pre = projected_gates + hidden @ parameters["weight_hh"].T  # (batch, 4 x units)
        update_pre, forget_pre, candidate_pre, output_pre = pre.chunk(4, dim=-1)
        update = tap("update", torch.sigmoid(tap("update_pre", update_pre)))  # (batch, units)
        forget = tap("forget", torch.sigmoid(tap("forget_pre", forget_pre)))
        output = tap("output", torch.sigmoid(tap("output_pre", output_pre)))
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", candidate_pre)))
        depth_pre = projected_depth + parameters["peephole_depth"] * cell + parameters["peephole_below"] * below
        depth = tap("depth", torch.sigmoid(tap("depth_pre", depth_pre)))
        new_cell = tap("cell", forget * cell + update * candidate + depth * below)
        return tap("hidden", output * torch.tanh(new_cell)), new_cell
