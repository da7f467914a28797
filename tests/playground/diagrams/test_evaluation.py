"""A drawing is the equation: computed as a graph, it gives what the cell's own step gives, to the last digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import CELLS, Cell
from playground.diagrams import DIAGRAMS, Diagram, diagram, evaluate

INPUTS = 7


def parameters_of(cell: Cell, bias: bool) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = cell.parameter_shapes(INPUTS, bias)
    return {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}


def stepped(cell: Cell, bias: bool) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What the drawing computes, and what the cell's step tells its tap."""
    generator = torch.Generator().manual_seed(4)
    parameters = parameters_of(cell, bias)
    state = tuple(torch.randn(1, cell.units, generator=generator, dtype=torch.float64) for _ in cell.state_names)
    clock = torch.full((1, 1), 2.0, dtype=torch.float64)
    below = torch.randn(1, cell.units, generator=generator, dtype=torch.float64)
    read = torch.randn(1, INPUTS, generator=generator, dtype=torch.float64)
    projected = read @ parameters["weight_ih"].T + parameters.get("bias", 0.0)
    told: dict[str, np.ndarray] = {}

    def tap(name: str, value: torch.Tensor) -> torch.Tensor:
        told[name] = value[0].numpy()
        return value

    more = (clock,) if cell.clock_size else (below,) if cell.below else ()
    after = cell.step(projected, (*state, *more), parameters, tap)
    for name, value in zip(cell.state_names, after, strict=False):
        told[f"{name}_out"] = value[0].numpy()
    outside = {f"{name}_before": value[0].numpy() for name, value in zip(cell.state_names, state, strict=True)}
    outside |= {"input": read[0].numpy(), "clock": clock[0].numpy(), "cell_below": below[0].numpy()}
    plain = {name: value.numpy() for name, value in parameters.items()}
    return evaluate(diagram(cell), cell, outside, plain), told


def test_every_cell_has_a_drawing_and_every_drawing_a_cell() -> None:
    assert set(DIAGRAMS) == set(CELLS)


@pytest.mark.parametrize("bias", [True, False])
def test_the_drawing_computes_what_the_step_computes(cell: Cell, bias: bool) -> None:
    drawn, told = stepped(cell, bias)
    compared = set(drawn) & set(told)
    for name in compared:
        np.testing.assert_allclose(drawn[name], told[name], rtol=1e-12, atol=1e-12, err_msg=name)
    assert {f"{name}_out" for name in cell.state_names} <= compared


def test_every_gate_and_weighted_sum_of_the_cell_is_a_wire_of_the_drawing(cell: Cell) -> None:
    drawn, told = stepped(cell, bias=True)
    # An RNN's candidate is its new state, and without an activation function its weighted sum is that too.
    same = {"candidate", "candidate_pre"} if cell.name == "rnn" else set()
    assert set(cell.quantities) <= set(drawn) | same
    assert set(told) <= set(drawn) | same


def test_every_parameter_of_the_cell_is_in_the_drawing(cell: Cell) -> None:
    drawn: Diagram = diagram(cell)
    used = {name for node in drawn.nodes for name in (*node.weights, node.bias) if name}
    assert used == set(cell.parameter_shapes(INPUTS, bias=True))


def test_every_value_reaches_what_leaves_the_cell(cell: Cell) -> None:
    drawn = diagram(cell)
    leaving = {node.name for node in drawn.nodes if node.operation == "out"}
    assert leaving == {f"{name}_out" for name in cell.state_names}
    for node in drawn.nodes:
        assert node.name in leaving or drawn.readers(node.name), f"{node.name} goes nowhere"


def test_a_value_that_is_given_is_taken_as_it_is_and_used_from_there_on() -> None:
    cell = CELLS["lstm"](1)
    one = np.ones(1)
    parameters = {name: np.zeros(shape) for name, shape in cell.parameter_shapes(1, bias=True).items()}
    outside = {"input": one, "hidden_before": one, "cell_before": one}
    shut = evaluate(diagram(cell), cell, outside | {"forget": np.zeros(1)}, parameters)
    assert shut["kept"] == 0
    assert evaluate(diagram(cell), cell, outside, parameters)["kept"] == 0.5


def test_nan_weights_give_nan_values_and_no_error() -> None:
    cell = CELLS["rnn"](2, {"activation": "relu"})
    parameters = {name: np.full(shape, np.nan) for name, shape in cell.parameter_shapes(1, bias=True).items()}
    found = evaluate(diagram(cell), cell, {"input": np.ones(1), "hidden_before": np.ones(2)}, parameters)
    assert np.isnan(found["hidden"]).all()
