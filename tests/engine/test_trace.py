"""A trace: its sizes, what stood before each timestep, the likeliest tokens, and what it weighs."""

from __future__ import annotations

import pytest
import torch

from engine.trace import Direction, Trace

LAYERS, TIME, UNITS, VOCABULARY = 2, 3, 4, 5


def make_trace(**others) -> Trace:
    hidden = torch.arange(float(LAYERS * TIME * UNITS)).view(LAYERS, TIME, UNITS)
    probabilities = torch.tensor([[0.1, 0.4, 0.2, 0.25, 0.05]] * TIME)
    return Trace(
        {"hidden": hidden, "candidate": -hidden},
        {"hidden": torch.full((LAYERS, UNITS), -1.0)},
        **{
            "tokens": torch.tensor([1, 0, 2]),
            "targets": torch.tensor([0, 2, -1]),
            "inputs": torch.zeros(TIME, 7),
            "losses": torch.tensor([1.0, 2.0, torch.nan]),
            "log_probabilities": probabilities.log(),
        }
        | others,
    )


def test_a_trace_is_a_mapping_of_names_to_layer_time_unit():
    trace = make_trace()
    assert trace["hidden"].shape == (LAYERS, TIME, UNITS)
    assert list(trace) == ["hidden", "candidate"]
    assert "candidate" in trace
    assert "forget" not in trace
    assert (trace.layers, trace.length, trace.units) == (LAYERS, TIME, UNITS)
    with pytest.raises(KeyError):
        trace["forget"]


def test_before_a_timestep_stands_what_the_last_one_left():
    trace = make_trace()
    before = trace.before("hidden")
    assert torch.equal(before[:, 0], trace.initial["hidden"])
    assert torch.equal(before[:, 1:], trace["hidden"][:, :-1])


def test_read_from_the_end_a_timestep_finds_what_the_one_after_it_left():
    trace = make_trace()
    backward = Direction(trace.values, trace.initial, backward=True)
    before = backward.before("hidden")
    assert torch.equal(before[:, -1], trace.initial["hidden"])
    assert torch.equal(before[:, :-1], trace["hidden"][:, 1:])


def test_the_top_tokens_come_with_their_probabilities_the_likeliest_first():
    tokens, probabilities = make_trace().top(3)
    assert tokens.tolist() == [[1, 3, 2]] * TIME
    torch.testing.assert_close(probabilities, torch.tensor([[0.4, 0.25, 0.2]] * TIME))


def test_no_more_top_tokens_than_there_are():
    tokens, probabilities = make_trace().top(99)
    assert tokens.shape == (TIME, VOCABULARY)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(TIME))


def test_its_weight_counts_all_that_it_holds():
    trace = make_trace()
    plain = trace.bytes()
    floats = 2 * LAYERS * TIME * UNITS + LAYERS * UNITS + TIME * 7 + TIME + TIME * VOCABULARY
    assert plain == 4 * floats + 8 * 2 * TIME
    grad = {"grad": trace.values, "initial_grad": trace.initial, "inputs_grad": trace.inputs}
    assert make_trace(**grad).bytes() == plain + 4 * (2 * LAYERS * TIME * UNITS + LAYERS * UNITS + TIME * 7)
    reverse = Direction(trace.values, trace.initial, backward=True)
    assert make_trace(reverse=reverse).bytes() == plain + 4 * (2 * LAYERS * TIME * UNITS + LAYERS * UNITS)
