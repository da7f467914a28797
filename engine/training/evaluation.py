"""The loss on the validation part, read with carried state."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from engine.data import evaluation_chunks, lead_in
from engine.device import arithmetic
from engine.models.language_model import LanguageModel, mean_loss
from engine.models.stack import StackState

TOKEN_LIMIT = 2**18
"""At most this many tokens of the validation part are read at an evaluation."""

SLICE_SECONDS = 0.05
"""Longest stretch of work between two chances to stop."""

_CHUNK = 16
_STREAMS = 256
_TOKENS_PER_STREAM = 512
_LEAD_IN = 64


def evaluation_streams(tokens: int) -> int:
    """How many pieces the validation part is read in: many for speed, each long beside its lead-in."""
    return max(1, min(_STREAMS, tokens // _TOKENS_PER_STREAM))


def evaluate(model: LanguageModel, tokens: torch.Tensor, precision: str = "float32") -> Iterator[tuple[float, float]]:
    """Read `tokens` (tokens,) once, in slices of at most `SLICE_SECONDS`.

    The text is read in many pieces side by side. The state of each is first warmed on the tokens before it, which
    are not counted there, so that the loss is that of reading the whole text in one go, or nearly.

    Yields:
        (share read so far, mean loss so far in nats per token); the last share is 1
    """
    tokens = tokens[:TOKEN_LIMIT]
    streams = evaluation_streams(len(tokens))
    total, count, targets_left = 0.0, 0, len(tokens) - 1
    state = _warmed(model, tokens, streams, precision)
    slice_end = time.perf_counter() + SLICE_SECONDS
    for batch in evaluation_chunks(tokens, streams, _CHUNK):
        with torch.no_grad(), arithmetic(model.device, precision):
            logits, state = model(batch.inputs.to(model.device), state)
            loss = mean_loss(logits, batch.targets.to(model.device))
        total += loss.item() * batch.predictions
        count += batch.predictions
        if count < targets_left and time.perf_counter() >= slice_end:
            yield count / targets_left, total / count
            slice_end = time.perf_counter() + SLICE_SECONDS
    yield 1.0, total / max(1, count)


def _warmed(model: LanguageModel, tokens: torch.Tensor, streams: int, precision: str) -> StackState:
    """The state of each piece after the tokens before it; zero for the first, which has none."""
    state = model.initial_state(streams)
    if streams == 1:
        return state
    with torch.no_grad(), arithmetic(model.device, precision):
        _, state = model.hidden(lead_in(tokens, streams, _LEAD_IN).to(model.device), state)
    first = torch.arange(streams, device=model.device)[:, None] == 0
    return tuple(tuple(part.masked_fill(first, 0.0) for part in layer) for layer in state)
