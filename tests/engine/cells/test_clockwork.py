"""What makes a clockwork a clockwork: modules that keep time, hear the slower ones alone, and go on where they were."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine import record
from engine.cells.clockwork import ClockworkRNN
from engine.cells.kernels import run_layer
from engine.config import ConfigError, ModelConfig
from engine.models.language_model import LanguageModel
from engine.training.optimizers import OPTIMIZERS

KERNELS = ("packed", "plain")


def test_modules_are_as_equal_as_can_be_the_fastest_first():
    cell = ClockworkRNN(10, {"modules": "4"})
    assert [module.stop - module.start for module in cell.modules] == [3, 2, 3, 2]
    assert cell.periods.tolist() == [1, 1, 1, 2, 2, 4, 4, 4, 8, 8]
    assert (ClockworkRNN(2, {"modules": "8"}).periods.tolist(), ClockworkRNN(2).clock_size) == ([1, 2], 2)


def test_a_number_of_modules_that_is_not_offered_is_refused():
    with pytest.raises(ConfigError, match="choose one of 1, 2, 4, 8"):
        ClockworkRNN(8, {"modules": "3"})


def test_the_recurrent_weights_are_block_upper_triangular():
    assert ClockworkRNN(5, {"modules": "2"}).connections().tolist() == [[1] * 5] * 3 + [[0, 0, 0, 1, 1]] * 2
    assert ClockworkRNN(5, {"modules": "1"}).connections() is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_module_is_as_it_was_at_timesteps_that_are_not_its_own(layer, kernel):
    ours = layer("rnn-clockwork", {"modules": "4"}, timesteps=17, batch=1, units=8)
    start = (ours.state[0], torch.zeros_like(ours.state[1]))
    outputs, (_, clock) = run_layer(ours.cell, ours.inputs, start, ours.parameters, kernel)
    states = torch.cat((start[0][None], outputs))[:, 0]  # (1 + time, units)
    for module, period in enumerate((1, 2, 4, 8)):
        own = states[:, 2 * module : 2 * module + 2]
        moved = [t for t in range(17) if not torch.equal(own[t + 1], own[t])]
        assert moved == list(range(0, 17, period))
    assert clock.item() == 17 % 8


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_faster_module_is_not_read(layer, kernel):
    ours = layer("rnn-clockwork", {"modules": "2"}, timesteps=6, units=4, bias=False)
    hidden, clock = ours.state
    louder = (hidden + torch.tensor([9.0, 9.0, 0.0, 0.0]), clock)  # the fast half alone
    one, other = (
        run_layer(ours.cell, ours.inputs, start, ours.parameters, kernel)[0] for start in (ours.state, louder)
    )
    assert torch.equal(one[..., 2:], other[..., 2:])
    assert not torch.allclose(one[..., :2], other[..., :2])


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_module_is_the_network_of_torch(layer, kernel):
    ours = layer("rnn-clockwork", {"modules": "1"})
    module = nn.RNN(ours.inputs.shape[-1], ours.cell.units, dtype=torch.float64)
    with torch.no_grad():
        for name, value in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias")):
            getattr(module, f"{name}_l0").copy_(ours.parameters[value])
        module.bias_hh_l0.zero_()
    outputs, _ = module(ours.inputs, ours.state[0][None])
    torch.testing.assert_close(ours.run(kernel)[0], outputs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("chunk", [1, 3, 5])
def test_a_text_in_chunks_is_the_text_in_one_piece(layer, kernel, chunk):
    ours = layer("rnn-clockwork", {"modules": "8"}, timesteps=150, units=9)  # beyond the longest period
    state, outputs = ours.state, []
    for piece in ours.inputs.split(chunk):
        output, state = run_layer(ours.cell, piece, state, ours.parameters, kernel)
        outputs.append(output)
    whole, end = run_layer(ours.cell, ours.inputs, ours.state, ours.parameters, kernel)
    torch.testing.assert_close(torch.cat(outputs), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, end, rtol=0, atol=1e-12)


def test_a_clock_stays_exact_however_long_the_text():
    cell = ClockworkRNN(8, {"modules": "8"})
    state = cell.initial_state(1, torch.zeros(1, dtype=torch.bfloat16))  # which counts in ones to 256 alone
    weights = {"weight_hh": torch.zeros(8, 8, dtype=torch.bfloat16)}
    for _ in range(1_000):
        state = cell.step(torch.zeros(1, 8, dtype=torch.bfloat16), state, weights)
    assert state[1].item() == 1_000 % 128


def model(**settings) -> LanguageModel:
    values = {"cell": "rnn-clockwork", "units": 10, "layers": 2, "embedding": 4} | settings
    return LanguageModel(ModelConfig(**values), vocabulary_size=6, seed=0)


@pytest.mark.parametrize("initialisation", ["pytorch", "orthogonal", "identity"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_module_hears_a_faster_one_however_it_is_trained(tiny, initialisation, optimizer):
    ours = model(initialisation=initialisation)
    training = tiny(optimizer=optimizer, weight_decay=0.1).training
    rule = OPTIMIZERS[optimizer].build([{"params": list(ours.parameters()), "weight_decay": 0.1}], training, False)
    absent = ours.stack.cells[0].connections() == 0
    tokens = torch.randint(6, (9, 3), generator=torch.Generator().manual_seed(1))
    for _ in range(4):
        before = [layer["weight_hh"].detach().clone() for layer in ours.stack.layers]
        rule.zero_grad()
        ours(tokens, ours.initial_state(3))[0].logsumexp(-1).sum().backward()
        rule.step()
        for layer, old in zip(ours.stack.layers, before, strict=True):
            assert not layer["weight_hh"][absent].any()
            assert not layer["weight_hh"].grad[absent].any()
            assert not torch.equal(layer["weight_hh"], old)


def test_weights_that_do_not_exist_are_not_counted():
    plain = model(cell="rnn")
    # Of 10 units in modules of 3, 2, 3 and 2: each row of a module lacks the columns before it, in both layers.
    assert plain.parameter_count() - model().parameter_count() == 2 * (2 * 3 + 3 * 5 + 2 * 8)


def test_weights_that_do_not_exist_are_zero_whatever_a_file_holds_in_their_place():
    ours = model()
    with torch.no_grad():
        ours.stack.layers[0]["weight_hh"].fill_(1.0)
    assert torch.equal(ours.stack.layer_parameters(0)["weight_hh"], ours.stack.cells[0].connections())


def test_a_recording_tells_whose_turn_it_was_and_what_the_clock_said():
    ours = model(units=4)
    trace = record(ours, [0, 1, 2, 3, 4], state=ours(torch.zeros(6, 1, dtype=torch.int64), ours.initial_state(1))[1])
    assert trace.clock.tolist() == [6, 7, 0, 1, 2]
    assert trace["update"][0].tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]
    assert torch.equal(trace["update"][0], trace["update"][1])
    assert record(model(cell="rnn"), [0]).clock is None
