"""Each timestep's contribution to a weight's gradient: ∂L/∂W = Σ_t ∂L/∂W|_t.

A recurrent network uses the same weights at every timestep, so the gradient of a weight is a sum over time. The
contribution of one timestep is, for each block of rows, the outer product of two vectors: the gradient of what the
weights' product went into, and what they multiplied. So no contribution is ever written out as a matrix here. All in
float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.analysis.past import direction_of, gradients_of, inputs_of, past_of
from engine.cells import Cell
from engine.trace import StackTrace

WEIGHTS = ("weight_ih", "weight_hh", "bias")
"""The parameters that blocks have rows in: all of them but for `weight_hh`, where those that see the past do."""


@dataclass(frozen=True)
class Contributions:
    """What each timestep adds to the gradient of one parameter, or of one block of its rows.

    Attributes:
        norms: (time), the Frobenius norm of each contribution
        along: (time), the part of each contribution along the total G: <contribution_t, G> / ||G||². They sum to 1;
            one below zero pulls against the others. All zero where the total is.
        total_norm: ||G||, the norm of the sum of all contributions
    """

    norms: Tensor
    along: Tensor
    total_norm: float


def contributions(
    cell: Cell,
    trace: StackTrace,
    layer: int,
    parameter: str = "weight_hh",
    block: str | None = None,
    *,
    reverse: bool = False,
) -> Contributions:
    """How much each timestep adds to a parameter's gradient.

    Args:
        cell: the layer's
        trace: recorded with gradients, and without a weighted sum that was put in place of the model's own (no
            gradient travels through such a one to the weights, which a trace does not tell)
        layer: counted from 0
        parameter: by the name its cell gives it: "weight_ih", "weight_hh", "bias", "bias_candidate", "peephole_..."
        block: the rows of this block alone; by default all
        reverse: of the second direction of a bidirectional stack

    Raises:
        ValueError: a trace without gradients, or a parameter, block or direction that is not there
    """
    squares = torch.zeros(trace.length, dtype=torch.float64)
    projections = torch.zeros_like(squares)
    total_square = torch.zeros((), dtype=torch.float64)
    for _, left, right in _factors(cell, trace, layer, parameter, block, reverse=reverse):
        right = right[:, right.ne(0).any(dim=0)]  # of one-hot inputs, the columns of the tokens that occur
        total = left.T @ right  # (units, columns)
        squares += left.square().sum(1) * right.square().sum(1)
        projections += (left @ total * right).sum(1)
        total_square += total.square().sum()
    along = projections / total_square if total_square != 0 else torch.zeros_like(projections)
    return Contributions(squares.sqrt(), along, float(total_square.sqrt()))


def element_contributions(
    cell: Cell,
    trace: StackTrace,
    layer: int,
    parameter: str,
    row: int,
    column: int = 0,
    *,
    reverse: bool = False,
) -> Tensor:
    """What each timestep adds to the gradient of one value of a parameter, (time). Of a bias the column is 0.

    Raises:
        ValueError: as `contributions`
        IndexError: a row or column that is not there
    """
    for first, left, right in _factors(cell, trace, layer, parameter, None, reverse=reverse):
        if first <= row < first + left.shape[1]:
            return left[:, row - first] * right[:, column]
    raise IndexError(f"The parameter {parameter!r} has no row {row}.")


def gradient(
    cell: Cell, trace: StackTrace, layer: int, parameter: str = "weight_hh", *, reverse: bool = False
) -> Tensor:
    """The sum of all contributions: the gradient of the whole parameter, (rows, columns); of a bias (rows, 1).

    Raises:
        ValueError: as `contributions`
    """
    blocks = _factors(cell, trace, layer, parameter, None, reverse=reverse)
    return torch.cat([left.T @ right for _, left, right in blocks])


def _factors(
    cell: Cell, trace: StackTrace, layer: int, parameter: str, block: str | None, *, reverse: bool
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """For each block that has rows in the parameter: its first row, and the two factors of what each timestep adds.

    The factors are (time, rows) and (time, columns), in float64; what it adds is their outer product. Of the recurrent
    weights each module of a block comes by itself, with nothing in the columns that it does not read.
    """
    direction = direction_of(trace, reverse=reverse)
    grad = gradients_of(direction)
    inputs = inputs_of(trace, layer).double() if parameter == "weight_ih" else None
    for name in _blocks(cell, parameter, block):
        past, first = past_of(cell, name), cell.rows(name).start
        delta = grad[f"{name}_pre"][layer].double()  # (time, units)
        one = torch.ones(len(delta), 1, dtype=torch.float64)
        if inputs is not None:
            yield first, delta, inputs
        elif parameter == "weight_hh":
            product, seen = delta * past.scale(direction, layer), past.seen(direction, layer)
            for module in cell.modules:
                masked = torch.cat((torch.zeros_like(seen[:, : module.start]), seen[:, module.start :]), dim=1)
                yield first + module.start, product[:, module], masked
        elif parameter == "bias":
            yield first, delta, one
        elif parameter == past.product_bias:
            yield 0, delta * past.scale(direction, layer), one
        else:
            (peephole,) = [each for each in past.peepholes if each.parameter == parameter]
            yield 0, delta * peephole.seen(direction, layer), one


def _blocks(cell: Cell, parameter: str, block: str | None) -> list[str]:
    """The blocks that have rows in the parameter, or the chosen one of them."""
    own = {name: each for each in cell.blocks for name in past_of(cell, each).parameters}
    blocks = cell.recurrent_blocks if parameter == "weight_hh" else cell.blocks
    having = list(blocks) if parameter in WEIGHTS else [own[parameter]] if parameter in own else []
    if not having:
        raise ValueError(
            f"The cell {cell.name!r} has no parameter {parameter!r}; choose one of {', '.join((*WEIGHTS, *own))}."
        )
    if block not in (None, *having):
        raise ValueError(f"{parameter!r} has no rows of {block!r}; choose one of {', '.join(having)}.")
    return having if block is None else [block]
