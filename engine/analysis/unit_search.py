"""Which units tell something that can be named: all units ranked by how well they do on held-out text.

A unit's score is the concordance of its value with a hypothesis (see `engine.analysis.concordance`) on text that the
model was not trained on. Which way round, in which of its states, and from which value on it counts as on is settled on
training text before. Two baselines say what the best of so many units reaches by chance: the units of the same network
before any training, and the trained units against labels of other places in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.concordance import BINS, best_cut, concordance, count, levels_of
from engine.analysis.hypotheses import Hypothesis
from engine.analysis.labelled_text import LabelledText
from engine.config import ConfigError
from engine.models.language_model import LanguageModel
from engine.models.long_pass import LEAD_IN, read_long

Report = Callable[[float], None]
"""Told the share that is done; what it raises ends the search."""

UNTRAINED_SEEDS = (20_091_117, 20_091_118, 20_091_119)
"""Of the first weights of networks that have learned nothing."""

SHIFTS = (1 / 3, 1 / 2, 2 / 3)
"""By which shares of the text labels are moved along it, for the score that chance reaches: what lasts still lasts, at
other places."""

_BLOCKS = 8
_BASELINE_TOKENS = 6_000
_BASELINE_LEAD_IN = 32
"""Each untrained network reads so many tokens of each text, its parts after so short a lead-in: it remembers little. A
score of fewer tokens varies more, so that the best of many comes out no lower."""

_CLEARLY = 3.0
"""Standard errors by which a score must be above its baseline."""


@dataclass(frozen=True)
class UnitScore:
    """How well one unit tells the hypothesis.

    Attributes:
        layer, unit: which one, each counted from 0
        quantity: the state in which it does: "hidden" or "cell"
        score: its concordance on held-out text; 0.5 is chance, 1 perfect
        sign: 1 if it is high where the hypothesis holds, -1 if it is low there
        threshold: the value beyond which it is on
    """

    layer: int
    unit: int
    quantity: str
    score: float
    sign: int
    threshold: float


@dataclass(frozen=True)
class UnitSearch:
    """What was found of a hypothesis.

    Attributes:
        hypothesis: what is to be told
        scores: of every unit, the best first
        untrained: the best score of as many units before training; the highest of a few networks
        shuffled: the best score of all units against labels of other places
        error: standard error of the best score, from blocks of the text
        spread: standard deviation of the best scores of the untrained networks
        fitted, held_out: tokens read of training and of held-out text
        share: of the held-out tokens, where the hypothesis holds
    """

    hypothesis: Hypothesis
    scores: tuple[UnitScore, ...]
    untrained: float
    shuffled: float
    error: float
    spread: float
    fitted: int
    held_out: int
    share: float

    @property
    def best(self) -> UnitScore:
        """The unit that tells it best."""
        return self.scores[0]

    @property
    def baseline(self) -> float:
        """What the best of so many units reaches without having learned it."""
        return max(self.untrained, self.shuffled)

    @property
    def found(self) -> bool:
        """Whether the best unit is clearly above the baseline: by three standard errors of the difference, to which the
        best of one untrained network differing from that of another adds."""
        return self.best.score - self.baseline > _CLEARLY * float(np.hypot(self.error, self.spread))


def find_units(
    model: LanguageModel,
    fit: LabelledText,
    held_out: LabelledText,
    hypothesis: Hypothesis,
    *,
    report: Report = lambda share: None,
) -> UnitSearch:
    """Rank all units of a model by how well they tell a hypothesis.

    Args:
        model: whose units
        fit: text of the training part
        held_out: text that the model was not trained on
        hypothesis: what their labels are of

    Raises:
        ConfigError: the model's values are not finite
    """
    scored = _scored(model, fit, held_out, lambda share: report(0.6 * share))
    if scored.best.score != scored.best.score:
        raise ConfigError(
            "The model's values are not finite at this step, so no unit can be scored: choose another step."
        )
    untrained = _untrained(model, _beginning(fit), _beginning(held_out), lambda share: report(0.6 + 0.4 * share))
    return UnitSearch(
        hypothesis,
        scores=tuple(scored.units),
        untrained=max(untrained),
        shuffled=scored.shuffled,
        error=scored.error,
        spread=float(np.std(untrained, ddof=1)),
        fitted=len(fit),
        held_out=len(held_out),
        share=float(held_out.holds.mean()),
    )


def _untrained(model: LanguageModel, fit: LabelledText, held_out: LabelledText, report: Report) -> list[float]:
    """The best score of each of a few networks of the same configuration, before any training."""
    best = []
    for place, seed in enumerate(UNTRAINED_SEEDS):
        network = LanguageModel(model.config, model.vocabulary_size, seed).to(model.device)
        reported = partial(_within, report, place / len(UNTRAINED_SEEDS), 1 / len(UNTRAINED_SEEDS))
        best.append(_scored(network, fit, held_out, reported, _BASELINE_LEAD_IN).best.score)
    return best


def _within(report: Report, begin: float, length: float, share: float) -> None:
    report(begin + length * share)


def _beginning(text: LabelledText) -> LabelledText:
    end = _BASELINE_TOKENS
    part = LabelledText(text.tokens[:end], text.labels[:end], text.pieces[:end])
    return part if len(np.unique(part.labels)) > 1 else text


# ---------------------------------------------------------------------- one network


@dataclass
class _Scored:
    units: list[UnitScore]
    shuffled: float
    error: float

    @property
    def best(self) -> UnitScore:
        return self.units[0]


def _scored(
    model: LanguageModel, fit: LabelledText, held_out: LabelledText, report: Report, before: int = LEAD_IN
) -> _Scored:
    bins = _Bins(model, before)
    values = bins.read(fit.tokens, lambda share: report(0.5 * share))
    fitted = _fitted(model, bins, values, fit)
    values = bins.read(held_out.tokens, lambda share: report(0.5 + 0.5 * share))
    levels = levels_of(held_out.labels)
    moved = [np.roll(levels, int(shift * len(levels))) for shift in SHIFTS]
    units, shuffled = [], 0.5
    for one in fitted:
        binned = values[one.quantity][one.layer][one.unit]
        units.append(
            UnitScore(one.layer, one.unit, one.quantity, _signed(binned, levels, one.sign), one.sign, one.threshold)
        )
        shuffled = max(shuffled, *(_signed(binned, other, one.sign) for other in moved))
    units.sort(key=lambda one: -np.nan_to_num(one.score, nan=-1.0))
    best = units[0]
    return _Scored(units, shuffled, _error(values[best.quantity][best.layer][best.unit], levels, best.sign))


def _fitted(
    model: LanguageModel, bins: _Bins, values: dict[str, list[NDArray[np.uint8]]], fit: LabelledText
) -> list[UnitScore]:
    """Of every unit the state, the sign and the threshold that tell the fitted text best."""
    levels, holds = levels_of(fit.labels), fit.holds.astype(np.int64)
    found = []
    for layer, cell in enumerate(model.stack.cells):
        for unit in range(cell.units):
            scores = {name: concordance(count(values[name][layer][unit], levels)) for name in cell.state_names}
            quantity = max(scores, key=lambda name: abs(scores[name] - 0.5))
            sign = 1 if scores[quantity] >= 0.5 else -1
            counts = count(values[quantity][layer][unit], holds)
            cut = best_cut(counts if sign > 0 else counts[:, ::-1])
            threshold = bins.edge(quantity, layer, unit, cut if sign > 0 else BINS - cut)
            found.append(UnitScore(layer, unit, quantity, scores[quantity], sign, threshold))
    return found


def _signed(binned: NDArray[np.uint8], levels: NDArray[np.int64], sign: int) -> float:
    score = concordance(count(binned, levels))
    return score if sign > 0 else 1.0 - score


def _error(binned: NDArray[np.uint8], levels: NDArray[np.int64], sign: int) -> float:
    """Standard error of a score, from those of blocks of the text: its tokens are far from independent."""
    blocks = zip(np.array_split(binned, _BLOCKS), np.array_split(levels, _BLOCKS), strict=True)
    scores = [_signed(part, told, sign) for part, told in blocks if len(np.unique(told)) > 1]
    return float(np.std(scores, ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else float("inf")


@dataclass
class _Bins:
    """The states of all units over a text, each as one of `BINS` bins of its own: an order is all that scores ask for.

    The bins are even in z / (1 + |z|) of the standardised value z, so that they are fine where a unit mostly is, and
    nothing lies beyond the last. Where a unit mostly is, the first stretch that is read says.
    """

    model: LanguageModel
    before: int
    _scale: dict[tuple[str, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def read(self, tokens: Tensor, report: Report) -> dict[str, list[NDArray[np.uint8]]]:
        """(unit, token) for each state and layer."""
        cells = self.model.stack.cells
        names = cells[-1].state_names
        found = {name: [np.empty((cell.units, len(tokens)), np.uint8) for cell in cells] for name in names}
        done = 0
        for stretch in read_long(self.model, tokens, names, before=self.before):
            places = stretch.places[stretch.read].numpy()
            for name in names:
                for layer, values in enumerate(stretch.values[name]):
                    if values is not None:
                        binned = self._binned(name, layer, values[stretch.read.to(values.device)])
                        found[name][layer][:, places] = binned.T
            done += len(places)
            report(done / len(tokens))
        return found

    def _binned(self, name: str, layer: int, values: Tensor) -> NDArray[np.uint8]:
        """Bins of (token, unit)."""
        if (name, layer) not in self._scale:
            spread = values.std(0, correction=0)
            self._scale[name, layer] = values.mean(0), torch.where(spread > 0, spread, 1.0)
        centre, spread = self._scale[name, layer]
        if not bool(values.sum().isfinite()):  # one that is not makes the sum so
            raise ConfigError("The model's values are not finite at this step: choose another step.")
        z = values.sub(centre).div_(spread)
        return z.div_(z.abs().add_(1.0)).add_(1.0).mul_(BINS / 2).clamp_(0, BINS - 1).to(torch.uint8).cpu().numpy()

    def edge(self, name: str, layer: int, unit: int, place: int) -> float:
        """The value at the lower end of a bin."""
        centre, spread = self._scale[name, layer]
        share = min(max(2 * place / BINS - 1, -0.999), 0.999)
        return float(centre[unit] + spread[unit] * share / (1 - abs(share)))
