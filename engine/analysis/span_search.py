"""From a stretch of a text to the units that are on there, and to other places where the same units are on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.unit_search import Report
from engine.config import ConfigError
from engine.models.language_model import LanguageModel
from engine.models.long_pass import read_long
from engine.trace import Trace

MOST_UNITS = 8
MOST_PASSAGES = 24

_ON = 0.5
"""Standard deviations from a unit's mean over the text beyond which it counts as on, in its own direction."""

_AROUND = 20
"""Timesteps on either side of the span in which a unit has to be off."""


@dataclass(frozen=True)
class SpanUnit:
    """A unit that is on in the span and off around it.

    Attributes:
        unit: counted from 0
        sign: 1 if it is high there, -1 if it is low
        contrast: how far its mean in the span lies from that around it, in standard deviations over the text
        threshold: the value beyond which it is on
    """

    unit: int
    sign: int
    contrast: float
    threshold: float


@dataclass(frozen=True)
class Passage:
    """A place of the text where the same units are on together.

    Attributes:
        first, last: its tokens
        share: of the units, how many are on there, in [0, 1], the mean of its tokens
    """

    first: int
    last: int
    share: float


@dataclass(frozen=True)
class SpanSearch:
    """What was found of a span."""

    units: tuple[SpanUnit, ...]
    passages: tuple[Passage, ...]
    tokens: int


def search_span(
    model: LanguageModel,
    trace: Trace,
    span: tuple[int, int],
    layer: int,
    state: str,
    tokens: Tensor,
    *,
    report: Report = lambda share: None,
) -> SpanSearch:
    """The units of a layer that are on in a span of a probe and off around it, and where else they are on together.

    On is a matter of the text at large: a unit is on where it lies half a standard deviation or more beyond its mean
    over `tokens`, on the side on which it lies in the span.

    Args:
        model: the one that the trace is of
        trace: the probe's
        span: first and last timestep, both within
        layer, state: whose units, and which of their states
        tokens: (tokens), the text that is searched

    Raises:
        ConfigError: a span that the probe does not have, or nothing beside it
    """
    first, last = span
    if not 0 <= first <= last < trace.length:
        raise ConfigError(f"The input text has timesteps 0 to {trace.length - 1}: there is no span {first} to {last}.")
    if first == 0 and last == trace.length - 1:
        raise ConfigError("The span is the whole input text, so nothing is left around it: select a part of it.")
    values, mean, spread = _read(model, layer, state, tokens, report)
    probe = (trace[state][layer].double() - mean) / spread  # (time, unit)
    units = _units(probe, span, mean, spread)
    if not units:
        return SpanSearch((), (), len(tokens))
    picked = [one.unit for one in units]
    limits = torch.tensor([_bin(one, mean, spread) for one in units])
    signs = torch.tensor([one.sign for one in units])
    on = (torch.from_numpy(values[picked].astype(np.int16)) * signs[:, None] >= (limits * signs)[:, None]).numpy()
    return SpanSearch(units, _passages(on, last - first + 1), len(tokens))


_LEVELS = 32.0
"""Levels of a standard deviation, as which the states of a long text are kept."""


def _read(
    model: LanguageModel, layer: int, state: str, tokens: Tensor, report: Report
) -> tuple[NDArray[np.int8], Tensor, Tensor]:
    """Every unit's state over the text, (unit, token), in `_LEVELS`-ths of its standard deviation from its mean; and
    both of those, (unit). They are those of the stretch that is read first."""
    mean = spread = torch.empty(0)
    found = np.empty((0, 0), np.int8)
    done = 0
    for stretch in read_long(model, tokens, (state,)):
        values = stretch.values[state][layer]
        assert values is not None
        read = values[stretch.read.to(values.device)].double().cpu()  # (tokens, unit)
        if not done:
            if not bool(read.isfinite().all()):
                raise ConfigError("The model's values are not finite at this step: choose another step.")
            mean, deviation = read.mean(0), read.std(0, correction=0)
            spread = torch.where(deviation > 0, deviation, 1.0)
            found = np.empty((read.shape[1], len(tokens)), np.int8)
        levels = ((read - mean) / spread * _LEVELS).round().clamp(-127, 127).to(torch.int8)
        found[:, stretch.places[stretch.read].numpy()] = levels.numpy().T
        done += len(read)
        report(done / len(tokens))
    return found, mean, spread


def _units(probe: Tensor, span: tuple[int, int], mean: Tensor, spread: Tensor) -> tuple[SpanUnit, ...]:
    """Units beyond `_ON` throughout the span, and short of it in most timesteps around; those of largest contrast."""
    first, last = span
    inside = probe[first : last + 1]
    around = torch.cat((probe[max(0, first - _AROUND) : first], probe[last + 1 : last + 1 + _AROUND]))
    sign = torch.where(inside.mean(0) >= around.mean(0), 1.0, -1.0)
    on, off = (inside * sign >= _ON).all(0), (around * sign < _ON).double().mean(0) > 0.5
    contrast = (inside.mean(0) - around.mean(0)).abs()
    order = contrast.masked_fill(~(on & off), -1.0).argsort(descending=True)[:MOST_UNITS].tolist()
    return tuple(
        SpanUnit(
            unit,
            int(sign[unit]),
            float(contrast[unit]),
            float(mean[unit] + sign[unit] * _ON * spread[unit]),
        )
        for unit in order
        if bool(on[unit] & off[unit])
    )


def _bin(unit: SpanUnit, mean: Tensor, spread: Tensor) -> int:
    return round(float((unit.threshold - mean[unit.unit]) / spread[unit.unit]) * _LEVELS)


def _passages(on: NDArray[np.bool_], length: int) -> tuple[Passage, ...]:
    """Stretches in which the most of the units are on together, the best first, none over another: as long as the span
    was. Of equals, the first."""
    shares = on.mean(0)  # (token)
    if len(shares) < length:
        return ()
    sums = np.cumsum(np.concatenate(([0.0], shares)))
    means = (sums[length:] - sums[:-length]) / length  # of the stretch that begins at each token
    free = np.ones(len(means), bool)
    found: list[Passage] = []
    for start in np.argsort(-means, kind="stable").tolist():
        if len(found) == MOST_PASSAGES or means[start] <= 0:
            break
        if free[start]:
            found.append(Passage(start, start + length - 1, float(means[start])))
            free[max(0, start - 2 * length) : start + 2 * length + 1] = False
    return tuple(found)
