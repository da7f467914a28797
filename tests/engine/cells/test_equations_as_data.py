"""The equations that a cell states as data are its step: worked out in float64, they give every quantity of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from engine.cells import Cell
from engine.cells.equations import (
    Applied,
    Complement,
    Expression,
    Join,
    Named,
    Parameter,
    Plus,
    Product,
    Quantity,
    Times,
    Turn,
    addends,
)
from engine.cells.rnn import ACTIVATIONS

Values = Mapping[str, Tensor]


def worked_out(cell: Cell, known: Values, parameters: Values) -> dict[str, Tensor]:
    """Every value that goes by a name, (batch, units), from the equations alone, one after the other."""
    values = dict(known)

    def value(expression: Expression) -> Tensor:
        match expression:
            case Quantity():
                return values[expression.key]
            case Parameter(name, block):
                stored = parameters.get(name, torch.zeros(()))  # a model without biases
                return stored[cell.rows(block)] if block and stored.dim() else stored
            case Join(vectors):
                return torch.cat([value(each) for each in vectors], dim=-1)
            case Product(block, weights, of):
                return value(of) @ torch.cat([parameters[name][cell.rows(block)] for name in weights], dim=-1).T
            case Plus(terms):
                return sum((value(term) for term in terms), start=torch.zeros(()))
            case Times(factors):
                return torch.stack(torch.broadcast_tensors(*map(value, factors))).prod(0)
            case Complement(of):
                return 1 - value(of)
            case Applied(function, to):
                return ACTIVATIONS[function](value(to))
            case Turn(clock, periods):
                return (value(clock) % value(periods) == 0).double()
            case Named(name, of):
                values[name] = value(of)
                return values[name]
        raise AssertionError(f"what is {expression}?")

    for equation in cell.equations:
        values[equation.left] = value(equation.right)
    return values


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_the_equations_give_what_the_step_gives(layer: Callable, variant: tuple[str, dict], bias: bool) -> None:
    ours = layer(*variant, bias=bias)
    cell, state, read = ours.cell, ours.before(0), ours.inputs[0]
    told: dict[str, Tensor] = {}

    def tap(name: str, value: Tensor) -> Tensor:
        told[name] = value
        return value

    projected = read @ ours.parameters["weight_ih"].T + ours.parameters.get("bias", 0.0)
    after = cell.step(projected, state, ours.parameters, tap)
    known = {f"{name}_before": value for name, value in zip(cell.state_names, state, strict=False)} | {"input": read}
    if cell.clock_size:
        known |= {"clock": state[-1], "periods": cell.periods.double()}
    if cell.below:
        known[f"{cell.below}_below"] = state[-1]
    found = worked_out(cell, known, ours.parameters)
    assert set(told) == set(cell.quantities) <= set(found)
    for name in told:
        torch.testing.assert_close(found[name], told[name], rtol=0, atol=1e-12)
    for name, value in zip(cell.state_names, after, strict=False):
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-12)


def test_every_parameter_stands_in_the_equations_and_every_block_has_its_sum(
    layer: Callable, variant: tuple[str, dict]
) -> None:
    cell = layer(*variant).cell
    leaves = [each for equation in cell.equations for each in equation.right.walk()]
    used = {each.name for each in leaves if isinstance(each, Parameter)}
    used |= {name for each in leaves if isinstance(each, Product) for name in each.weights}
    assert used == set(cell.parameter_shapes(3, bias=True))
    products = [each for each in leaves if isinstance(each, Product)]
    assert {each.block for each in products} == set(cell.blocks)
    assert {each.block for each in products if "weight_hh" in each.weights} == set(cell.recurrent_blocks)
    for block in cell.blocks:
        own = [each for each in addends(cell.definitions[f"{block}_pre"]) if isinstance(each, Product)]
        assert {each.block for each in own} == {block}
