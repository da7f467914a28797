"""What every gate of every unit does over a long text: how often it is shut or open, and how long a unit remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.analysis.memory import half_life_of, kept
from engine.analysis.unit_order import HIGH, LOW
from engine.analysis.unit_search import Report
from engine.cells import Cell
from engine.models.language_model import LanguageModel
from engine.models.long_pass import read_long


@dataclass(frozen=True, eq=False)
class GateUse:
    """One gate over a text; each (layer, unit), NaN in a layer without it.

    Attributes:
        shut: share of timesteps in which it is below `LOW`
        open: the same above `HIGH`
        mean: of its values
    """

    shut: Tensor
    open: Tensor
    mean: Tensor


@dataclass(frozen=True, eq=False)
class GateStatistics:
    """What all gates of a model do over a text.

    Attributes:
        gates: by name; none of a cell without gates
        half_lives: of each unit, in timesteps, (layer, unit), as `engine.analysis.memory` has them; None of a cell that
            computes its state anew at every timestep
        tokens: how many were read
    """

    gates: Mapping[str, GateUse]
    half_lives: Tensor | None
    tokens: int


def logistic(cell: Cell) -> list[str]:
    """The gates of a cell that lie between 0 and 1."""
    return [gate.name for gate in cell.gates if (gate.low, gate.high) == (0.0, 1.0)]


def gate_statistics(model: LanguageModel, tokens: Tensor, *, report: Report = lambda share: None) -> GateStatistics:
    """Read a text once and sum up what the gates do.

    Args:
        model: whose gates
        tokens: (tokens), int64

    Raises:
        ConfigError: a text without a token
    """
    cells = model.stack.cells
    names, share = logistic(cells[-1]), kept(cells[-1])
    if not names:
        return GateStatistics({}, None, len(tokens))
    sums = {name: torch.zeros(3, len(cells), cells[-1].units, dtype=torch.float64) for name in names}
    decay = torch.zeros(len(cells), cells[-1].units, dtype=torch.float64)
    done = 0
    for stretch in read_long(model, tokens, names):
        for layer in range(len(cells)):
            read = {name: _read(stretch.values[name][layer], stretch.read) for name in names}
            for name, values in read.items():
                parts = (values < LOW, values > HIGH, values)
                sums[name][:, layer] += torch.stack([_nan_where(values, part).sum(0) for part in parts])
            if share is not None:
                decay[layer] -= share.share(read).log().sum(0)
        done += int(stretch.read.sum())
        report(done / len(tokens))
    uses = {name: GateUse(*(found / len(tokens))) for name, found in sums.items()}
    return GateStatistics(uses, half_life_of(decay / len(tokens)) if share is not None else None, len(tokens))


def _read(values: Tensor | None, read: Tensor) -> Tensor:
    """(tokens, unit) in float64; NaN where the layer has no such gate."""
    if values is None:
        return torch.full((int(read.sum()), 1), torch.nan, dtype=torch.float64)
    return values[read.to(values.device)].double().cpu()


def _nan_where(values: Tensor, part: Tensor) -> Tensor:
    """A part of the values as numbers; NaN where they are, so that a diverged gate counts as neither shut nor open."""
    return torch.where(values.isnan(), torch.nan, part.double())
