"""Stacks that read a sequence from both ends: equal to PyTorch's modules, for every kernel, and to two passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from engine.cells import CELLS, stacked
from engine.cells.kernels import KERNELS, run_linked, supports
from engine.config import ModelConfig
from engine.models import stack as stack_module
from engine.models.initialise import initialise_layer, initialise_stack
from engine.models.stack import RecurrentStack, StackState

INPUTS, UNITS, LAYERS, TIMES, BATCH = 4, 5, 2, 7, 3
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
TWINS: list[tuple[str, dict, type[nn.RNNBase], dict]] = [
    ("rnn", {}, nn.RNN, {}),
    ("rnn", {"activation": "relu"}, nn.RNN, {"nonlinearity": "relu"}),
    ("gru", {}, nn.GRU, {}),
    ("lstm", {}, nn.LSTM, {}),
    ("lstm-course", {"relevance_gate": False, "output_tanh": True}, nn.LSTM, {}),
]


def make_stack(cell: str = "lstm", options: dict | None = None, *, layers: int = LAYERS, **settings) -> RecurrentStack:
    settings.setdefault("bidirectional", True)
    stack = RecurrentStack(stacked(cell, UNITS, layers, options), INPUTS, **settings)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.uniform_(-0.5, 0.5, generator=random)
    return stack


def draw(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def some_state(stack: RecurrentStack) -> StackState:
    """A state that differs in every layer, direction, stream and unit; where there are clocks, they say 1."""
    like = next(stack.parameters())
    return tuple(
        tuple(
            torch.ones_like(zero) if name == "clock" else draw(BATCH, UNITS, seed=10 * place + part).to(like)
            for part, (name, zero) in enumerate(zip(stack.cells[0].carried, parts, strict=True))
        )
        for place, parts in enumerate(stack.initial_state(BATCH))
    )


def same_weights(stack: RecurrentStack, module: nn.RNNBase) -> Iterator[tuple[Tensor, Tensor, slice]]:
    """Each parameter of the stack, the one of the module that plays its role, and which of its rows do."""
    names = {"weight_ih": "weight_ih", "weight_hh": "weight_hh", "bias": "bias_ih", "bias_candidate": "bias_hh"}
    for layer in range(LAYERS):
        for end in ("", "_reverse"):
            for name, ours in stack.layer_parameters(layer, reverse=bool(end)).items():
                rows = slice(2 * UNITS if name == "bias_candidate" else 0, None)
                yield ours, getattr(module, f"{names[name]}_l{layer}{end}"), rows


def twin_of(stack: RecurrentStack, kind: type[nn.RNNBase], bias: bool, settings: dict) -> nn.RNNBase:
    """PyTorch's module with the stack's weights; its second bias is zero but for the GRU's candidate."""
    module = kind(INPUTS, UNITS, num_layers=LAYERS, bias=bias, bidirectional=True, **settings)
    module = module.to(next(stack.parameters()).dtype)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        for ours, theirs, rows in same_weights(stack, module):
            theirs[rows] = ours
    return module


def as_torch_has_it(state: StackState) -> list[Tensor]:
    """Our state, forward layers first, as PyTorch stacks it: layer by layer, forward before reverse."""
    order = [layer + direction * LAYERS for layer in range(LAYERS) for direction in range(2)]
    return [torch.stack([state[place][part] for place in order]) for part in range(len(state[0]))]


def run_twin(module: nn.RNNBase, inputs: Tensor, state: StackState) -> list[Tensor]:
    """The module's outputs and the parts of its last state."""
    parts = as_torch_has_it(state)
    outputs, end = module(inputs, tuple(parts) if isinstance(module, nn.LSTM) else parts[0])
    return [outputs, *(end if isinstance(end, tuple) else (end,))]


def weighted_sum(results: list[Tensor]) -> Tensor:
    return torch.stack([(each * draw(*each.shape, seed=5).to(each)).sum() for each in results]).sum()


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every layer runs on this kernel, whatever the table says."""
    monkeypatch.setattr(stack_module, "choose", lambda *_, **__: request.param)
    return request.param


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize(("cell", "options", "kind", "settings"), TWINS, ids=[f"{t[0]} {t[1]}" for t in TWINS])
def test_equals_the_module_of_torch(
    kernel: str, dtype: torch.dtype, bias: bool, cell: str, options: dict, kind: type[nn.RNNBase], settings: dict
) -> None:
    stack = make_stack(cell, options, bias=bias).to(dtype)
    assert supports(stack.cells[0], kernel)  # type: ignore[arg-type]
    module = twin_of(stack, kind, bias, settings)
    inputs = draw(TIMES, BATCH, INPUTS).to(dtype).requires_grad_()
    state = some_state(stack)
    leaves = [inputs, *(part.requires_grad_() for parts in state for part in parts)]

    outputs, end = stack(inputs, state)
    ours = [outputs, *as_torch_has_it(end)]
    theirs = run_twin(module, inputs, state)
    assert outputs.shape == (TIMES, BATCH, 2 * UNITS)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE[dtype])

    atol = 10 * TOLERANCE[dtype]
    their_leaves = torch.autograd.grad(weighted_sum(theirs), leaves, retain_graph=True)
    weighted_sum(theirs).backward(inputs=list(module.parameters()))
    weighted_sum(ours).backward()
    torch.testing.assert_close([leaf.grad for leaf in leaves], list(their_leaves), rtol=0, atol=atol)
    for weight, twin, rows in same_weights(stack, module):
        assert weight.grad is not None
        assert weight.grad.any()
        assert twin.grad is not None
        torch.testing.assert_close(weight.grad, twin.grad[rows], rtol=0, atol=atol)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("one_hot", [False, True])
def test_the_second_direction_is_the_first_over_the_turned_sequence(cell: str, one_hot: bool) -> None:
    stack = make_stack(cell)
    inputs = torch.arange(TIMES * BATCH).reshape(TIMES, BATCH) % INPUTS if one_hot else draw(TIMES, BATCH, INPUTS)
    state = some_state(stack)
    outputs, end = stack(inputs, state)
    below, there, back = inputs, (), ()
    for layer, ours in enumerate(stack.cells):
        places = (layer, LAYERS + layer)
        weights = [stack.layer_parameters(layer, reverse=reverse) for reverse in (False, True)]
        asked = [states[1] if ours.below == "cell" else None for states in (there, back)]
        there, first = run_linked(ours, below, state[places[0]], weights[0], "plain", asked[0])
        back, second = run_linked(ours, below.flip(0), state[places[1]], weights[1], "plain", asked[1])
        for place, expected in zip(places, (first, second), strict=True):
            torch.testing.assert_close(list(end[place]), list(expected), rtol=0, atol=1e-6)
        below = torch.cat((there[0], back[0].flip(0)), dim=-1)  # (time, batch, 2 x units)
    torch.testing.assert_close(outputs, below, rtol=0, atol=1e-6)


def test_an_output_knows_what_comes_after_it_and_one_that_reads_forward_does_not() -> None:
    changed = draw(TIMES, BATCH, INPUTS)
    changed[-1] += 1
    for both in (True, False):
        stack = make_stack(bidirectional=both)
        first, _ = stack(draw(TIMES, BATCH, INPUTS), stack.initial_state(BATCH))
        second, _ = stack(changed, stack.initial_state(BATCH))
        assert torch.allclose(first[0], second[0]) is not both


def test_parameters_and_states_of_the_first_direction_keep_their_names_and_places() -> None:
    alone, both = make_stack(bidirectional=False, layers=1), make_stack(layers=1)
    names = {name: tensor.shape for name, tensor in alone.state_dict().items()}
    assert set(names) == {"layers.0.weight_ih", "layers.0.weight_hh", "layers.0.bias"}
    twice = names | {name.replace("layers.", "reverse."): shape for name, shape in names.items()}
    assert {name: tensor.shape for name, tensor in both.state_dict().items()} == twice
    assert len(alone.initial_state(BATCH)) == 1
    assert len(both.initial_state(BATCH)) == 2
    assert (alone.outputs, both.outputs) == (UNITS, 2 * UNITS)


def test_layers_above_read_both_directions() -> None:
    stack = make_stack()
    for reverse in (False, True):
        assert stack.layer_parameters(0, reverse=reverse)["weight_ih"].shape[1] == INPUTS
        assert stack.layer_parameters(1, reverse=reverse)["weight_ih"].shape[1] == 2 * UNITS


def test_dropout_falls_on_both_directions_between_layers() -> None:
    stack = make_stack(dropout=0.5)
    for parameters in (stack.layer_parameters(1), stack.layer_parameters(1, reverse=True)):
        parameters["weight_hh"].data.zero_()
    inputs, state = draw(TIMES, BATCH, INPUTS), stack.initial_state(BATCH)
    plain, _ = stack(inputs, state)
    dropped, _ = stack(inputs, state, torch.Generator().manual_seed(0))
    again, _ = stack(inputs, state, torch.Generator().manual_seed(0))
    assert torch.equal(dropped, again)
    for direction in range(2):
        units = slice(direction * UNITS, (direction + 1) * UNITS)
        assert not torch.allclose(plain[..., units], dropped[..., units])


def test_a_stack_that_reads_forward_starts_from_the_same_weights_as_ever() -> None:
    """Drawn layer by layer from one generator, so that a seed means the same weights in every version."""
    config = ModelConfig(units=UNITS, layers=LAYERS, initialisation="orthogonal", forget_bias=2.0)
    stack, twin = (make_stack(bidirectional=False) for _ in range(2))
    initialise_stack(stack, config, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    for cell, parameters in zip(twin.cells, twin.layers, strict=True):
        assert isinstance(parameters, nn.ParameterDict)
        initialise_layer(cell, parameters, config, generator)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(stack.parameters(), twin.parameters(), strict=True))


def test_both_directions_are_initialised_and_differ() -> None:
    config = ModelConfig(units=UNITS, layers=LAYERS, initialisation="orthogonal", forget_bias=2.0)
    stack = make_stack()
    initialise_stack(stack, config, torch.Generator().manual_seed(3))
    for layer in range(LAYERS):
        there, back = (stack.layer_parameters(layer, reverse=reverse) for reverse in (False, True))
        for parameters in (there, back):
            for block in parameters["weight_hh"].split(UNITS):
                assert torch.allclose(block @ block.T, torch.eye(UNITS), atol=1e-5)
            assert (parameters["bias"][stack.cells[layer].rows("forget")] == 2.0).all()
        assert not torch.allclose(there["weight_hh"], back["weight_hh"])


def test_a_sequence_of_one_timestep_reads_the_same_from_both_ends() -> None:
    stack = make_stack(layers=1)
    stack.reverse.load_state_dict(stack.layers.state_dict())
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            outputs, (there, back) = stack(draw(1, BATCH, INPUTS), stack.initial_state(BATCH))
        assert torch.equal(outputs[..., :UNITS], outputs[..., UNITS:])
        assert all(map(torch.equal, there, back))
