"""One pass of a stack over one sequence with every value kept, and the graph that gradients travel through.

The loop over time that is kept is `engine.cells.loop.record`; here are depth, direction and gradients. What is made
here lives as long as its graph is wanted: `engine.models.recording` makes traces of it, which are numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cells import Cell, State
from engine.cells.loop import Recording, Steps, record
from engine.models.stack import RecurrentStack, StackState
from engine.trace import Change, Direction


@dataclass(frozen=True)
class Kept:
    """Every value of one pass, as autograd knows it; or, in the same places, the gradient with respect to each.

    Attributes:
        inputs: (time, 1, width), the vectors that the bottom layer reads
        initial: the state that each layer started from
        steps: what each layer computed, in the order in which it read; a layer's place is that of its state in
            `initial`, so those of the second direction stand last
    """

    inputs: Tensor
    initial: StackState
    steps: list[Steps]

    def tensors(self) -> Iterator[Tensor]:
        """All of them, one after the other."""
        yield self.inputs
        for layer in self.initial:
            yield from layer
        for steps in self.steps:
            for values in steps.values():
                yield from values

    def refilled(self, tensors: Iterable[Tensor]) -> Kept:
        """Other tensors in the same places, given in the order of `tensors()`."""
        found = iter(tensors)
        return Kept(
            next(found),
            tuple(tuple(next(found) for _ in layer) for layer in self.initial),
            [{name: [next(found) for _ in values] for name, values in steps.items()} for steps in self.steps],
        )

    def gradients(self, loss: Tensor) -> Kept:
        """The gradient of `loss`, a scalar computed from the pass, with respect to every value; zero where the value
        has no effect on it. The graph stays, for the gradient of another."""
        return self.refilled(torch.autograd.grad(loss, list(self.tensors()), retain_graph=True, materialize_grads=True))


def run(
    stack: RecurrentStack, inputs: Tensor, state: StackState, changes: Sequence[Change] = ()
) -> tuple[Kept, Tensor]:
    """All layers over one sequence.

    Where gradients are enabled, a graph runs from `inputs` and `state` through every value to the outputs. The
    weights are constants in it.

    Args:
        stack: whose layers run
        inputs: (time, width), what the bottom layer reads; the pass has its precision
        state: of one stream, as `stack.initial_state(1)` has it
        changes: values to put in place of those computed

    Returns:
        what was kept, and the top layer's outputs (time, directions x units)
    """
    depth = len(stack.cells)
    inputs = _leaf(inputs.unsqueeze(1))  # (time, 1, width)
    initial = tuple(tuple(_leaf(part.to(inputs)) for part in layer) for layer in state)
    forward: list[Steps] = []
    backward: list[Steps] = []
    below = inputs
    there: Recording | None = None
    back: Recording | None = None
    for layer in range(depth):
        there = _layer(stack, layer, below, initial[layer], changes, there)
        forward.append(there.steps)
        outputs = there["hidden"]  # (time, 1, units)
        if stack.bidirectional:
            back = _layer(stack, layer, below.flip(0), initial[depth + layer], changes, back, reverse=True)
            backward.append(back.steps)
            outputs = torch.cat((outputs, back["hidden"].flip(0)), dim=-1)  # (time, 1, 2 x units)
        below = outputs
    return Kept(inputs, initial, forward + backward), below.squeeze(1)


def _layer(
    stack: RecurrentStack,
    layer: int,
    inputs: Tensor,
    state: State,
    changes: Sequence[Change],
    below: Recording | None,
    *,
    reverse: bool = False,
) -> Recording:
    """One layer in one direction, over `inputs` in the order in which it reads them, as the layer `below` did."""
    cell = stack.cells[layer]
    weights = stack.layer_parameters(layer, reverse=reverse)
    parameters = {name: weight.detach().to(inputs) for name, weight in weights.items()}
    replacements: dict[tuple[str, int], dict[int, float]] = {}
    for change in changes:
        if (change.layer, change.reverse) == (layer, reverse):
            turn = len(inputs) - 1 - change.time if reverse else change.time  # which timestep it is in reading order
            replacements.setdefault((change.quantity, turn), {})[change.unit] = float(change.value)
    asked = below[cell.below] if below is not None and cell.below else None
    return record(cell, inputs, state, parameters, replacements, asked)


def _leaf(values: Tensor) -> Tensor:
    """A copy of its own, at which gradients end where they are enabled."""
    return values.detach().clone().requires_grad_(torch.is_grad_enabled())


def direction(stack: RecurrentStack, kept: Kept, *, reverse: bool = False) -> Direction:
    """What was kept of one direction, as numbers on the CPU."""
    state = kept.initial[len(stack.cells) if reverse else 0]
    clock = _clock(stack.cells[0], state, len(kept.inputs), reverse)
    return Direction(*numbers(stack, kept, reverse=reverse), backward=reverse, clock=clock)


def numbers(stack: RecurrentStack, kept: Kept, *, reverse: bool = False) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Of one direction each quantity, (layer, time, unit), and each initial state, (layer, unit), on the CPU."""
    depth = len(stack.cells)
    places = slice(depth, None) if reverse else slice(depth)
    return _sequences(kept.steps[places], reverse), _states(stack.cells[0].state_names, kept.initial[places])


def _clock(cell: Cell, state: State, length: int, reverse: bool) -> Tensor | None:
    """What the clock of a cell that keeps time said at each timestep, (time); `state` is what reading began with."""
    if not cell.clock_size:
        return None
    (first,) = state[-1].detach().cpu().flatten()
    turns = (first + torch.arange(length)) % cell.clock_size
    return turns.flip(0) if reverse else turns


def _sequences(steps: list[Steps], reverse: bool) -> dict[str, Tensor]:
    """Each quantity as (layer, time, unit), NaN where a layer has none; what was read from the end is turned over into
    reading order."""
    order = slice(None, None, -1) if reverse else slice(None)
    missing = [torch.full_like(value, torch.nan) for value in steps[0]["hidden"]]
    sequences = {}
    for name in steps[-1]:
        rows = [value for layer in steps for value in layer.get(name, missing)[order]]  # (1, units) each
        sequences[name] = torch.cat(rows).detach().cpu().unflatten(0, (len(steps), -1))
    return sequences


def _states(names: Sequence[str], initial: StackState) -> dict[str, Tensor]:
    """Each state as (layer, unit)."""
    return {name: torch.cat([layer[i] for layer in initial]).detach().cpu() for i, name in enumerate(names)}
