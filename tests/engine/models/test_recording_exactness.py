"""What is recorded equals the model's own pass, the equations, PyTorch's modules, autograd and finite differences."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from engine import UNKNOWN, Change, LanguageModel, ModelConfig, record, warm

TOKENS = [3, 0, 5, 5, 1]
CONTEXT = [2, 4, 4]


def assert_close(found, expected, tolerance=1e-10):
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance, equal_nan=True)


def test_it_equals_the_models_own_pass(make_model, variant):
    for layers, bias, embedding in itertools.product((1, 2), (True, False), (4, 0)):
        model = make_model(*variant, layers=layers, bias=bias, embedding=embedding)
        state = warm(model, CONTEXT)
        trace = record(model, TOKENS, state=state)
        with torch.no_grad():
            tokens = torch.tensor(TOKENS)[:, None]
            logits, final = model(tokens, state)
            hidden, _ = model.hidden(tokens, state)
        assert_close(trace.log_probabilities, logits[:, 0].log_softmax(dim=-1), 1e-5)
        assert_close(trace["hidden"][-1], hidden[:, 0], 1e-5)
        for i, name in enumerate(model.stack.cells[0].state_names):
            assert_close(trace[name][:, -1], torch.cat([layer[i] for layer in final]), 1e-5)
            assert_close(trace.initial[name], torch.cat([layer[i] for layer in state]), 0)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_it_equals_the_models_own_pass_at_the_size_it_is_used_at(cell):
    model = LanguageModel(ModelConfig(cell=cell, units=256, layers=2), vocabulary_size=65, seed=0)
    tokens = torch.randint(65, (100, 1), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits, _ = model(tokens, model.initial_state(1))
    trace = record(model, tokens[:, 0])
    assert_close(trace.log_probabilities, logits[:, 0].log_softmax(dim=-1), 1e-5)


def by_hand(model, variant, tokens, state, target, by_the_equations):
    """All quantities of each layer and timestep, the inputs and initial states, each with its gradient; the losses."""
    width = model.stack.layer_parameters(0)["weight_ih"].shape[1]
    rows = torch.eye(width, dtype=torch.float64) if model.embedding is None else model.embedding.detach()
    inputs = [rows[token].clone() if token != UNKNOWN else torch.zeros(width).double() for token in tokens]
    initial = [[part[0].detach().clone() for part in layer] for layer in state]
    for leaf in itertools.chain(inputs, *initial):
        leaf.requires_grad_()
    layers, below = [], inputs
    for layer, parts in enumerate(initial):
        under = layers[-1] if layers else None
        layers.append(by_the_equations(*variant, model.stack.layer_parameters(layer), below, parts, under))
        below = [quantities["hidden"] for quantities in layers[-1]]
    losses = {}
    for t, following in enumerate(tokens[1:]):
        if following != UNKNOWN:
            logits = model.head_weight @ below[t] + (0 if model.head_bias is None else model.head_bias)
            losses[t] = logits.exp().sum().log() - logits[following]
    (sum(losses.values()) if target == "sum" else losses[target]).backward()
    return inputs, initial, layers, losses


def gradients(tensors):
    return torch.stack([torch.zeros_like(tensor) if tensor.grad is None else tensor.grad for tensor in tensors])


@pytest.mark.parametrize("target", ["sum", 2])
def test_values_and_gradients_are_those_of_the_equations(make_model, variant, by_the_equations, target):
    tokens = [3, 0, UNKNOWN, 5, 5, 1]
    for bias, embedding in itertools.product((True, False), (4, 0)):
        model = make_model(*variant, bias=bias, embedding=embedding, dtype=torch.float64)
        state = warm(model, CONTEXT)
        trace = record(model, tokens, state=state, gradient=target)
        inputs, initial, layers, losses = by_hand(model, variant, tokens, state, target, by_the_equations)
        assert set(trace.grad) == set(trace) == set(layers[1][0])
        for name in trace:
            for layer, timesteps in enumerate(layers):
                if name not in timesteps[0]:  # the lowest layer has no depth gate
                    assert trace[name][layer].isnan().all()
                    assert trace.grad[name][layer].isnan().all()
                    continue
                own = [quantities[name] for quantities in timesteps]
                assert_close(trace[name][layer], torch.stack(own).detach())
                assert_close(trace.grad[name][layer], gradients(own))
        for i, name in enumerate(trace.initial):
            parts = [layer[i] for layer in initial]
            assert_close(trace.initial[name], torch.stack(parts).detach())
            assert_close(trace.initial_grad[name], gradients(parts))
        assert_close(trace.inputs, torch.stack(inputs).detach())
        assert_close(trace.inputs_grad, gradients(inputs))
        assert {t for t, loss in enumerate(trace.losses) if not loss.isnan()} == set(losses)
        for t, loss in losses.items():
            assert_close(trace.losses[t], loss.detach())


def test_gradients_are_those_of_finite_differences_of_every_quantity(make_model, variant):
    model, epsilon = make_model(*variant, dtype=torch.float64), 1e-5
    tokens, state = TOKENS[:4], warm(model, CONTEXT)
    summed, single = (record(model, tokens, state=state, gradient=target) for target in ("sum", 1))
    direction = torch.randn(summed.units, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def losses(name, layer, time, step):
        values = summed[name][layer, time] + step * direction
        changes = [Change(name, layer, time, unit, value) for unit, value in enumerate(values.tolist())]
        return record(model, tokens, state=state, changes=changes).losses

    for layer, time in itertools.product(range(summed.layers), range(summed.length)):
        for name in model.stack.cells[layer].quantities:
            slopes = (losses(name, layer, time, epsilon) - losses(name, layer, time, -epsilon)) / (2 * epsilon)
            assert_close(summed.grad[name][layer, time] @ direction, slopes.nansum(), 1e-8)
            assert_close(single.grad[name][layer, time] @ direction, slopes[1], 1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_hidden_states_are_those_of_the_module_of_torch(make_model, cell, dtype):
    model = make_model(cell, dtype=dtype)
    module = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](4, 3, num_layers=2).to(dtype)
    with torch.no_grad():
        for layer in range(2):
            own = model.stack.layer_parameters(layer)
            getattr(module, f"weight_ih_l{layer}").copy_(own["weight_ih"])
            getattr(module, f"weight_hh_l{layer}").copy_(own["weight_hh"])
            getattr(module, f"bias_ih_l{layer}").copy_(own["bias"])
            getattr(module, f"bias_hh_l{layer}").zero_()
            if cell == "gru":
                getattr(module, f"bias_hh_l{layer}")[6:] = own["bias_candidate"]
        hidden, _ = module(model.embedding[TOKENS])
    assert_close(record(model, TOKENS)["hidden"][1], hidden, 1e-6 if dtype == torch.float32 else 1e-12)


def test_a_warmed_state_continues_as_context_and_probe_in_one(make_model, variant):
    for layers in (1, 2):
        model = make_model(*variant, layers=layers)
        whole = record(model, CONTEXT + TOKENS)
        probe = record(model, TOKENS, state=warm(model, CONTEXT))
        for name in whole:
            assert_close(probe[name], whole[name][:, len(CONTEXT) :], 1e-5)
        assert_close(probe.log_probabilities, whole.log_probabilities[len(CONTEXT) :], 1e-5)
        for name in probe.initial:
            assert_close(probe.initial[name], whole[name][:, len(CONTEXT) - 1], 1e-5)


def test_a_pass_in_double_precision_is_that_of_the_model_in_double_precision(make_model, variant):
    model = make_model(*variant)
    found = record(model, TOKENS, gradient="sum", state=warm(model, CONTEXT), dtype=torch.float64)
    state = warm(model, CONTEXT)
    expected = record(
        model.double(),
        TOKENS,
        gradient="sum",
        state=tuple(tuple(part.double() for part in layer) for layer in state),
    )
    for name in found:
        assert found[name].dtype == found.grad[name].dtype == torch.float64
        assert_close(found[name], expected[name])
        assert_close(found.grad[name], expected.grad[name])
    assert found.log_probabilities.dtype == found.losses.dtype == found.inputs_grad.dtype == torch.float64
    assert_close(found.log_probabilities, expected.log_probabilities)
