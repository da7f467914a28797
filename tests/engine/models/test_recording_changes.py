"""What if: values put in place of those that the model computes."""

from __future__ import annotations

import pytest
import torch

from engine import Change, ConfigError, record
from engine.cells import CELLS

TOKENS = [3, 0, 5, 5, 1]


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal to the last bit; NaN, where a layer has no such quantity, is NaN."""
    return torch.equal(one.isnan(), other.isnan()) and torch.equal(one.nan_to_num(), other.nan_to_num())


def test_a_value_replaced_by_itself_changes_nothing(make_model, variant):
    model = make_model(*variant)
    plain = record(model, TOKENS)
    changes = [
        Change(name, layer, 2, unit, plain[name][layer, 2, unit].item())
        for layer in range(2)
        for name in model.stack.cells[layer].quantities
        for unit in range(3)
    ]
    again = record(model, TOKENS, changes=changes)
    assert all(same(again[name], plain[name]) for name in plain)
    assert torch.equal(again.log_probabilities, plain.log_probabilities)


def test_a_change_is_recorded_and_touches_nothing_before_it_or_below_it(make_model, variant):
    model = make_model(*variant)
    plain = record(model, TOKENS)
    for layer, quantity in [(at, name) for at in (0, 1) for name in model.stack.cells[at].quantities]:
        changed = record(model, TOKENS, changes=[Change(quantity, layer, 2, 1, 0.625)])
        assert changed[quantity][layer, 2, 1] == 0.625
        for name in plain:
            assert same(changed[name][:, :2], plain[name][:, :2])
            assert same(changed[name][:layer], plain[name][:layer])
        assert torch.equal(changed.log_probabilities[:2], plain.log_probabilities[:2])


@pytest.mark.parametrize("cell", CELLS)
def test_what_follows_a_change_is_computed_from_it(make_model, cell):
    model = make_model(cell, {"modules": "1"} if cell == "rnn-clockwork" else {})  # of more, not all hear and write
    plain = record(model, TOKENS)
    for quantity in model.stack.cells[0].quantities:
        changed = record(model, TOKENS, changes=[Change(quantity, 0, 2, 1, 0.625)])
        assert changed["hidden"][0, 2, 1] != plain["hidden"][0, 2, 1]
        assert (changed["hidden"][0, 3] != plain["hidden"][0, 3]).all()
        assert (changed["hidden"][1, 2:] != plain["hidden"][1, 2:]).all()
        assert (changed.log_probabilities[2:] != plain.log_probabilities[2:]).any(dim=1).all()


def test_a_cell_state_put_in_place_is_seen_by_the_hidden_state(make_model):
    changed = record(make_model("lstm"), TOKENS, changes=[Change("cell", 1, 2, 0, 0.0)])
    assert changed["hidden"][1, 2, 0] == 0
    assert changed["cell"][1, 3, 0] == changed["update"][1, 3, 0] * changed["candidate"][1, 3, 0]


def test_of_two_changes_of_one_value_the_last_stands(make_model):
    changes = [Change("forget", 0, 1, 2, 0.0), Change("forget", 0, 1, 2, 1.0), Change("forget", 0, 1, 0, 0.5)]
    changed = record(make_model(), TOKENS, changes=changes)
    assert changed["forget"][0, 1, 2] == 1
    assert changed["forget"][0, 1, 0] == 0.5


def test_gradients_of_a_changed_pass_are_its_own_and_end_at_what_was_put_in_place(make_model):
    model, base, epsilon = make_model(dtype=torch.float64), Change("forget", 0, 2, 1, 0.9), 1e-5
    trace = record(model, TOKENS, changes=[base], gradient="sum")
    assert trace.grad["forget_pre"][0, 2, 1] == 0  # the weighted sum no longer decides
    for name, layer, time, unit in (("forget", 0, 2, 1), ("cell", 0, 1, 1), ("hidden", 1, 2, 0), ("update", 0, 3, 1)):
        losses = []
        for step in (epsilon, -epsilon):
            value = trace[name][layer, time, unit].item() + step
            changes = [base, Change(name, layer, time, unit, value)]
            losses.append(record(model, TOKENS, changes=changes).losses.nansum())
        slope = (losses[0] - losses[1]) / (2 * epsilon)
        torch.testing.assert_close(trace.grad[name][layer, time, unit], slope, rtol=0, atol=1e-8)
        assert slope != 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Change("cell", 0, 0, 0, 1.0), "The cell 'gru' has no 'cell' to change: choose one of hidden, update"),
        (Change("hidden", 2, 0, 0, 1.0), "There is no layer 2 to change: counted from 0, the last is 1"),
        (Change("hidden", -1, 0, 0, 1.0), "no layer -1"),
        (Change("hidden", 0, 5, 0, 1.0), "no timestep 5 to change: counted from 0, the last is 4"),
        (Change("hidden", 0, 0, 3, 1.0), "no unit 3"),
        (Change("hidden", 0, 0, 0, float("nan")), "cannot be set to nan"),
        (Change("hidden", 0, 0, 0, float("inf")), "cannot be set to inf"),
        (Change("hidden", 0, 0, 0, 1e300), "cannot be set to 1e[+]300"),
        (Change("hidden", 0, 0, 0, 1.0, reverse=True), "unidirectional: there is no reverse direction"),
    ],
    ids=lambda value: "" if isinstance(value, str) else f"{value.quantity} {value.layer} {value.time} {value.value}",
)
def test_a_change_of_what_does_not_exist_is_refused(make_model, change, sentence):
    with pytest.raises(ConfigError, match=sentence):
        record(make_model("gru"), TOKENS, changes=[change])
