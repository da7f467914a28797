"""How long a unit remembers: what share of its state it keeps from one timestep to the next, and its half-life."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cells import Cell
from engine.cells.equations import Complement, Expression, Named, Quantity, Times, addends


@dataclass(frozen=True)
class Kept:
    """The share of a state that one timestep leaves as it was: a gate, or one minus it."""

    state: str
    gate: str
    complement: bool

    def share(self, values: Mapping[str, Tensor]) -> Tensor:
        """That share, in [0, 1] and in the shape of the gate's `values`."""
        return 1.0 - values[self.gate] if self.complement else values[self.gate]


def kept(cell: Cell) -> Kept | None:
    """What a cell keeps of the state that remembers, as its own equations say: f of c_t = f ⊙ c_{t-1} + ..., 1 - u of
    h_t = u ⊙ h̃ + (1 - u) ⊙ h_{t-1}. None where the state is computed anew at every timestep, as an RNN's is."""
    state = cell.state_names[-1]
    before = Quantity(state).before
    for term in addends(cell.definitions[state]):
        if isinstance(term, Times) and before in term.factors:
            (share,) = (factor for factor in term.factors if factor != before)
            return _gate(state, share)
    return None


def _gate(state: str, share: Expression) -> Kept | None:
    while isinstance(share, Named):
        share = share.of
    complement = isinstance(share, Complement)
    gate = share.of if isinstance(share, Complement) else share
    return Kept(state, gate.name, complement) if isinstance(gate, Quantity) else None


def half_lives(shares: Tensor) -> Tensor:
    """Timesteps after which half of what each unit stored is left, (unit): ln 2 / mean(-ln share).

    What is stored is multiplied by the share at every timestep, so it is the geometric mean of the shares that counts.
    Infinite where all of it is always kept, and 0 where it was once wiped out; NaN where a share is.

    Args:
        shares: (time, unit), in [0, 1]
    """
    return half_life_of(-shares.double().log().mean(0))


def half_life_of(decay: Tensor) -> Tensor:
    """The same from the mean of -ln share, of any shape."""
    return torch.where(decay > 0, math.log(2.0) / decay, torch.where(decay.isnan(), torch.nan, torch.inf))
