"""What the hand-written passes of all cells share: the tape, the walk along it, and the autograd function.

Backpropagation through time is linear in the gradient that comes back: each pre-activation's gradient is a
*factor*, known once the forward pass is done, times the gradient of the state it feeds. So a backward pass
here has two parts. The factors of all timesteps are computed at once, from the tape; then the loop, from the
last timestep to the first, is left with a few multiplications and one matrix product each. The gradients of
the weights follow in one product over all timesteps after the loop.

Names: `d_x` is dL/dx. A tensor on the tape has time as its first axis; the states have one entry more, the
first, for the state before the first timestep.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engine.cells.cell import Cell, Parameters, State
from engine.cells.products import columns, linear, times_transposed
from engine.cells.projection import project

Tape = dict[str, Tensor]
Moment = Any  # the values of one timestep, as attributes


@dataclass(frozen=True)
class RecurrentRows(ABC):
    """Some rows of the recurrent weights: what they multiplied, and where that product went.

    Attributes:
        rows: how many
        past: (time, batch, units), what they multiplied
        d_product: (time, batch, rows), dL/d of the product; by default that of the projected inputs, as the two
            are summed
    """

    rows: int
    past: Tensor
    d_product: Tensor | None = None


@dataclass(frozen=True)
class Gradients:
    """dL/d of all that went into a pass.

    Attributes:
        projected: of the projected inputs, (time, batch, rows)
        state: of the state before the first timestep; of a clock zero
        recurrent_rows: all rows of the recurrent weights, from the first to the last
        parameters: of the cell's further parameters, by name
        below: of the state of the layer below, (time, batch, units), where the cell asks for it
    """

    projected: Tensor
    state: State
    recurrent_rows: tuple[RecurrentRows, ...]
    parameters: dict[str, Tensor] = field(default_factory=dict)
    below: Tensor | None = None


class Passes:
    """A cell's forward and backward pass over a whole sequence, written by hand.

    `order` is the order in which the passes want the blocks of rows: by default the cell's own. `gives` are the states
    that the layer above is to have over time.
    """

    gives: tuple[str, ...] = ("hidden",)

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.units = cell.units
        self.order: tuple[str, ...] = cell.blocks

    @abstractmethod
    def forward(self, tape: Tape, parameters: Parameters) -> None:
        """Runs the sequence, writing on the tape.

        Args:
            tape: `gates` (time, batch, blocks x units) holds the projected inputs and is overwritten with the
                gates; each state, by its name, is (time + 1, batch, units) with the first entry filled in, and so is a
                clock, (time + 1, batch, 1).
                `below`, where the cell asks for it, is the state of the layer below, (time, batch, units). What
                the backward pass needs beyond those is added.
            parameters: by name, their rows in the passes' order
        """

    @abstractmethod
    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        """The gradients of everything that went in.

        Args:
            tape: as `forward` left it; beside each state in `gives` but the hidden one, `d_` and its name is the
                gradient of it as an output, (time, batch, units)
            d_outputs: (time, batch, units), of the hidden states as outputs
            d_state: of the state after the last timestep, (batch, units) each; may be changed in place
        """

    def in_order(self, parameters: Parameters) -> Parameters:
        """The parameters with their blocks of rows in the passes' order."""
        return self._reordered(parameters, [self.cell.blocks.index(block) for block in self.order])

    def out_of_order(self, parameters: Parameters) -> Parameters:
        """The parameters with their blocks of rows in the cell's order again."""
        return self._reordered(parameters, [self.order.index(block) for block in self.cell.blocks])

    def _reordered(self, parameters: Parameters, places: list[int]) -> Parameters:
        if self.order == self.cell.blocks:
            return parameters
        reordered = dict(parameters)
        for name in {"weight_ih", "weight_hh", "bias"} & parameters.keys():
            blocks = parameters[name].split(self.units)  # those that see no past stand last in either order
            reordered[name] = torch.cat([blocks[place] for place in places[: len(blocks)]])
        return reordered

    def blocks(self, gates: Tensor) -> Tape:
        """The columns of `gates` (time, batch, blocks x units) by block, each (time, batch, units)."""
        return dict(zip(self.order, self.by_block(gates).unbind(2), strict=True))

    def by_block(self, gates: Tensor) -> Tensor:
        """(time, batch, blocks x units) as (time, batch, block, units)."""
        return gates.unflatten(-1, (len(self.order), self.units))


def timesteps(tape: Mapping[str, Tensor], **states: Tensor) -> Iterator[Moment]:
    """Walks along a tape: at each timestep the values of that moment, as attributes.

    A state, (time + 1, batch, units), gives two: its value after the timestep by its name, and the one before
    it as `past_...`.
    """
    values = {name: sequence.unbind() for name, sequence in tape.items()}
    for name, sequence in states.items():
        moments = sequence.unbind()
        values[f"past_{name}"], values[name] = moments[:-1], moments[1:]
    return _moments(values)


def timesteps_back(tape: Mapping[str, Tensor]) -> Iterator[Moment]:
    """The same from the last timestep to the first."""
    return _moments({name: sequence.unbind()[::-1] for name, sequence in tape.items()})


def _moments(values: Mapping[str, tuple[Tensor, ...]]) -> Iterator[Moment]:
    names = tuple(values)
    for moment in zip(*values.values(), strict=True):
        yield SimpleNamespace(**dict(zip(names, moment, strict=True)))


def before(states: Tensor) -> Tensor:
    """The states that timesteps start from: (time + 1, batch, units) -> (time, batch, units)."""
    return states[:-1]


def after(states: Tensor) -> Tensor:
    """The states that timesteps end with: (time + 1, batch, units) -> (time, batch, units)."""
    return states[1:]


class Recurrence(torch.autograd.Function):
    """A layer's way through time as one node of the autograd graph: `Passes.forward` and `Passes.backward`.

    Takes passes, the names of the parameters, the inputs, the state of the layer below or None, the first state's parts
    and the parameters; returns what the passes give over time and the last state's parts.
    """

    @staticmethod
    def forward(
        ctx: Any, passes: Passes, names: tuple[str, ...], inputs: Tensor, below: Tensor | None, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        states = passes.cell.carried
        parameters = passes.in_order(dict(zip(names, tensors[len(states) :], strict=True)))
        tape = {"gates": project(inputs, parameters, linear)}
        for name, first in zip(states, tensors, strict=False):
            tape[name] = first.new_empty(len(inputs) + 1, *first.shape)
            tape[name][0] = first
        if below is not None:
            tape["below"] = below
        passes.forward(tape, parameters)

        ctx.passes, ctx.parameter_names, ctx.tape_names = passes, names, tuple(tape)
        ctx.save_for_backward(inputs, *parameters.values(), *tape.values())
        ctx.set_materialize_grads(False)
        final = (tape[name][-1].clone() for name in states)  # copies, so that they can outlive the tape
        return *(after(tape[name]) for name in passes.gives), *final

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *d_given: Tensor | None) -> tuple[Tensor | None, ...]:
        passes, names = ctx.passes, ctx.parameter_names
        inputs, *saved = ctx.saved_tensors
        parameters = dict(zip(names, saved, strict=False))
        tape = dict(zip(ctx.tape_names, saved[len(names) :], strict=True))
        outputs = after(tape["hidden"])
        d_sequences = [torch.zeros_like(outputs) if d is None else d for d in d_given[: len(passes.gives)]]
        d_outputs, *d_others = d_sequences
        tape |= {f"d_{name}": d for name, d in zip(passes.gives[1:], d_others, strict=True)}
        d_final = d_given[len(passes.gives) :]
        d_state = tuple(torch.zeros_like(outputs[-1]) if d is None else d.clone() for d in d_final)

        gradients = passes.backward(tape, parameters, d_outputs, d_state)
        d_inputs = None
        if ctx.needs_input_grad[2]:
            d_inputs = times_transposed(gradients.projected.flatten(0, -2), parameters["weight_ih"].T).view_as(inputs)
        d_parameters = passes.out_of_order(_parameter_gradients(inputs, parameters, gradients))
        d_state = gradients.state
        return None, None, d_inputs, gradients.below, *d_state, *(d_parameters[name] for name in names)


def _parameter_gradients(inputs: Tensor, parameters: Parameters, gradients: Gradients) -> dict[str, Tensor]:
    """The shared weights' gradients: each a sum over timesteps and streams, and so one product."""
    found = dict(gradients.parameters)
    d_projected = columns(gradients.projected)  # (rows, time x batch)
    first_rows = gradients.recurrent_rows[0]
    all_see = first_rows.rows == len(d_projected)  # the same past
    if not inputs.is_floating_point():
        by_token = torch.zeros_like(parameters["weight_ih"].T, memory_format=torch.contiguous_format)
        found["weight_ih"] = by_token.index_add_(0, inputs.flatten(), gradients.projected.flatten(0, 1)).T
        found["weight_hh"] = _recurrent_gradient(d_projected, gradients.recurrent_rows)
    elif not all_see:
        found["weight_ih"] = times_transposed(d_projected, columns(inputs))
        found["weight_hh"] = _recurrent_gradient(d_projected, gradients.recurrent_rows)
    else:  # the same gradient meets inputs and past: one product is faster than two
        both = times_transposed(d_projected, columns(inputs, first_rows.past))
        found["weight_ih"], found["weight_hh"] = both.split((inputs.shape[-1], first_rows.past.shape[-1]), dim=1)
    if "bias" in parameters:
        found["bias"] = d_projected.sum(1)
    return found


def _recurrent_gradient(d_projected: Tensor, parts: tuple[RecurrentRows, ...]) -> Tensor:
    """dL/dU, (rows, units), from dL/d of the projected inputs, (rows, time x batch)."""
    found, rows = [], [part.rows for part in parts]
    for part, d_product in zip(parts, d_projected[: sum(rows)].split(rows), strict=True):
        d_product = d_product if part.d_product is None else columns(part.d_product)
        found.append(times_transposed(d_product, columns(part.past)))
    return torch.cat(found)
