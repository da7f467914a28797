"""Activation functions: against PyTorch's and autograd's, far out and on what is no number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.analysis.activations import ACTIVATIONS, SATURATED, STEEPEST, activation_of, saturation
from engine.cells import CELLS
from engine.cells.rnn import ACTIVATIONS as OF_THE_RNN
from engine.models.language_model import LanguageModel
from engine.trace import Trace

VALUES = np.concatenate([np.linspace(-12, 12, 481), [-700.0, -40.0, 40.0, 700.0]])
FAR = [-math.inf, -1e308, -1e5, 1e5, 1e308, math.inf, math.nan]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_and_derivatives_are_those_of_autograd(name: str) -> None:
    x = torch.tensor(VALUES, requires_grad=True)
    y = OF_THE_RNN[name](x)
    y.sum().backward()
    assert x.grad is not None
    found = ACTIVATIONS[name]
    np.testing.assert_allclose(found.function(VALUES), y.detach().numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.derivative(VALUES), x.grad.numpy(), rtol=1e-9, atol=1e-15)


def test_every_activation_of_the_rnn_is_here() -> None:
    assert set(ACTIVATIONS) == set(STEEPEST) == set(OF_THE_RNN)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_never_pass_their_maximum_and_reach_it(name: str) -> None:
    assert ACTIVATIONS[name].derivative(VALUES).max() == pytest.approx(STEEPEST[name], abs=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_far_out_or_no_number_gives_no_warning(name: str) -> None:
    for of in ACTIVATIONS[name]:
        values = of(np.array(FAR))
        assert np.isnan(values[-1])
        assert not np.isnan(values[:-1]).any()


def test_a_tangent_far_out_is_small_but_not_lost() -> None:
    assert ACTIVATIONS["tanh"].derivative(np.array([25.0]))[0] == pytest.approx(4 * math.exp(-50), rel=1e-9)


def test_each_block_of_each_cell_goes_through_the_function_that_its_gates_show(
    make_model: Callable[..., LanguageModel], traced: Callable[..., Trace], variant: tuple[str, dict]
) -> None:
    model = make_model(*variant)
    cell, trace = model.stack.cells[1], traced(model, None)
    for block in cell.blocks:
        given = ACTIVATIONS[activation_of(cell, block)].function(trace[f"{block}_pre"][1].numpy())
        shown = 1 - trace["update"][1] if block == "keep" else trace[block][1]
        np.testing.assert_allclose(given, shown.numpy(), rtol=1e-12, atol=1e-14)


def test_a_block_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="'gru' has no block 'forget'; choose one of reset, keep, candidate"):
        activation_of(CELLS["gru"](3), "forget")


@pytest.mark.parametrize(
    ("name", "edge"),
    [
        # 4 s (1 - s) = 0.1 and 1 - t² = 0.1, solved for what goes in
        ("sigmoid", math.log((1 + math.sqrt(0.9)) / (1 - math.sqrt(0.9)))),
        ("tanh", math.atanh(math.sqrt(0.9))),
    ],
)
def test_saturation_begins_where_a_tenth_of_the_gradient_is_left(name: str, edge: float) -> None:
    assert SATURATED == 0.1
    inside, outside = 0.999 * edge, 1.001 * edge
    assert saturation(np.array([inside, -inside, 0.0]), name) == 0
    assert saturation(np.array([outside, -outside, math.inf, -1e9]), name) == 1
    assert saturation(np.array([[outside, inside], [inside, inside]]), name) == 0.25


def test_a_relu_is_saturated_where_it_is_off_and_the_identity_never_is() -> None:
    assert saturation(np.array([-1.0, 0.0, 1.0, 2.0]), "relu") == 0.5
    assert saturation(np.array([-1e9, 1e9]), "identity") == 0


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_does_not_count() -> None:
    assert saturation(np.array([math.nan, 9.0, 0.0, math.nan]), "tanh") == 0.5
    assert math.isnan(saturation(np.array([math.nan]), "sigmoid"))
    assert math.isnan(saturation(np.array([]), "sigmoid"))


def test_a_tensor_is_taken_as_it_is() -> None:
    assert saturation(torch.tensor([0.0, 9.0]), "tanh") == 0.5  # type: ignore[arg-type]
