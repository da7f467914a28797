"""How each block of a cell's weights meets the past, as its equations say.

For every block of rows the weighted sum, before its activation function, has the form

    pre_t = W_ih x_t + b + after ⊙ (W_hh (before ⊙ h_{t-1}) + b') + Σ p ⊙ c

where most blocks have neither `before` nor `after`, neither b' nor any p. A test holds this against every cell's step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.cells import Cell
from engine.cells.equations import Expression, Join, Parameter, Plus, Product, Quantity, Times, addends
from engine.trace import Direction, StackTrace


@dataclass(frozen=True)
class Peephole:
    """A diagonal weight: the parameter's name, and the state that it sees."""

    parameter: str
    sees: Quantity

    def seen(self, direction: Direction, layer: int) -> Tensor:
        """What it multiplies at each timestep, (time, unit), in float64."""
        return over_time(self.sees, direction, layer).double()


def over_time(quantity: Quantity, direction: Direction, layer: int) -> Tensor:
    """A state or gate at each timestep, (time, unit), as an equation of that layer reads it."""
    if quantity.at == "before":
        return direction.before(quantity.name)[layer]
    return direction[quantity.name][layer - (quantity.at == "below")]


@dataclass(frozen=True)
class Past:
    """What stands around one block's recurrent product.

    Attributes:
        before: the gate that multiplies the hidden state before the product
        after: the gate that multiplies the product, its own bias included
        product_bias: the parameter that is added to the product before `after` multiplies it
        peepholes: the diagonal weights on states
        recurrent: whether it sees the hidden state at all: whether it has rows in W_hh
    """

    before: str | None = None
    after: str | None = None
    product_bias: str | None = None
    peepholes: tuple[Peephole, ...] = ()
    recurrent: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that the block has for itself."""
        names = (self.product_bias, *(peephole.parameter for peephole in self.peepholes))
        return tuple(name for name in names if name)

    def seen(self, direction: Direction, layer: int) -> Tensor:
        """What the block's rows of W_hh multiply at each timestep, (time, unit), in float64."""
        hidden = direction.before("hidden")[layer].double()
        return hidden if self.before is None else direction[self.before][layer] * hidden

    def scale(self, direction: Direction, layer: int) -> Tensor:
        """What multiplies the product at each timestep, (time, unit), in float64; ones where nothing does."""
        if self.after is None:
            return torch.ones_like(direction["hidden"][layer], dtype=torch.float64)
        return direction[self.after][layer].double()


def past_of(cell: Cell, block: str) -> Past:
    """How one block of rows of this cell's weights meets the past.

    Raises:
        ValueError: the cell has no such block, or a weighted sum of another form
    """
    if block not in cell.blocks:
        raise ValueError(f"The cell {cell.name!r} has no block {block!r}; choose one of {', '.join(cell.blocks)}.")
    past = Past()
    for addend in addends(cell.definitions[f"{block}_pre"]):
        match addend:
            case Product():
                past = _with_product(past, addend)
            case Times((Quantity(gate), Plus() | Product() as inside)):
                past = replace(past, after=gate)
                for term in addends(inside):
                    past = _with_product(past, term)
            case Times((Parameter(name), Quantity() as sees)):
                past = replace(past, peepholes=(*past.peepholes, Peephole(name, sees)))
            case Parameter("bias"):
                pass
            case _:
                raise ValueError(f"The weighted sum of {block!r} in {cell.name!r} has an unsupported form.")
    return past


def _with_product(past: Past, term: Expression) -> Past:
    """A weights' product, or the bias that is added to one before a gate multiplies it."""
    if isinstance(term, Parameter):
        return replace(past, product_bias=term.name)
    if not isinstance(term, Product) or "weight_hh" not in term.weights:
        return past
    seen = term.of.inside[0] if isinstance(term.of, Join) else term.of
    before = seen.factors[0] if isinstance(seen, Times) else None
    return replace(past, recurrent=True, before=before.name if isinstance(before, Quantity) else None)


def direction_of(trace: StackTrace, *, reverse: bool) -> Direction:
    """The forward direction of a trace, or the other one.

    Raises:
        ValueError: the trace has one direction only
    """
    if not reverse:
        return trace
    if trace.reverse is None:
        raise ValueError("This trace is unidirectional: it has no reverse direction.")
    return trace.reverse


def gradients_of(direction: Direction) -> Mapping[str, Tensor]:
    """The gradients of one direction, by name.

    Raises:
        ValueError: they were not recorded
    """
    if direction.grad is None:
        raise ValueError('This trace has no gradients: record it with gradient="sum" or the timestep of one target.')
    return direction.grad


def inputs_of(trace: StackTrace, layer: int) -> Tensor:
    """What a layer reads at each timestep, (time, width): of the layer below all directions."""
    if layer == 0:
        return trace.inputs
    below = [trace["hidden"][layer - 1]]
    if trace.reverse is not None:
        below.append(trace.reverse["hidden"][layer - 1])
    return torch.cat(below, dim=-1)
