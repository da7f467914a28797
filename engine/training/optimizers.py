"""Update rules by name, each torch's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, AdamW, Optimizer, RMSprop

from engine.config import TrainingConfig
from engine.device import traits
from engine.models.language_model import LanguageModel

Groups = list[dict]

ADAM_BETAS = (0.9, 0.99)
"""Memories of AdamW; runs here are short, so the second is shorter than the usual 0.999."""


@dataclass(frozen=True)
class Rule:
    """One update rule: what it is called, what it does, and how torch builds it."""

    title: str
    meaning: str
    build: Callable[[Groups, TrainingConfig, bool], Optimizer]


OPTIMIZERS: Mapping[str, Rule] = MappingProxyType(
    {
        "sgd": Rule(
            "SGD",
            "w ← w - η g",
            lambda groups, c, fused: SGD(groups, lr=c.learning_rate, fused=fused),
        ),
        "momentum": Rule(
            "Momentum",
            "v ← β v + g, w ← w - η v",
            lambda groups, c, fused: SGD(groups, lr=c.learning_rate, momentum=c.momentum, fused=fused),
        ),
        "rmsprop": Rule(
            "RMSprop",
            "s ← α s + (1 - α) g², w ← w - η g / √s",
            lambda groups, c, fused: RMSprop(groups, lr=c.learning_rate, alpha=c.momentum, foreach=True),
        ),
        "adagrad": Rule(
            "Adagrad",
            "s ← s + g², w ← w - η g / √s",
            lambda groups, c, fused: Adagrad(groups, lr=c.learning_rate, foreach=True),
        ),
        "adamw": Rule(
            "AdamW",
            "Adam with decoupled weight decay (Loshchilov and Hutter 2019)",
            lambda groups, c, fused: AdamW(groups, lr=c.learning_rate, betas=ADAM_BETAS, fused=fused),
        ),
    }
)


def preload() -> None:
    """Load what torch loads only when the first optimiser is made: about a second, of imports alone."""
    AdamW([torch.nn.Parameter(torch.empty(1))])


def build_optimizer(model: LanguageModel, config: TrainingConfig) -> Optimizer:
    """The optimiser of `config` over all weights of `model`; only the matrices of products decay."""
    decaying: list[Tensor] = []
    others: list[Tensor] = []
    for parameter in model.parameters():
        is_product = parameter.dim() == 2 and parameter is not model.embedding
        (decaying if is_product else others).append(parameter)
    groups = [{"params": decaying, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return OPTIMIZERS[config.optimizer].build(groups, config, traits(model.device).fused_optimizer)
