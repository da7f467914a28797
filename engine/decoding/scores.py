"""Scores: how likely a model finds a text, token by token."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.config import ConfigError
from engine.decoding.distribution import as_numbers
from engine.decoding.reading import checked_tokens, read, read_all
from engine.models.language_model import LanguageModel

_LOGITS_AT_ONCE = 2**21  # as float64 they take 16 MiB, and so do the steps of the softmax


def log_probabilities(
    model: LanguageModel, tokens: Sequence[int] | np.ndarray | Tensor, *, start: Sequence[int] | np.ndarray | Tensor
) -> Tensor:
    """The log-probability of each token of a text given all before it, in one pass over the text.

    Args:
        tokens: token ids, (tokens)
        start: what stands before them, at least one token: a model gives no probability to the first thing it
            reads. The prompt, or a line end for a fresh start

    Returns:
        log p(token_i | start, token_0 ... token_{i-1}) in nats, (tokens), float64, on the CPU

    Raises:
        ConfigError: `start` is empty, or a token is outside the vocabulary
    """
    before = checked_tokens(start, model.vocabulary_size)
    targets = checked_tokens(tokens, model.vocabulary_size)
    if not len(before):
        raise ConfigError("The first token has no probability by itself: give at least one token to start from.")
    scores = torch.empty(len(targets), dtype=torch.float64)
    if not len(targets):
        return scores
    first = 1 - len(before)  # which target the next hidden state speaks of; below 0 it is one of `start`
    for hidden, _ in read(model, np.concatenate((before, targets[:-1]))):
        wanted = hidden[max(-first, 0) :]  # (time, units)
        place = max(first, 0)
        for piece in wanted.split(max(_LOGITS_AT_ONCE // model.vocabulary_size, 1)):
            scores[place : place + len(piece)] = _chosen(model, piece, targets[place : place + len(piece)])
            place += len(piece)
        first += len(hidden)
    return scores


def _chosen(model: LanguageModel, hidden: Tensor, targets: np.ndarray) -> Tensor:
    """Log-probabilities of the targets (time) after hidden states (time, units), float64, (time)."""
    with torch.inference_mode():
        logits = model.logits(hidden).cpu().double()  # (time, vocabulary)
        chosen = logits.gather(1, torch.from_numpy(targets).unsqueeze(1)).squeeze(1)
        return chosen - logits.logsumexp(1)


def logits_after(model: LanguageModel, tokens: Sequence[int] | np.ndarray | Tensor) -> Tensor:
    """Logits of the token that follows `tokens` (at least one), (vocabulary), float64, on the CPU.

    `softmax` of them is the model's next-token distribution there; `next_distribution` of them what is drawn from.

    Raises:
        ConfigError: no token, or one outside the vocabulary
    """
    ids = checked_tokens(tokens, model.vocabulary_size)
    if not len(ids):
        raise ConfigError("An empty context has no next token: give at least one token.")
    logits, _ = read_all(model, ids)
    return torch.from_numpy(as_numbers(logits).copy())  # a tensor that its taker may change


def perplexity(scores: Tensor | np.ndarray | Sequence[float]) -> float:
    """exp of the mean surprise, for log-probabilities in nats, (tokens); infinite beyond what a float can hold.

    Raises:
        ConfigError: not a single token
    """
    values = torch.as_tensor(scores, dtype=torch.float64)
    if not values.numel():
        raise ConfigError("The perplexity of an empty sequence is undefined: give at least one token.")
    surprise = -float(values.mean())
    try:
        return math.exp(surprise)
    except OverflowError:
        return math.inf
