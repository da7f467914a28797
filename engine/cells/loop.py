"""The loop over time that every cell can run in: its `step`, once per timestep, and autograd's gradients.

It is the slowest kernel and the reference of the others: any cell, any device, any precision, derivatives of
any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cells.cell import Cell, Parameters, State
from engine.cells.projection import project


def run(cell: Cell, inputs: Tensor, state: State, parameters: Parameters) -> tuple[Tensor, State]:
    """One layer over a sequence; see `engine.cells.kernels.run_layer`."""
    outputs = []
    for projected in project(inputs, parameters):  # (batch, rows)
        state, _ = cell.step(projected, state, parameters)
        outputs.append(state[0])
    return torch.stack(outputs), state  # (time, batch, units)


@dataclass(frozen=True)
class Recording:
    """What one layer computed on its way: states and gates by name.

    Attributes:
        steps: for each state and gate its values, one (batch, units) tensor per timestep. They are the very
            tensors of the autograd graph: `torch.autograd.grad(loss, recording.steps["hidden"])` is
            dL/dh_t for every t.
        final: the state after the last timestep
    """

    steps: dict[str, tuple[Tensor, ...]]
    final: State

    def __getitem__(self, name: str) -> Tensor:
        """The values of one state or gate over time, (time, batch, units)."""
        return torch.stack(self.steps[name])


def record(cell: Cell, inputs: Tensor, state: State, parameters: Parameters) -> Recording:
    """One layer over a sequence, as `run`, with every state and gate kept."""
    steps: dict[str, list[Tensor]] = {name: [] for name in cell.state_names + tuple(gate.name for gate in cell.gates)}
    for projected in project(inputs, parameters):  # (batch, rows)
        state, gates = cell.step(projected, state, parameters)
        for name, value in (*zip(cell.state_names, state, strict=True), *gates.items()):
            steps[name].append(value)
    return Recording({name: tuple(values) for name, values in steps.items()}, state)
