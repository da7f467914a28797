"""Layers to test: every cell in every setting of its switches, with parameters, inputs and a state to start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from engine.cells import CELLS, Cell
from engine.cells.kernels import Kernel, run_layer, run_linked

UNITS, INPUTS = 5, 4


@dataclass(frozen=True)
class Layer:
    """A cell with all that a run of it needs, each tensor asking for its gradient."""

    cell: Cell
    inputs: Tensor
    state: tuple[Tensor, ...]
    parameters: dict[str, Tensor]
    below: Tensor | None = None

    def leaves(self) -> list[Tensor]:
        """Everything that a gradient is wanted for: parameters, first state but for a clock, the layer below, and dense
        inputs."""
        dense = [self.inputs] if self.inputs.is_floating_point() else []
        below = [] if self.below is None else [self.below]
        return [*self.parameters.values(), *self.state[: len(self.cell.state_names)], *below, *dense]

    def run(self, kernel: Kernel) -> list[Tensor]:
        """The outputs and the parts of the last state; of a linked layer its further states over time too."""
        if self.below is None:
            outputs, state = run_layer(self.cell, self.inputs, self.state, self.parameters, kernel)
            return [outputs, *state]
        states, state = run_linked(self.cell, self.inputs, self.state, self.parameters, kernel, self.below)
        return [states[0], *state, *states[1:]]

    def gradients(self, results: list[Tensor]) -> list[Tensor]:
        """Of a weighted sum of all results, with respect to the leaves."""
        random = torch.Generator().manual_seed(1)
        loss = sum(
            (result * torch.randn(result.shape, generator=random, dtype=result.dtype)).sum() for result in results
        )
        return list(torch.autograd.grad(loss, self.leaves()))

    def with_inputs(self, inputs: Tensor) -> Layer:
        return replace(self, inputs=inputs)

    def piece(self, first: int, last: int, state: tuple[Tensor, ...]) -> Layer:
        """Some of its timesteps, from a state."""
        below = None if self.below is None else self.below[first:last]
        return replace(self, inputs=self.inputs[first:last], state=state, below=below)

    def before(self, t: int) -> tuple[Tensor, ...]:
        """What a timestep finds if it is the first to be run."""
        return self.state if self.below is None else (*self.state, self.below[t])


def make_layer(
    name: str,
    options: dict,
    *,
    dtype: torch.dtype = torch.float64,
    bias: bool = True,
    one_hot: bool = False,
    timesteps: int = 6,
    batch: int = 3,
    units: int = UNITS,
    inputs: int = INPUTS,
) -> Layer:
    """A layer with random parameters, inputs and first state, the same at each call."""
    random = torch.Generator().manual_seed(0)
    cell = CELLS[name](units, options)

    def draw(*shape: int) -> Tensor:
        return (torch.randn(shape, generator=random, dtype=torch.float64) / units**0.5).to(dtype).requires_grad_()

    parameters = {key: draw(*shape) for key, shape in cell.parameter_shapes(inputs, bias).items()}
    connections = cell.connections()
    if connections is not None:
        parameters["weight_hh"].data.mul_(connections)
    state = tuple(draw(batch, units) for _ in cell.state_names)
    if cell.clock_size:  # another time in every stream
        state += (torch.arange(batch).to(dtype).add(1).remainder(cell.clock_size).unsqueeze(1),)
    tokens = torch.randint(inputs, (timesteps, batch), generator=random)
    read = tokens if one_hot else draw(timesteps, batch, inputs)
    return Layer(cell, read, state, parameters, draw(timesteps, batch, units) if cell.below else None)


@pytest.fixture
def layer() -> Callable[..., Layer]:
    return make_layer
