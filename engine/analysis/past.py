"""How each block of a cell's weights meets the past: the one place, outside the cells, that knows.

For every block of rows the weighted sum, before its activation function, has the form

    pre_t = W_ih x_t + b + after ⊙ (W_hh (before ⊙ h_{t-1}) + b') + Σ p ⊙ c

where most blocks have neither `before` nor `after`, neither b' nor any p. A test holds this against every cell's step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.cells import Cell
from engine.cells.gru import GRU, ResetBeforeGRU
from engine.cells.lstm import CourseLSTM, DepthGatedLSTM, PeepholeLSTM
from engine.trace import Direction, StackTrace


@dataclass(frozen=True)
class Peephole:
    """A diagonal weight on a cell state: its name, and whether it sees c_{t-1}, c_t or the layer below's c_t."""

    parameter: str
    sees: Literal["old", "new", "below"]

    def seen(self, direction: Direction, layer: int) -> Tensor:
        """What it multiplies at each timestep, (time, unit), in float64."""
        if self.sees == "below":
            return direction["cell"][layer - 1].double()
        return (direction["cell"] if self.sees == "new" else direction.before("cell"))[layer].double()


@dataclass(frozen=True)
class Past:
    """What stands around one block's recurrent product.

    Attributes:
        before: the gate that multiplies the hidden state before the product
        after: the gate that multiplies the product, its own bias included
        product_bias: the parameter that is added to the product before `after` multiplies it
        peepholes: the weights on cell states
        recurrent: whether it sees the hidden state at all: whether it has rows in W_hh
    """

    before: str | None = None
    after: str | None = None
    product_bias: str | None = None
    peepholes: tuple[Peephole, ...] = ()
    recurrent: bool = True

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
        ValueError: the cell has no such block
    """
    if block not in cell.blocks:
        raise ValueError(f"The cell {cell.name!r} has no block {block!r}; choose one of {', '.join(cell.blocks)}.")
    if isinstance(cell, GRU) and block == "candidate":
        return Past(after="reset", product_bias="bias_candidate")
    if isinstance(cell, ResetBeforeGRU) and block == "candidate":
        return Past(before="reset")
    if isinstance(cell, CourseLSTM) and cell.relevance_gate and block == "candidate":
        return Past(before="relevance")
    if isinstance(cell, PeepholeLSTM) and f"peephole_{block}" in cell.peepholes:
        new = block == "output" and cell.chosen["output_sees"] == "new"
        return Past(peepholes=(Peephole(f"peephole_{block}", "new" if new else "old"),))
    if isinstance(cell, DepthGatedLSTM) and block == "depth":
        return Past(peepholes=(Peephole("peephole_depth", "old"), Peephole("peephole_below", "below")), recurrent=False)
    return Past()


def direction_of(trace: StackTrace, *, reverse: bool) -> Direction:
    """The forward direction of a trace, or the other one.

    Raises:
        ValueError: the trace has one direction only
    """
    if not reverse:
        return trace
    if trace.reverse is None:
        raise ValueError("This trace reads forward only: it has no reverse direction.")
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
