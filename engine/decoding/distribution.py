"""Which token comes next: a model's logits, sharpened, cut, and drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.config import ConfigError


@dataclass(frozen=True)
class Choice:
    """How the next token is chosen.

    p_i ∝ exp(logit_i / temperature), cut to the `top_k` likeliest tokens (0 keeps all, and so does any number
    from the vocabulary's size on) and to the smallest set whose probability reaches `top_p` (nucleus sampling:
    Holtzman et al. 2020). Temperature 0 is greedy: the likeliest token for certain.

    Attributes:
        forbidden: tokens that are never drawn, such as <unk>

    Raises:
        ConfigError: a temperature, top_k or top_p out of its range
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    forbidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise ConfigError(f"The temperature is {self.temperature}; choose 0 (greedy) or a positive number.")
        if self.top_k < 0:
            raise ConfigError(f"top_k is {self.top_k}; choose 0 (off) or the number of tokens to sample from.")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p is {self.top_p}; choose above 0 and at most 1 (off).")

    def distribution(self, logits: np.ndarray) -> np.ndarray:
        """What is drawn from, (vocabulary), summing to one, for logits (vocabulary), both float64."""
        if self.forbidden:
            logits = logits.copy()
            logits[list(self.forbidden)] = -np.inf
        if self.temperature == 0:
            chosen = np.zeros_like(logits)
            chosen[logits.argmax()] = 1.0
            return chosen
        with np.errstate(over="ignore"):  # near temperature 0 what falls behind falls to minus infinity, as it should
            weights = np.exp((logits - logits.max()) / self.temperature)  # the largest is 1: nothing overflows
        if 0 < self.top_k < len(weights):
            weights[np.argpartition(weights, -self.top_k)[: -self.top_k]] = 0.0
        if self.top_p < 1:
            order = np.argsort(-weights)
            ordered = weights[order]
            before = ordered.cumsum() - ordered
            weights[order[before >= self.top_p * ordered.sum()]] = 0.0
        return weights / weights.sum()


def next_distribution(
    logits: Tensor, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, forbidden: Sequence[int] = ()
) -> Tensor:
    """The distribution that the next token is drawn from: see `Choice`.

    Args:
        logits: (vocabulary,)
        forbidden: tokens that are never drawn, such as <unk>

    Returns:
        probabilities, (vocabulary,), summing to one, of the logits' kind and on their device

    Raises:
        ConfigError: a temperature, top_k or top_p out of its range, or every token forbidden
    """
    choice = Choice(temperature, top_k, top_p, tuple(forbidden))
    refuse_all_forbidden(choice.forbidden, len(logits))
    return torch.from_numpy(choice.distribution(as_numbers(logits))).to(logits)


def as_numbers(values: Tensor) -> np.ndarray:
    """A tensor of any kind and device as float64 numbers here."""
    return values.detach().cpu().double().numpy()


def refuse_all_forbidden(forbidden: Sequence[int], vocabulary_size: int) -> None:
    """Raises ConfigError if no token is left to be drawn."""
    if len(set(forbidden)) >= vocabulary_size:
        raise ConfigError("Every token is forbidden, so none can be generated.")


def draw(distribution: np.ndarray, number: float) -> int:
    """The token at which the cumulated distribution passes a `number` in [0, 1)."""
    cumulated = distribution.cumsum()
    token = int(cumulated.searchsorted(number * cumulated[-1], side="right"))
    if token == len(distribution):  # the product was rounded up to the whole
        return int(distribution.nonzero()[0][-1])
    return token
