"""What breaks when a unit is switched off: the loss with and without it, where a hypothesis holds and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.analysis.labelled_text import LabelledText
from engine.analysis.unit_search import Report
from engine.config import ConfigError
from engine.models.language_model import LanguageModel
from engine.models.long_pass import Hold, read_long


@dataclass(frozen=True)
class Ablation:
    """Mean losses in nats per token, as the model is and with units held.

    Attributes:
        loss, loss_ablated: of all predictions
        loss_inside, loss_inside_ablated: of those made where the hypothesis holds, once the last token is read; NaN
            where there is none
        loss_outside, loss_outside_ablated: of the others
        tokens: predictions in all
        inside: those where the hypothesis holds
    """

    loss: float
    loss_ablated: float
    loss_inside: float
    loss_inside_ablated: float
    loss_outside: float
    loss_outside_ablated: float
    tokens: int
    inside: int


def ablate(
    model: LanguageModel, text: LabelledText, holds: Sequence[Hold], *, report: Report = lambda share: None
) -> Ablation:
    """Read a text as the model is, and once more with units held at values.

    Args:
        model: whose units
        text: held-out text, and where the hypothesis holds in it
        holds: which units, and at which values; 0 switches one off

    Raises:
        ConfigError: no hold, one of what the model does not have, or a text of a single token
    """
    if not holds:
        raise ConfigError("No unit is held, so nothing would change: name a unit.")
    if len(text) < 2:
        raise ConfigError("The text has a single token, so that there is nothing to predict: give a longer one.")
    whole = losses_of(model, text.tokens, report=lambda share: report(share / 2))
    held = losses_of(model, text.tokens, holds, report=lambda share: report(0.5 + share / 2))
    inside = torch.from_numpy(text.holds)[:-1]
    everywhere = torch.ones_like(inside)
    return Ablation(
        _mean(whole, everywhere),
        _mean(held, everywhere),
        _mean(whole, inside),
        _mean(held, inside),
        _mean(whole, ~inside),
        _mean(held, ~inside),
        tokens=len(whole),
        inside=int(inside.sum()),
    )


def losses_of(
    model: LanguageModel, tokens: Tensor, holds: Sequence[Hold] = (), *, report: Report = lambda share: None
) -> Tensor:
    """The loss of each token but the first, in nats, (tokens - 1): at t, of the token that follows token t."""
    losses = torch.empty(len(tokens))
    done = 0
    for stretch in read_long(model, tokens, (), holds=holds, losses=True):
        assert stretch.losses is not None
        losses[stretch.places[stretch.read]] = stretch.losses[stretch.read]
        done += int(stretch.read.sum())
        report(done / len(tokens))
    return losses[:-1]


def _mean(losses: Tensor, part: Tensor) -> float:
    return float(losses[part].double().mean()) if part.any() else float("nan")
