"""Reading: tokens put through a model from its zero state, in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.config import ConfigError
from engine.models.language_model import LanguageModel
from engine.models.stack import StackState

CHUNK = 1_024  # tokens read at once: long enough for the fast kernels, short enough for any memory


def read(model: LanguageModel, tokens: np.ndarray) -> Iterator[tuple[Tensor, StackState]]:
    """Put tokens (time) through a model, piece by piece, without gradients.

    Yields:
        for each piece the top layer's hidden states, (time, units), and the state after it
    """
    state = model.initial_state(1)
    for first in range(0, len(tokens), CHUNK):
        # Entered anew for each piece: between two of them the caller's mode holds.
        with torch.inference_mode():
            piece = torch.from_numpy(tokens[first : first + CHUNK]).to(model.device).unsqueeze(1)  # (time, 1)
            hidden, state = model.hidden(piece, state)  # (time, 1, units)
            hidden = hidden.squeeze(1)
        yield hidden, state


def read_all(model: LanguageModel, tokens: np.ndarray) -> tuple[Tensor, StackState]:
    """Put tokens (time), at least one, through a model: the logits after them, (vocabulary), and the state then."""
    for piece, after in read(model, tokens):
        hidden, state = piece, after
    with torch.inference_mode():
        return model.logits(hidden[-1]), state


def checked_tokens(tokens: Sequence[int] | np.ndarray | Tensor, vocabulary_size: int) -> np.ndarray:
    """Token ids as an int64 array, (tokens).

    Raises:
        ConfigError: an id outside the vocabulary.
    """
    try:
        ids = np.array(tokens.cpu().numpy() if isinstance(tokens, Tensor) else tokens, dtype=np.int64).reshape(-1)
    except OverflowError:
        raise ConfigError(
            f"A token id is out of range: this vocabulary has ids 0 to {vocabulary_size - 1:,}."
        ) from None
    if ids.size and not (ids.min() >= 0 and ids.max() < vocabulary_size):
        wrong = ids[(ids < 0) | (ids >= vocabulary_size)][0]
        raise ConfigError(f"There is no token {wrong} in this vocabulary of {vocabulary_size:,}.")
    return ids
