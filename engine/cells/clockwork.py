"""The clockwork recurrent network (Koutník, Greff, Gomez and Schmidhuber 2014): units that keep time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import ClassVar

import torch
from torch import Tensor

from engine.cells.cell import Cell, Option, Parameters, State, Tap, candidate_gate, unit_gate, untapped
from engine.cells.equations import Equation, Quantity, Turn, elman, mixed, tanh
from engine.config import OptionValue


class ClockworkRNN(Cell):
    """The RNN with its units in modules, each with a clock of its own: module i, counted from 0, has the period
    T_i = 2^i and writes at every T_i-th timestep alone.

    c̃_t = tanh(W_x x_t + W_h h_{t-1} + b)
    update = 1 where t mod T_i = 0, else 0
    h_t = update ⊙ c̃_t + (1 - update) ⊙ h_{t-1}

    t counts from 0 where reading began, so that all modules write at the first timestep. It is carried with the state,
    modulo the longest period: that tells whose turn it is as well, and stays exact however long the text.

    The units are sorted, the fastest first. A module reads its own state and those of slower ones, so that W_h is
    block upper triangular (see `modules`). With fewer units than modules the slowest are left out; with one module this
    is `RNN`.
    """

    name = "rnn-clockwork"
    title = "Clockwork RNN"
    family = "rnn"
    blocks = ("candidate",)
    gates = (
        unit_gate("update", "1 at the timesteps at which the unit's module is updated, otherwise 0"),
        candidate_gate(),
    )
    equations = (
        Equation("update", Turn(Quantity("clock"), Quantity("periods"))),
        Equation("candidate", tanh(elman())),
        mixed(),
    )
    options: ClassVar = {
        "modules": Option(
            "4", ("1", "2", "4", "8"), "number of modules (groups of units), with periods of 1, 2, 4, ... timesteps"
        ),
    }

    remark = (
        "The clock counts timesteps. The modules have periods of 1, 2, 4, ... timesteps. Each module receives the "
        "state of itself and of slower modules; all other recurrent weights are zero."
    )

    def __init__(self, units: int, options: Mapping[str, OptionValue] | None = None) -> None:
        super().__init__(units, options)
        count = min(units, int(self.chosen["modules"]))
        module = torch.arange(units) * count // units  # that each unit is in
        sizes = module.bincount().tolist()
        self.modules = tuple(slice(first, last) for first, last in pairwise(accumulate(sizes, initial=0)))
        self.clock_size = 2 ** (count - 1)
        self.periods = 2.0**module

    def turns(self, clock: Tensor) -> Tensor:
        """Whose turn it is by the clock, (..., 1) -> (..., units): 1 for units that write, 0 for the others."""
        return (clock % self.periods.to(clock) == 0).to(clock.dtype)

    def step(self, projected: Tensor, state: State, parameters: Parameters, tap: Tap = untapped) -> State:
        hidden, clock = state
        update = tap("update", self.turns(clock.detach()))  # (batch, units)
        pre = projected + hidden @ parameters["weight_hh"].T
        candidate = tap("candidate", torch.tanh(tap("candidate_pre", pre)))
        return tap("hidden", update * candidate + (1 - update) * hidden), (clock.detach() + 1) % self.clock_size
