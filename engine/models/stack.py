"""Stacked recurrent layers: depth, direction, dropout between layers, and the kernel each layer runs on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from engine.cells import Cell, State
from engine.cells.kernels import choose, run_layer, run_linked

StackState = tuple[State, ...]
"""The state of each layer from the bottom up; of a bidirectional stack those that read forward, then the others."""


class RecurrentStack(nn.Module):
    """Layers of one cell, each reading the outputs of the one below.

    A bidirectional stack (Schuster and Paliwal 1997) has a second set of parameters for each layer, which reads the
    sequence from its end to its start. A layer's output at a timestep is both hidden states there, the forward one
    first, and the layer above reads both, in either direction.

    The parameters are plain tensors named by the cell (`layers.0.weight_hh`, and `reverse.0.weight_hh` for the
    second direction), the same whichever kernel runs. They are left uninitialised here: see
    `engine.models.initialise`.

    Args:
        cells: one cell for each layer, from the bottom up
        inputs: values a timestep that the bottom layer reads
        bias: whether the layers have biases
        dropout: share of values dropped between layers while training
        bidirectional: whether each layer also reads the sequence from its end

    Raises:
        ValueError: the lowest cell asks for a layer below it (see `engine.cells.stacked`)
    """

    def __init__(
        self, cells: list[Cell], inputs: int, *, bias: bool = True, dropout: float = 0.0, bidirectional: bool = False
    ) -> None:
        super().__init__()
        if cells[0].below:
            raise ValueError(f"The cell {cells[0].name!r} cannot be the bottom layer: it needs a layer below it.")
        self.cells = cells
        self.linked = any(cell.below for cell in cells)
        self.dropout = dropout
        self.directions = 2 if bidirectional else 1
        widths = [inputs, *(self.directions * cell.units for cell in cells)]
        self.layers = _uninitialised(cells, widths, bias)
        self.reverse = _uninitialised(cells, widths, bias) if bidirectional else nn.ModuleList()

    @property
    def bidirectional(self) -> bool:
        """Whether each layer also reads the sequence from its end."""
        return self.directions == 2

    @property
    def outputs(self) -> int:
        """Values a timestep that the top layer gives."""
        return self.directions * self.cells[-1].units

    def layer_parameters(self, layer: int, *, reverse: bool = False) -> Mapping[str, Tensor]:
        """Parameters of one layer, in one direction, by the names its cell gives them.

        Recurrent weights between units that do not hear each other are zero here, and get no gradient.
        """
        parameters = (self.reverse if reverse else self.layers)[layer]
        assert isinstance(parameters, nn.ParameterDict)
        found: dict[str, Tensor] = dict(parameters)
        there = self.cells[layer].connections()
        if there is not None:
            found["weight_hh"] = found["weight_hh"] * there.to(found["weight_hh"])
        return found

    def initial_state(self, batch: int) -> StackState:
        """The zero state of each layer and direction, as its cell has it."""
        like = next(self.parameters())
        return tuple(cell.initial_state(batch, like) for cell in self.cells * self.directions)

    def forward(
        self, inputs: Tensor, state: StackState, generator: torch.Generator | None = None
    ) -> tuple[Tensor, StackState]:
        """Run all layers over a sequence: the top layer's outputs (time, batch, directions x units), and the state of
        each direction once it has read the whole sequence. The arguments are those of `every_layer`."""
        outputs, end = self.every_layer(inputs, state, generator)
        return outputs[-1], end

    def every_layer(
        self, inputs: Tensor, state: StackState, generator: torch.Generator | None = None
    ) -> tuple[list[Tensor], StackState]:
        """Run all layers over a sequence, and keep what each gives.

        Args:
            inputs: (time, batch, inputs), or (time, batch) token ids that stand for one-hot vectors
            state: as `initial_state` gives it: what the forward direction starts from before the first timestep,
                and the reverse direction after the last
            generator: source of the dropout masks; without one nothing is dropped

        Returns:
            the outputs of each layer from the bottom up, (time, batch, directions x units), and the state of each
            direction once it has read the whole sequence
        """
        depth = len(self.cells)
        ends: list[State] = []
        reverse_ends: list[State] = []
        below = inputs
        given: list[Tensor] = []
        states: State = ()
        backwards: State = ()
        for layer in range(depth):
            if layer and generator is not None:
                below = drop(below, self.dropout, generator)
            states, end = self._run(layer, below, state[layer], states)
            outputs = states[0]  # (time, batch, units)
            ends.append(end)
            if self.bidirectional:
                backwards, end = self._run(layer, below.flip(0), state[depth + layer], backwards, reverse=True)
                reverse_ends.append(end)
                outputs = torch.cat((outputs, backwards[0].flip(0)), dim=-1)  # (time, batch, 2 x units)
            given.append(outputs)
            below = outputs
        return given, (*ends, *reverse_ends)

    def _run(
        self, layer: int, inputs: Tensor, state: State, below: State, *, reverse: bool = False
    ) -> tuple[State, State]:
        """One layer in one direction, over `inputs` in the order in which it reads them.

        Where layers are linked, `below` are the states of the layer below over time, in the same direction, and this
        layer's are given too; else the hidden ones alone.
        """
        cell, parameters = self.cells[layer], self.layer_parameters(layer, reverse=reverse)
        kernel = choose(
            cell,
            inputs.device.type,
            one_hot=not inputs.is_floating_point(),
            inputs=parameters["weight_ih"].shape[1],
            linked=self.linked,
        )
        if self.linked:
            asked = below[self.cells[layer - 1].state_names.index(cell.below)] if cell.below else None
            return run_linked(cell, inputs, state, parameters, kernel, asked)
        outputs, end = run_layer(cell, inputs, state, parameters, kernel)
        return (outputs,), end


def _uninitialised(cells: list[Cell], widths: list[int], bias: bool) -> nn.ModuleList:
    """Room for the parameters of each layer, in one direction; layer l reads `widths[l]` values a timestep."""
    return nn.ModuleList(
        nn.ParameterDict({name: torch.empty(shape) for name, shape in cell.parameter_shapes(width, bias).items()})
        for cell, width in zip(cells, widths[:-1], strict=True)
    )


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
