"""What the gradient carries from each timestep to the one before, through the recurrence of a layer alone.

The gradient with respect to s_{t-1} is made of two parts: what arrives from timestep t, through the layer's own step,
and what enters at t-1 itself, from its loss or from the layer above. Here is the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.analysis.past import gradients_of, inputs_of
from engine.cells import Cell
from engine.cells.projection import project
from engine.models.language_model import LanguageModel
from engine.models.stack import RecurrentStack
from engine.trace import StackTrace


def carried_gradients(model: LanguageModel | RecurrentStack, trace: StackTrace) -> dict[str, Tensor]:
    """∂L_{≥t}/∂s_{t-1} of each state in each layer, (layer, time, unit), in float64; at t = 0 of the initial state.

    L_{≥t} is what the trace's target has at t and later, reached through the layer's own step from t-1 to t. As
    everywhere in a trace, the gradient with respect to a state is its whole effect: c_{t-1} also acts through h_{t-1}.
    So `trace.grad["hidden"][layer, t - 1]` is what stands here at t, and what enters at t-1.

    Args:
        model: whose pass the trace is
        trace: with gradients, read forward, without values put in place

    Raises:
        ValueError: the trace has no gradients
    """
    gradients_of(trace)
    stack = model.stack if isinstance(model, LanguageModel) else model
    layers = [_of_layer(stack, trace, layer) for layer in range(trace.layers)]
    return {name: torch.stack([layer[name] for layer in layers]) for name in trace.initial}


def carried_norms(model: LanguageModel | RecurrentStack, trace: StackTrace) -> Tensor:
    """||∂L_{≥t}/∂s_{t-1}|| over all states of a layer, (layer, time), in float64.

    Raises:
        ValueError: the trace has no gradients
    """
    squares = [part.square().sum(dim=-1) for part in carried_gradients(model, trace).values()]
    return torch.stack(squares).sum(0).sqrt()


def _of_layer(stack: RecurrentStack, trace: StackTrace, layer: int) -> dict[str, Tensor]:
    """Of one layer each state's (time, unit)."""
    gradients = gradients_of(trace)
    steps = _steps(stack, trace, layer)
    names = list(steps.before)
    with torch.enable_grad():
        edges = torch.autograd.grad(
            [steps.made[name] for name in names],
            [steps.before[name] for name in names],
            [gradients[name][layer].double() for name in names],
            retain_graph=True,
            materialize_grads=True,
        )
    carried = dict(zip(names, edges, strict=True))
    # A state that others of its own timestep are made of acts through those as well.
    for at, name in enumerate(later := list(steps.made)[::-1]):
        readers = later[:at]
        if not readers or not any(steps.made[reader].requires_grad for reader in readers):
            continue
        arrives = [_one_earlier(carried[reader]) for reader in readers]
        (through,) = torch.autograd.grad(
            [steps.made[reader] for reader in readers], steps.held[name], arrives, retain_graph=True, allow_unused=True
        )
        if through is not None:
            carried[name] = carried[name] + _one_later(through)
    return {name: carried[name].detach() for name in names}


@dataclass(frozen=True)
class _Steps:
    """All timesteps of a layer as one batch, each cut off from the others and at its new states.

    Attributes:
        before: leaves: each state as the timesteps found it, (time, unit)
        made: each new state, in the order in which they are computed
        held: leaves: the same values, as what is computed after them in the same step reads them
    """

    before: Mapping[str, Tensor]
    made: Mapping[str, Tensor]
    held: Mapping[str, Tensor]


@torch.inference_mode(False)
def _steps(stack: RecurrentStack, trace: StackTrace, layer: int) -> _Steps:
    cell = stack.cells[layer]
    weights = stack.layer_parameters(layer)
    parameters = {name: weight.detach().cpu().double() for name, weight in weights.items()}
    projected = project(inputs_of(trace, layer).double().unsqueeze(0), parameters)[0]  # (time, rows)
    before = {name: _leaf(trace.before(name)[layer]) for name in cell.state_names}
    made: dict[str, Tensor] = {}
    held: dict[str, Tensor] = {}

    def tap(name: str, value: Tensor) -> Tensor:
        if name not in before:
            return value
        made[name], held[name] = value, _leaf(value)
        return held[name]

    with torch.enable_grad():
        cell.step(projected, (*before.values(), *_asked(cell, trace, layer)), parameters, tap)
    return _Steps(before, made, held)


def _asked(cell: Cell, trace: StackTrace, layer: int) -> list[Tensor]:
    """What the step of some cells asks for beside its own states: the clock, a state of the layer below."""
    found = []
    if cell.clock_size:
        assert trace.clock is not None
        found.append(trace.clock.double().unsqueeze(1))  # (time, 1)
    if cell.below:
        found.append(trace[cell.below][layer - 1].double())  # (time, unit)
    return found


def _leaf(values: Tensor) -> Tensor:
    return values.detach().double().clone().requires_grad_()


def _one_earlier(values: Tensor) -> Tensor:
    """(time, unit), each row where the one after it stood; zeros last."""
    return torch.cat((values[1:], torch.zeros_like(values[:1])))


def _one_later(values: Tensor) -> Tensor:
    """(time, unit), each row where the one before it stood; zeros first: an initial state is not made of another."""
    return torch.cat((torch.zeros_like(values[:1]), values[:-1]))
