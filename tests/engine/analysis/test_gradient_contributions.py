"""Contributions to a weight's gradient: against autograd, with a copy of the weights for each timestep."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.analysis.gradient_contributions import Contributions, contributions, element_contributions, gradient
from engine.cells import CELLS, stacked
from engine.cells.projection import project
from engine.models.language_model import LanguageModel
from engine.models.recording import record, record_stack
from engine.models.stack import RecurrentStack
from engine.trace import UNKNOWN, Trace

Models = Callable[..., LanguageModel]
Traces = Callable[..., Trace]
Copies = list[list[dict[str, Tensor]]]


def own_copies(stack: RecurrentStack, timesteps: int) -> Copies:
    """For each layer and timestep its own copy of the layer's weights."""
    return [
        [
            {name: weight.detach().clone().requires_grad_() for name, weight in stack.layer_parameters(layer).items()}
            for _ in range(timesteps)
        ]
        for layer in range(len(stack.cells))
    ]


def loss_of(model: LanguageModel, trace: Trace, copies: Copies) -> Tensor:
    """The loss that the trace differentiated, with the copies in place of the shared weights."""
    below = trace.inputs.unsqueeze(1)  # (time, 1, width)
    states: list[tuple[Tensor, ...]] = []  # of the layer below, at each timestep
    for layer, cell in enumerate(model.stack.cells):
        state = tuple(trace.initial[name][layer : layer + 1] for name in cell.state_names)
        state += () if trace.clock is None else (trace.clock[:1, None],)
        under, states, connected = states, [], cell.connections()
        for t, copy in enumerate(copies[layer]):
            parameters = copy if connected is None else {**copy, "weight_hh": copy["weight_hh"] * connected}
            asked = (under[t][cell.state_names.index(cell.below)],) if cell.below else ()
            state = cell.step(project(below[t : t + 1], parameters)[0], (*state, *asked), parameters)
            states.append(state)
        below = torch.stack([state[0] for state in states])
    losses = F.cross_entropy(model.logits(below[:, 0]), trace.targets, ignore_index=UNKNOWN, reduction="none")
    return losses.sum() if trace.target == "sum" else losses[trace.target]


def shares_by_autograd(model: LanguageModel, trace: Trace, layer: int) -> dict[str, Tensor]:
    """For each parameter of a layer the share of each timestep, written out: (time, rows, columns)."""
    copies = own_copies(model.stack, trace.length)
    loss_of(model, trace, copies).backward()
    found = {}
    for name in copies[layer][0]:
        each = [
            torch.zeros_like(weights[name]) if weights[name].grad is None else weights[name].grad
            for weights in copies[layer]
        ]
        found[name] = torch.stack(each).flatten(1).unflatten(1, (len(copies[layer][0][name]), -1))
    return found


def expected_from(written_out: Tensor) -> Contributions:
    """What (time, rows, columns) comes to by the definitions."""
    total = written_out.sum(0)
    norms = written_out.flatten(1).norm(dim=1)
    along = (written_out * total).sum((1, 2)) / total.square().sum()
    return Contributions(norms, along, float(total.norm()))


def assert_same(found: Contributions, expected: Contributions) -> None:
    torch.testing.assert_close(found.norms, expected.norms, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found.along, expected.along, rtol=1e-10, atol=1e-12)
    assert found.total_norm == pytest.approx(expected.total_norm, rel=1e-10)


def test_shares_are_those_of_a_copy_of_the_weights_for_each_timestep(
    make_model: Models, traced: Traces, variant: tuple[str, dict], case: Callable
) -> None:
    for embedding, bias, target in itertools.product((0, 4), (True, False), ("sum", 4)):
        model = make_model(*variant, embedding=embedding, bias=bias)
        trace = traced(model, target)
        for layer, cell in enumerate(model.stack.cells):
            for name, written_out in shares_by_autograd(model, trace, layer).items():
                with case(embedding, target, layer, name):
                    assert written_out.any()
                    assert_same(contributions(cell, trace, layer, name), expected_from(written_out))
                    found = gradient(cell, trace, layer, name)
                    torch.testing.assert_close(found, written_out.sum(0), rtol=1e-10, atol=1e-12)


def test_shares_sum_to_the_gradient_that_training_would_see(make_model: Models, variant: tuple[str, dict]) -> None:
    model = make_model(*variant)
    probe = (2, 0, 1, 5, 5, 1, 3)
    trace = record(model, probe, gradient="sum")
    tokens = torch.tensor(probe).unsqueeze(1)  # (time, 1)
    logits, _ = model(tokens[:-1], model.initial_state(1))
    F.cross_entropy(logits.flatten(0, 1), tokens[1:].flatten(), reduction="sum").backward()
    for layer in range(2):
        for name, weight in model.stack.layers[layer].items():
            assert weight.grad is not None
            found = gradient(model.stack.cells[layer], trace, layer, name).view_as(weight)
            torch.testing.assert_close(found, weight.grad, rtol=1e-9, atol=1e-11)
            assert float(contributions(model.stack.cells[layer], trace, layer, name).along.sum()) == pytest.approx(1)


def test_one_block_is_its_rows_alone(make_model: Models, traced: Traces, one_of_each: tuple[str, dict]) -> None:
    model = make_model(*one_of_each)
    cell, trace = model.stack.cells[1], traced(model)
    written_out = shares_by_autograd(model, trace, 1)
    for name in ("weight_ih", "weight_hh", "bias"):
        for block in cell.recurrent_blocks if name == "weight_hh" else cell.blocks:
            assert_same(
                contributions(cell, trace, 1, name, block), expected_from(written_out[name][:, cell.rows(block)])
            )


def test_the_share_of_one_value_is_its_place_in_the_share(
    make_model: Models, traced: Traces, one_of_each: tuple[str, dict]
) -> None:
    model = make_model(*one_of_each)
    cell, trace = model.stack.cells[1], traced(model, 5)
    for name, written_out in shares_by_autograd(model, trace, 1).items():
        rows, columns = written_out.shape[1:]
        for row, column in {(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)}:
            found = element_contributions(cell, trace, 1, name, row, column)
            torch.testing.assert_close(found, written_out[:, row, column], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_both_directions_of_a_stack_have_their_shares(name: str) -> None:
    stack = RecurrentStack(stacked(name, 3, 2), 4, bidirectional=True).double()
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.normal_(std=0.7, generator=random)
    inputs = torch.randn(6, 4, generator=random, dtype=torch.float64)
    weights = torch.randn(6, 6, generator=random, dtype=torch.float64)
    trace = record_stack(stack, inputs, loss=lambda outputs: (outputs * weights).sum())
    outputs, _ = stack(inputs.unsqueeze(1), stack.initial_state(1))
    (outputs[:, 0] * weights).sum().backward()
    for layer in range(2):
        for reverse in (False, True):
            for key, weight in (stack.reverse if reverse else stack.layers)[layer].items():
                assert weight.grad is not None
                found = gradient(stack.cells[layer], trace, layer, key, reverse=reverse).view_as(weight)
                torch.testing.assert_close(found, weight.grad, rtol=1e-9, atol=1e-11)


def test_what_comes_after_the_target_has_no_share(make_model: Models, traced: Traces) -> None:
    model = make_model("gru")
    found = contributions(model.stack.cells[0], traced(model, 3), 0)
    assert (found.norms[:4] > 0).all()
    assert not found.norms[4:].any()
    assert not found.along[4:].any()


def test_an_unknown_token_adds_nothing_to_the_input_weights_and_something_to_the_bias(
    make_model: Models, traced: Traces
) -> None:
    model = make_model()
    trace = traced(model, 5)
    (place,) = (trace.tokens == UNKNOWN).nonzero().flatten().tolist()
    assert contributions(model.stack.cells[0], trace, 0, "weight_ih").norms[place] == 0
    assert contributions(model.stack.cells[0], trace, 0, "bias").norms[place] > 0


def test_where_the_whole_gradient_is_zero_no_share_points_along_it(make_model: Models) -> None:
    """One timestep from the zero state: the recurrent weights multiply nothing."""
    model = make_model("rnn")
    found = contributions(model.stack.cells[0], record(model, [1, 2], gradient=0), 0)
    assert found.total_norm == 0
    assert found.norms.tolist() == found.along.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("cell", "parameter", "block", "said"),
    [
        ("lstm", "weight_oh", None, "'lstm' has no parameter 'weight_oh'; choose one of weight_ih, weight_hh, bias"),
        ("lstm", "bias_candidate", None, "no parameter 'bias_candidate'"),
        ("gru", "weight_hh", "forget", "'weight_hh' has no rows of 'forget'; choose one of reset, keep, candidate"),
        ("gru", "bias_candidate", "reset", "'bias_candidate' has no rows of 'reset'; choose one of candidate"),
        ("lstm-peephole", "peephole_input", None, "peephole_update, peephole_forget, peephole_output"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    make_model: Models, traced: Traces, cell: str, parameter: str, block: str | None, said: str
) -> None:
    model = make_model(cell)
    with pytest.raises(ValueError, match=said):
        contributions(model.stack.cells[0], traced(model), 0, parameter, block)


def test_without_gradients_or_a_second_direction_it_says_what_to_do(make_model: Models, traced: Traces) -> None:
    model = make_model()
    cell = model.stack.cells[0]
    with pytest.raises(ValueError, match="record it with gradient"):
        contributions(cell, traced(model, None), 0)
    with pytest.raises(ValueError, match="is unidirectional"):
        contributions(cell, traced(model), 0, reverse=True)
    with pytest.raises(IndexError, match="no row 99"):
        element_contributions(cell, traced(model), 0, "weight_hh", 99)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e38])
def test_weights_that_are_no_numbers_give_none_and_no_complaint(make_model: Models, value: float) -> None:
    model = make_model("gru").float()
    for parameter in model.parameters():
        parameter.data.fill_(value)
    trace = record(model, [1, 2, 3], gradient="sum")
    for name in model.stack.layer_parameters(0):
        found = contributions(model.stack.cells[0], trace, 0, name)
        if value != value:
            assert found.norms[:2].isnan().all()
            assert found.along.isnan().all()
        element_contributions(model.stack.cells[0], trace, 0, name, 0)
