"""The loop over time that every cell can run in: its `step`, once per timestep, and autograd's gradients.

It is the slowest kernel and the reference of the others: any cell, any device, any precision, derivatives of
any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cells.cell import Cell, Parameters, State
from engine.cells.projection import project

Steps = dict[str, list[Tensor]]
"""The values of each quantity, one (batch, units) tensor per timestep, in the order in which they were computed."""

Replacements = Mapping[tuple[str, int], Mapping[int, float]]
"""Values to put in place of what a cell computes: for a (quantity, timestep) the new value of each unit."""


def run(cell: Cell, inputs: Tensor, state: State, parameters: Parameters) -> tuple[Tensor, State]:
    """One layer over a sequence; see `engine.cells.kernels.run_layer`."""
    outputs = []
    for projected in project(inputs, parameters):  # (batch, rows)
        state = cell.step(projected, state, parameters)
        outputs.append(state[0])
    return torch.stack(outputs), state  # (time, batch, units)


def run_linked(
    cell: Cell, inputs: Tensor, state: State, parameters: Parameters, below: Tensor | None
) -> tuple[State, State]:
    """One layer between others over a sequence; see `engine.cells.kernels.run_linked`."""
    states = []
    for t, projected in enumerate(project(inputs, parameters)):  # (batch, rows)
        state = cell.step(projected, state if below is None else (*state, below[t]), parameters)
        states.append(state)
    return tuple(map(torch.stack, zip(*states, strict=True))), state  # (time, batch, units) each


@dataclass(frozen=True)
class Recording:
    """What one layer computed on its way, by the names of the cell's `quantities`.

    Attributes:
        steps: the very tensors of the autograd graph: `torch.autograd.grad(loss, recording.steps["hidden"])`
            is dL/dh_t for every t
        final: the state after the last timestep
    """

    steps: Steps
    final: State

    def __getitem__(self, name: str) -> Tensor:
        """The values of one quantity over time, (time, batch, units)."""
        return torch.stack(self.steps[name])


def record(
    cell: Cell,
    inputs: Tensor,
    state: State,
    parameters: Parameters,
    replacements: Replacements | None = None,
    below: Tensor | None = None,
) -> Recording:
    """One layer over a sequence, as `run`, with every quantity kept, and those in `replacements` put in place.

    `below` is the state of the layer below that the cell asks for, (time, batch, units).
    """
    steps: Steps = {name: [] for name in cell.quantities}
    replacements = replacements or {}

    def tap(name: str, value: Tensor) -> Tensor:
        kept = steps[name]
        units = replacements.get((name, len(kept)))  # so many timesteps have been kept: this is the next
        if units:
            value = _replaced(value, units)
        if torch.is_grad_enabled() and not value.requires_grad:
            value = value.detach().requires_grad_()  # what a clock says: a gradient of its own, that travels no further
        kept.append(value)
        return value

    for t, projected in enumerate(project(inputs, parameters)):  # (batch, rows)
        state = cell.step(projected, state if below is None else (*state, below[t]), parameters, tap)
    return Recording(steps, state)


def _replaced(value: Tensor, units: Mapping[int, float]) -> Tensor:
    """A copy of (batch, units) with constants in place of some units: no gradient travels through those."""
    value = value.clone()
    for unit, constant in units.items():
        value[:, unit] = constant
    return value
