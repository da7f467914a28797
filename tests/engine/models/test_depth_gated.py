"""What makes a depth-gated LSTM one: with its gates shut it is the stacked LSTM, open they take in what lies below."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine import LanguageModel, ModelConfig, record, record_stack
from engine.cells import CELLS, stacked
from engine.cells.kernels import run_layer
from engine.models import stack as stack_module
from engine.models.stack import RecurrentStack

LAYERS, UNITS, WIDTH = 3, 5, 4


@pytest.fixture(params=["packed", "plain"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every layer runs on this kernel, whatever the table says."""
    monkeypatch.setattr(stack_module, "choose", lambda *_, **__: request.param)
    return request.param


def make_stack(**settings) -> RecurrentStack:
    stack = RecurrentStack(stacked("lstm-depth-gated", UNITS, LAYERS), WIDTH, **settings).double()
    random = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.normal_(std=0.5, generator=random)
    return stack


def set_depth(stack: RecurrentStack, weighted_sum: float) -> None:
    """Every depth gate is σ of this, whatever is read."""
    with torch.no_grad():
        for layers in (stack.layers, stack.reverse):
            for parameters in list(layers)[1:]:
                parameters["weight_ih"][4 * UNITS :] = 0
                parameters["bias"][4 * UNITS :] = weighted_sum
                parameters["peephole_depth"].zero_()
                parameters["peephole_below"].zero_()


def twin_of(stack: RecurrentStack) -> nn.LSTM:
    """PyTorch's stacked LSTM with the same weights, without those of the depth gates."""
    module = nn.LSTM(WIDTH, UNITS, num_layers=LAYERS, bidirectional=stack.bidirectional, dtype=torch.float64)
    rows = slice(4 * UNITS)
    with torch.no_grad():
        for layer in range(LAYERS):
            for end in ("", "_reverse")[: stack.directions]:
                ours = stack.layer_parameters(layer, reverse=bool(end))
                getattr(module, f"weight_ih_l{layer}{end}").copy_(ours["weight_ih"][rows])
                getattr(module, f"weight_hh_l{layer}{end}").copy_(ours["weight_hh"])
                getattr(module, f"bias_ih_l{layer}{end}").copy_(ours["bias"][rows])
                getattr(module, f"bias_hh_l{layer}{end}").zero_()
    return module


def sequence() -> torch.Tensor:
    return torch.randn(6, 3, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.usefixtures("kernel")
def test_with_its_gates_shut_it_is_the_stacked_lstm_of_torch(bidirectional: bool) -> None:
    stack = make_stack(bidirectional=bidirectional)
    set_depth(stack, -1e4)  # σ of it is 0 to the last bit
    module = twin_of(stack)
    inputs = sequence().requires_grad_()
    outputs, end = stack(inputs, stack.initial_state(3))
    theirs, (hidden, cell) = module(inputs)
    torch.testing.assert_close(outputs, theirs, rtol=0, atol=1e-12)
    for layer in range(LAYERS):
        torch.testing.assert_close(end[layer][0], hidden[stack.directions * layer], rtol=0, atol=1e-12)
        torch.testing.assert_close(end[layer][1], cell[stack.directions * layer], rtol=0, atol=1e-12)
    (ours,) = torch.autograd.grad(outputs.square().sum(), inputs)
    (expected,) = torch.autograd.grad(theirs.square().sum(), inputs)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("kernel")
def test_with_its_gates_open_each_cell_state_takes_in_the_one_below_whole() -> None:
    stack = make_stack()
    set_depth(stack, 1e4)
    trace = record_stack(stack, sequence()[:, 0])
    for layer in (1, 2):
        kept = trace["forget"][layer] * trace.before("cell")[layer]
        own = kept + trace["update"][layer] * trace["candidate"][layer]
        torch.testing.assert_close(trace["cell"][layer], own + trace["cell"][layer - 1], rtol=0, atol=1e-12)
    outputs, _ = stack(sequence()[:, :1], stack.initial_state(1))
    torch.testing.assert_close(trace["hidden"][-1], outputs[:, 0].detach(), rtol=0, atol=1e-12)


def test_each_direction_takes_in_its_own() -> None:
    stack = make_stack(bidirectional=True)
    set_depth(stack, 1e4)
    trace = record_stack(stack, sequence()[:, 0])
    assert trace.reverse is not None
    for part in (trace, trace.reverse):
        own = part["forget"][1] * part.before("cell")[1] + part["update"][1] * part["candidate"][1]
        torch.testing.assert_close(part["cell"][1], own + part["cell"][0], rtol=0, atol=1e-12)


def test_a_loss_reaches_the_lowest_cell_state_without_passing_any_hidden_state() -> None:
    """The point of the connection: c_t^1 -> c_t^2 -> c_t^3, with every output gate below shut."""
    stack = make_stack()
    set_depth(stack, 1e4)
    with torch.no_grad():
        for parameters in list(stack.layers)[:-1]:
            parameters["weight_ih"][3 * UNITS : 4 * UNITS] = 0
            parameters["weight_hh"][3 * UNITS :] = 0
            parameters["bias"][3 * UNITS : 4 * UNITS] = -1e4
    trace = record_stack(stack, sequence()[:, 0], loss=lambda outputs: outputs[-1].sum())
    assert not trace["hidden"][:2].any()
    assert trace.grad is not None
    assert trace.grad["cell"][0, -1].all()


@pytest.mark.parametrize("chunk", [1, 2, 4])
@pytest.mark.usefixtures("kernel")
def test_a_text_in_chunks_is_the_text_in_one_piece(chunk: int) -> None:
    stack = make_stack()
    whole, end = stack(sequence(), stack.initial_state(3))
    state, outputs = stack.initial_state(3), []
    for piece in sequence().split(chunk):
        output, state = stack(piece, state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, end, rtol=0, atol=1e-12)


def test_packed_is_plain_in_values_and_in_every_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("packed", "plain"):
        monkeypatch.setattr(stack_module, "choose", lambda *_, name=name, **__: name)
        stack = make_stack(bidirectional=True)
        outputs, end = stack(sequence(), stack.initial_state(3))
        loss = outputs.square().sum() + sum(part.exp().sum() for layer in end for part in layer)
        found.append([outputs, *torch.autograd.grad(loss, list(stack.parameters()))])
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)


def test_the_lowest_layer_is_the_lstm_and_alone_it_is_all() -> None:
    kinds = [type(cell) for cell in stacked("lstm-depth-gated", UNITS, 3)]
    assert kinds == [CELLS["lstm"], CELLS["lstm-depth-gated"], CELLS["lstm-depth-gated"]]
    alone, lstm = (
        LanguageModel(ModelConfig(cell=name, units=UNITS, embedding=WIDTH), 6, seed=0)
        for name in ("lstm-depth-gated", "lstm")
    )
    assert {name: value.shape for name, value in alone.state_dict().items()} == {
        name: value.shape for name, value in lstm.state_dict().items()
    }
    tokens = [3, 0, 5, 1]
    assert torch.equal(record(alone, tokens).log_probabilities, record(lstm, tokens).log_probabilities)


def test_it_cannot_be_the_lowest_or_run_by_itself() -> None:
    cell = CELLS["lstm-depth-gated"](UNITS)
    with pytest.raises(ValueError, match="cannot be the bottom layer"):
        RecurrentStack([cell, cell], WIDTH)
    weights = {name: torch.zeros(shape) for name, shape in cell.parameter_shapes(WIDTH, bias=True).items()}
    with pytest.raises(ValueError, match="needs the cell state of the layer below"):
        run_layer(cell, torch.zeros(2, 1, WIDTH), cell.initial_state(1, torch.zeros(1)), weights, "plain")


def test_its_trained_values_are_counted() -> None:
    def count(name: str) -> int:
        return LanguageModel(
            ModelConfig(cell=name, units=UNITS, layers=3, embedding=WIDTH), 6, seed=0
        ).parameter_count()

    # In each layer but the lowest: W_d on what the layer below shows, a bias and two peepholes.
    assert count("lstm-depth-gated") - count("lstm") == 2 * (UNITS * UNITS + UNITS + 2 * UNITS)
