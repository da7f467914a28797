"""What a recording holds, what it leaves alone, and what cannot be recorded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import LONGEST_PROBE, UNKNOWN, Change, ConfigError, LanguageModel, ModelConfig, record, tape, warm
from engine.cells import CELLS

VOCABULARY = 6
TOKENS = [3, 0, 5, 5, 1]
TINY = {
    cell: LanguageModel(ModelConfig(cell=cell, units=3, layers=2, embedding=4), VOCABULARY, seed=1) for cell in CELLS
}
probes = st.lists(st.integers(UNKNOWN, VOCABULARY - 1), min_size=1, max_size=12)


def test_every_quantity_of_every_layer_has_its_place(make_model):
    trace = record(make_model("lstm"), TOKENS)
    states, gates = ["hidden", "cell"], ["update", "forget", "candidate", "output"]
    assert list(trace) == [*states, *gates, *(f"{gate}_pre" for gate in gates)]
    assert {values.shape for values in trace.values.values()} == {(2, 5, 3)}
    assert {name: values.shape for name, values in trace.initial.items()} == dict.fromkeys(states, (2, 3))
    assert (trace.layers, trace.length, trace.units) == (2, 5, 3)
    assert trace.inputs.shape == (5, 4)
    assert trace.losses.shape == (5,)
    assert trace.log_probabilities.shape == (5, VOCABULARY)
    assert trace.tokens.tolist() == TOKENS
    assert trace.grad is trace.initial_grad is trace.inputs_grad is trace.target is trace.reverse is None


def test_the_block_that_a_gru_keeps_by_is_the_complement_of_its_update_gate(make_model):
    trace = record(make_model("gru"), TOKENS)
    assert set(trace) == {"hidden", "update", "reset", "candidate", "reset_pre", "keep_pre", "candidate_pre"}
    torch.testing.assert_close(trace["update"], 1 - trace["keep_pre"].sigmoid())


def test_gradients_stand_in_the_same_places_as_the_values(make_model):
    trace = record(make_model("lstm"), TOKENS, gradient="sum")
    assert trace.target == "sum"
    assert {name: values.shape for name, values in trace.grad.items()} == {
        name: values.shape for name, values in trace.values.items()
    }
    assert {name: values.shape for name, values in trace.initial_grad.items()} == dict.fromkeys(trace.initial, (2, 3))
    assert trace.inputs_grad.shape == trace.inputs.shape


def test_the_targets_are_the_tokens_that_follow(make_model):
    trace = record(make_model(), [3, UNKNOWN, 5, 1])
    assert trace.targets.tolist() == [UNKNOWN, 5, 1, UNKNOWN]
    assert trace.losses.isnan().tolist() == [True, False, False, True]
    assert trace.losses[1] == -trace.log_probabilities[1, 5]


def test_no_gradient_comes_from_after_the_target(make_model, variant):
    model = make_model(*variant)
    trace = record(model, TOKENS, gradient=2)
    for layer, cell in enumerate(model.stack.cells):
        assert not any(trace.grad[name][layer, 3:].any() for name in cell.quantities)
    assert trace.grad["hidden"][:, :3].any(dim=-1).all()
    assert not trace.inputs_grad[3:].any()
    assert trace.inputs_grad[:3].any(dim=-1).all()


@pytest.mark.parametrize("embedding", [4, 0])
@pytest.mark.parametrize("bias", [True, False])
def test_an_unknown_token_is_read_as_a_zero_vector(make_model, embedding, bias):
    """So it is a token of a larger vocabulary whose vector, or column of weights, is zero."""
    model = make_model(embedding=embedding, bias=bias)
    tokens = [3, UNKNOWN, UNKNOWN, 5, 1]
    trace = record(model, tokens)
    assert not trace.inputs[1].any()
    larger = LanguageModel(model.config, VOCABULARY + 1, seed=0)
    with torch.no_grad():
        for name, values in larger.named_parameters():
            own = model.get_parameter(name)
            values.zero_()[tuple(map(slice, own.shape))] = own
    ids = [VOCABULARY if token == UNKNOWN else token for token in tokens]
    expected = record(larger, ids)
    for name in trace:
        torch.testing.assert_close(trace[name], expected[name])
    for after, (ours, theirs) in enumerate(zip(warm(model, tokens), warm(larger, ids), strict=True)):
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(ours[0][0], trace["hidden"][after, -1])


def test_one_token_is_a_probe_without_a_loss(make_model):
    trace = record(make_model(), [3], gradient="sum")
    assert trace.losses.isnan().all()
    assert not trace.grad["hidden"].any()
    assert not trace.inputs_grad.any()


@settings(max_examples=40)
@given(st.sampled_from(sorted(CELLS)), probes, probes)
def test_what_is_recorded_does_not_depend_on_what_follows(cell, tokens, more):
    part, whole = record(TINY[cell], tokens), record(TINY[cell], tokens + more)
    for name in part:
        torch.testing.assert_close(part[name], whole[name][:, : len(tokens)], equal_nan=True)  # NaN: not in this layer
    torch.testing.assert_close(part.log_probabilities, whole.log_probabilities[: len(tokens)])
    torch.testing.assert_close(part.losses[:-1], whole.losses[: len(tokens) - 1], equal_nan=True)


@settings(max_examples=40)
@given(st.sampled_from(sorted(CELLS)), probes)
def test_any_probe_has_a_loss_where_a_known_token_follows(cell, tokens):
    trace = record(TINY[cell], tokens, gradient="sum")
    has_loss = [token != UNKNOWN for token in tokens[1:]] + [False]
    assert (~trace.losses.isnan()).tolist() == has_loss
    torch.testing.assert_close(trace.log_probabilities.exp().sum(dim=1), torch.ones(len(tokens)))
    for layer, own in enumerate(TINY[cell].stack.cells):
        assert all(trace.grad[name][layer].isfinite().all() for name in own.quantities)


@settings(max_examples=40)
@given(st.sampled_from(sorted(CELLS)), probes, probes)
def test_any_context_warms_as_if_it_had_been_part_of_the_probe(cell, context, tokens):
    whole, probe = record(TINY[cell], context + tokens), record(TINY[cell], tokens, state=warm(TINY[cell], context))
    torch.testing.assert_close(probe["hidden"], whole["hidden"][:, len(context) :], rtol=0, atol=1e-5)


def test_a_context_may_be_empty_or_longer_than_a_probe(make_model):
    model = make_model("gru")
    assert not any(part.any() for layer in warm(model, []) for part in layer)
    tokens = torch.arange(2 * LONGEST_PROBE + 7) % VOCABULARY
    with torch.no_grad():
        _, expected = model(tokens[:, None], model.initial_state(1))
    for ours, theirs in zip(warm(model, tokens), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("row", [tuple, np.array, torch.tensor, iter])
def test_tokens_come_in_any_row(make_model, row):
    assert record(make_model(), row(TOKENS)).tokens.tolist() == TOKENS


def test_the_longest_probe_can_be_recorded(make_model):
    assert record(make_model(layers=1), [1] * LONGEST_PROBE).length == LONGEST_PROBE


@pytest.mark.usefixtures("global_random_state_unchanged")
@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_the_model_and_the_global_state_are_left_alone(make_model, dtype):
    model = make_model(dropout=0.5, input_dropout=0.5).train()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    trace = record(model, TOKENS, gradient="sum", state=warm(model, TOKENS), dtype=dtype)
    assert torch.equal(trace["hidden"], record(model, TOKENS, state=warm(model, TOKENS), dtype=dtype)["hidden"])
    assert torch.is_grad_enabled()
    assert model.training
    for name, values in model.state_dict().items():
        assert torch.equal(values, before[name])
        assert values.dtype == torch.float32
    assert all(values.requires_grad and values.grad is None for values in model.parameters())


def test_weights_need_no_gradients_of_their_own(make_model):
    model = make_model()
    expected = record(model, TOKENS, gradient="sum")
    model.requires_grad_(False)
    assert torch.equal(record(model, TOKENS, gradient="sum").grad["hidden"], expected.grad["hidden"])
    assert not any(values.requires_grad for values in model.parameters())


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_it_records_in_any_mode_and_leaves_the_mode_alone(make_model, mode):
    model = make_model("gru")
    expected = record(model, TOKENS, state=warm(model, TOKENS), gradient="sum")
    with mode():
        enabled = torch.is_grad_enabled()
        trace = record(model, TOKENS, state=warm(model, TOKENS), gradient="sum")
        assert torch.is_grad_enabled() == enabled
    assert torch.equal(trace.grad["hidden"], expected.grad["hidden"])


@pytest.mark.parametrize("gradient", [None, "sum"])
def test_a_trace_holds_numbers_alone(make_model, gradient):
    trace = record(make_model(), TOKENS, gradient=gradient)
    for values in (
        *trace.values.values(),
        *trace.initial.values(),
        trace.inputs,
        trace.losses,
        trace.log_probabilities,
    ):
        assert not values.requires_grad
        assert not values.is_inference()


@pytest.mark.parametrize("cell", CELLS)
def test_a_tape_gives_the_gradients_of_one_loss_after_the_other(make_model, cell):
    model = make_model(cell)
    kept = tape(model, TOKENS)
    assert kept.trace.grad is None
    losses = ["sum", 2, 0, 2, "sum"]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(kept.gradient, losses))
    for of, trace in zip(losses, found, strict=True):
        expected = record(model, TOKENS, gradient=of)
        assert trace.target == of
        assert trace["hidden"] is kept.trace["hidden"]
        assert {*trace.grad} == {*expected.grad}
        for name, values in expected.grad.items():
            assert torch.allclose(trace.grad[name], values, rtol=0, atol=0, equal_nan=True), (
                name
            )  # NaN: not in this layer
        assert torch.equal(trace.inputs_grad, expected.inputs_grad)
        assert torch.equal(trace.initial_grad["hidden"], expected.initial_grad["hidden"])
    with pytest.raises(ConfigError, match="has no loss"):
        kept.gradient(len(TOKENS) - 1)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_that_are_not_numbers_are_recorded_as_they_are(make_model, cell):
    model = make_model(cell)
    with torch.no_grad():
        for values in model.parameters():
            values.fill_(torch.nan)
    trace = record(model, TOKENS, gradient="sum", changes=[Change("hidden", 0, 1, 0, 0.5)])
    assert trace["candidate"].isnan().all()
    assert trace.log_probabilities.isnan().all()
    assert trace.grad["candidate"].shape == trace["candidate"].shape
    warm(model, TOKENS)


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        ([], "The input is empty"),
        ([1] * (LONGEST_PROBE + 1), "has 501 tokens; at most 500"),
        ([1, VOCABULARY], "The token 6 does not exist: the vocabulary has tokens 0 to 5"),
        ([1, -2], "The token -2 does not exist"),
        ([[1, 2], [3, 4]], "one-dimensional sequence of token ids"),
        ([1.5], "whole numbers"),
    ],
    ids=["empty", "too long", "too large", "negative", "two rows", "a fraction"],
)
def test_a_probe_that_cannot_be_read_is_refused(make_model, tokens, sentence):
    with pytest.raises(ConfigError, match=sentence):
        record(make_model(), tokens)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (4, "Timestep 4 has no loss: there is no token after the last"),
        (1, "Timestep 1 has no loss: the next token is unknown"),
        (5, "from 0 to 4, not 5"),
        (-1, "from 0 to 4, not -1"),
        ("mean", "not 'mean'"),
    ],
)
def test_a_gradient_of_no_loss_is_refused(make_model, target, sentence):
    with pytest.raises(ConfigError, match=sentence):
        record(make_model(), [3, 0, UNKNOWN, 5, 1], gradient=target)


def test_a_timestep_may_be_a_number_of_numpys(make_model):
    trace = record(make_model(), TOKENS, gradient=np.int64(2), changes=[Change("hidden", 0, 1, np.int64(1), 0.5)])
    assert trace.target == 2
    assert trace["hidden"][0, 1, 1] == 0.5


def test_a_state_of_another_model_is_refused(make_model):
    for other in (make_model("gru"), make_model(layers=1), make_model(units=5)):
        with pytest.raises(ConfigError, match="make it with `warm`"):
            record(make_model("lstm"), TOKENS, state=warm(other, TOKENS))
    with pytest.raises(ConfigError, match="batch of one"):
        record(make_model("lstm"), TOKENS, state=make_model("lstm").initial_state(2))
