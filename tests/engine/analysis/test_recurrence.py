"""What a gradient carries from timestep to timestep: by hand, by the losses one by one, and in a graph cut apart."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.analysis.activity import gradient_norms
from engine.analysis.recurrence import carried_gradients, carried_norms
from engine.cells.projection import project
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel
from engine.models.recording import record
from engine.trace import UNKNOWN, Trace

Models = Callable[..., LanguageModel]
Traces = Callable[..., Trace]


def test_two_steps_of_one_unit_by_hand() -> None:
    """h_1 = tanh(u_0), h_2 = tanh(u_1 + w h_1), p = softmax(v h): what goes from 2 to 1 is ∂L_2/∂h_2 (1 - h_2²) w."""
    model = LanguageModel(ModelConfig(cell="rnn", units=1, embedding=0, bias=False), 2, seed=0).double()
    layer = model.stack.layer_parameters(0)
    with torch.no_grad():
        layer["weight_ih"].copy_(torch.tensor([[0.3, -0.8]], dtype=torch.float64))
        layer["weight_hh"].fill_(1.5)
        model.head_weight.copy_(torch.tensor([[0.7], [-0.4]], dtype=torch.float64))
        if model.head_bias is not None:
            model.head_bias.zero_()
    trace = record(model, [0, 1, 1], gradient="sum")
    assert trace.grad is not None
    first = math.tanh(0.3)
    second = math.tanh(-0.8 + 1.5 * first)

    def pull(h: float) -> float:
        """∂L/∂h where token 1 follows: Σ_j p_j v_j - v_1."""
        p = 1 / (1 + math.exp((-0.4 - 0.7) * h))
        return p * 0.7 + (1 - p) * -0.4 + 0.4

    travels = pull(second) * (1 - second**2) * 1.5
    assert carried_norms(model, trace)[0].tolist() == pytest.approx(
        [abs((pull(first) + travels) * (1 - first**2) * 1.5), abs(travels), 0.0], rel=1e-12
    )
    assert float(trace.grad["hidden"][0, 0, 0]) == pytest.approx(pull(first) + travels, rel=1e-12)


def test_nothing_travels_from_a_last_column_without_a_loss(make_model: Models, traced: Traces) -> None:
    model = make_model()
    trace = traced(model)
    assert int(trace.targets[-1]) == UNKNOWN
    assert carried_norms(model, trace)[:, -1].tolist() == [0, 0]
    assert float(gradient_norms(trace)[-1, -2]) > 0, "though a loss enters just before it"


def test_of_one_layer_it_is_the_gradient_of_the_losses_from_there_on(
    make_model: Models, traced: Traces, one_of_each: tuple[str, dict]
) -> None:
    """Losses add up, so the gradient of those at t and later is the sum of each one's own."""
    model = make_model(*one_of_each, layers=1)
    trace = traced(model)
    judged = (trace.targets != UNKNOWN).nonzero().flatten().tolist()
    single = {k: traced(model, k) for k in judged}
    for name, found in carried_gradients(model, trace).items():
        for t in range(trace.length):
            expected = torch.zeros_like(found[:, t])
            for k in judged:
                if k >= t:
                    initial, grad = single[k].initial_grad, single[k].grad
                    assert initial is not None
                    assert grad is not None
                    expected += grad[name][:, t - 1] if t else initial[name]
            torch.testing.assert_close(found[:, t], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("target", ["sum", 4])
def test_in_a_stack_what_enters_from_above_is_not_carried(
    make_model: Models, traced: Traces, one_of_each: tuple[str, dict], target: str | int
) -> None:
    model = make_model(*one_of_each, layers=2)
    trace = traced(model, target)
    found = carried_gradients(model, trace)
    for layer in range(2):
        for t in range(1, trace.length):
            expected = _cut_apart(model, trace, target, layer, t)
            for name, value in expected.items():
                torch.testing.assert_close(found[name][layer, t], value, rtol=1e-9, atol=1e-12)


def test_without_gradients_there_is_nothing_to_carry(make_model: Models, traced: Traces) -> None:
    with pytest.raises(ValueError, match="no gradients"):
        carried_norms(make_model(), traced(make_model(), None))


def test_nan_is_carried_as_nan(make_model: Models, traced: Traces) -> None:
    model = make_model()
    with torch.no_grad():
        model.stack.layer_parameters(0)["weight_hh"][0, 0] = torch.nan
    assert carried_norms(model, traced(model)).isnan().any()


def _cut_apart(model: LanguageModel, trace: Trace, target: str | int, layer: int, t: int) -> dict[str, Tensor]:
    """The gradient of the loss with respect to a copy of the layer's state at t - 1 that its step at t alone reads.

    A step of its own makes the copy, from a copy of the cell state where there is one: the hidden state follows it.
    """
    cells, names = model.stack.cells, model.stack.cells[layer].state_names
    copies: dict[str, Tensor] = {}

    def copied(name: str, value: Tensor) -> Tensor:
        if name in names:
            copies[name] = value.detach().requires_grad_()
            return copies[name]
        return value

    def follows(name: str, value: Tensor) -> Tensor:
        if name == "cell":
            return copies["cell"]
        if name == "hidden":
            value.retain_grad()
            copies["hidden"] = value
        return value

    states: list[list[Tensor]] = []
    for level in range(len(cells)):
        state = [trace.initial[name][level].unsqueeze(0) for name in cells[level].state_names]
        if cells[level].clock_size:
            assert trace.clock is not None
            state.append(trace.clock[:1].double().unsqueeze(1))
        states.append(state)
    outputs = []
    for time in range(trace.length):
        reads, lower = trace.inputs[time : time + 1], None
        for level, cell in enumerate(cells):
            parameters = model.stack.layer_parameters(level)
            projected = project(reads.unsqueeze(0), parameters)[0]
            asked = [] if not cell.below or lower is None else [lower[cells[level - 1].state_names.index(cell.below)]]
            before = states[level]
            state = list(cell.step(projected, (*before, *asked), parameters))
            if (level, time) == (layer, t - 1):
                cell.step(projected.detach(), _detached(before, asked), parameters, copied)
                again = cell.step(projected.detach(), _detached(before, asked), parameters, follows)
                states[level] = [*again[: len(names)], *state[len(names) :]]
            else:
                states[level] = state
            reads, lower = state[0], state
        outputs.append(reads)
    scores = torch.nn.functional.linear(torch.cat(outputs), model.head_weight, model.head_bias)
    known = trace.targets != UNKNOWN
    losses = torch.nn.functional.cross_entropy(scores, trace.targets.clamp(min=0), reduction="none")
    loss = losses[known].sum() if target == "sum" else losses[target]
    found = torch.autograd.grad(loss, [copies[name] for name in names], allow_unused=True, materialize_grads=True)
    return {name: value[0].detach() for name, value in zip(names, found, strict=True)}


def _detached(before: list[Tensor], asked: list[Tensor]) -> tuple[Tensor, ...]:
    return tuple(part.detach() for part in (*before, *asked))
