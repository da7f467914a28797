"""Stacked recurrent layers: depth, dropout between layers, and the kernel each layer runs on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from engine.cells import Cell, State
from engine.cells.kernels import choose, run_layer

StackState = tuple[State, ...]


class RecurrentStack(nn.Module):
    """Layers of one cell, each reading the outputs of the one below.

    The parameters are plain tensors named by the cell (`layers.0.weight_hh`, ...), the same whichever
    kernel runs. They are left uninitialised here: see `engine.models.initialise`.

    Args:
        cells: one cell for each layer, from the bottom up
        inputs: values a timestep that the bottom layer reads
        bias: whether the layers have biases
        dropout: share of values dropped between layers while training
    """

    def __init__(self, cells: list[Cell], inputs: int, *, bias: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        self.cells = cells
        self.dropout = dropout
        widths = [inputs, *(cell.units for cell in cells)]
        self.layers = nn.ModuleList(
            nn.ParameterDict({name: torch.empty(shape) for name, shape in cell.parameter_shapes(width, bias).items()})
            for cell, width in zip(cells, widths[:-1], strict=True)
        )

    def layer_parameters(self, layer: int) -> Mapping[str, Tensor]:
        """Parameters of one layer by the names its cell gives them."""
        parameters = self.layers[layer]
        assert isinstance(parameters, nn.ParameterDict)
        return dict(parameters)

    def initial_state(self, batch: int) -> StackState:
        """The zero state, (batch, units) for each state of each layer."""
        like = next(self.parameters())
        return tuple(cell.initial_state(batch, like) for cell in self.cells)

    def forward(
        self, inputs: Tensor, state: StackState, generator: torch.Generator | None = None
    ) -> tuple[Tensor, StackState]:
        """Run all layers over a sequence.

        Args:
            inputs: (time, batch, inputs), or (time, batch) token ids that stand for one-hot vectors
            state: as `initial_state` gives it
            generator: source of the dropout masks; without one nothing is dropped

        Returns:
            the top layer's outputs (time, batch, units), and the state after the last timestep
        """
        new_state = []
        below = inputs
        for layer, cell in enumerate(self.cells):
            if layer and generator is not None:
                below = drop(below, self.dropout, generator)
            parameters = self.layer_parameters(layer)
            kernel = choose(
                cell,
                below.device.type,
                training=torch.is_grad_enabled(),
                one_hot=not below.is_floating_point(),
                inputs=parameters["weight_ih"].shape[1],
            )
            below, final = run_layer(cell, below, state[layer], parameters, kernel)  # (time, batch, units)
            new_state.append(final)
        return below, tuple(new_state)


def drop(values: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Dropout with one mask for all timesteps (Gal and Ghahramani 2016), from its own generator.

    A `share` of the values (time, batch, units) is zeroed, the rest scaled up to keep the mean.
    """
    if share == 0.0:
        return values
    keep = torch.empty(values.shape[1:], device=values.device, dtype=values.dtype)  # (batch, units)
    keep.bernoulli_(1.0 - share, generator=generator).div_(1.0 - share)
    return values * keep


def detached(state: StackState) -> StackState:
    """The same state cut off from the graph, to carry into the next chunk."""
    return tuple(tuple(part.detach() for part in layer) for layer in state)
