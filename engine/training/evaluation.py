"""The loss on the validation part, or on stretches spread over the whole of it, read with carried state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from engine.data import evaluation_chunks, lead_in
from engine.device import arithmetic
from engine.models.language_model import LanguageModel, mean_loss
from engine.models.stack import StackState

SLICE_SECONDS = 0.05
"""Longest stretch of work between two chances to stop."""

LEAD_IN = 64
"""Tokens that are read before each piece and not counted there."""

_CHUNK = 16
_STREAMS = 256
_TOKENS_PER_STREAM = 512
_PIECE = 128
_PRODUCTS = 2**29
"""Multiply-adds of one batch on a CPU, at most: about 50 ms of one core."""


@dataclass(frozen=True)
class Part:
    """Stretches of a text, all equally long, that begin at equal distances: what an evaluation may read of it.

    Attributes:
        pieces: how many of them
        length: predictions made in each
    """

    pieces: int
    length: int

    @property
    def predictions(self) -> int:
        """Tokens that are predicted in all of them."""
        return self.pieces * self.length

    @classmethod
    def of_tokens(cls, tokens: float) -> Part:
        """The part that takes reading about so many tokens, those before each piece included."""
        pieces = int(tokens / (_PIECE + LEAD_IN))
        if pieces <= _STREAMS:
            return cls(max(1, pieces), _PIECE)
        return cls(_STREAMS, int(tokens / _STREAMS) - LEAD_IN)


def evaluation_streams(tokens: int) -> int:
    """How many pieces the validation part is read in: many for speed, each long beside its lead-in."""
    return max(1, min(_STREAMS, tokens // _TOKENS_PER_STREAM))


def evaluate(
    model: LanguageModel, tokens: torch.Tensor, precision: str = "float32", part: Part | None = None
) -> Iterator[tuple[float, float]]:
    """Read `tokens` (tokens,) once, or `part` of them, in slices of at most `SLICE_SECONDS`.

    The text is read in many pieces side by side. The state of each is first warmed on the tokens before it, which
    are not counted there, so that the loss is that of reading the whole text in one go, or nearly.

    Args:
        part: what is read; None reads the whole, and so does a part that is no smaller

    Yields:
        (share read so far, mean loss so far in nats per token, NaN before the first); the last share is 1
    """
    predictions = len(tokens) - 1
    if part is not None and part.predictions >= predictions:
        part = None
    streams = evaluation_streams(len(tokens)) if part is None else part.pieces
    length = None if part is None else part.length
    targets_left = predictions if part is None else part.predictions
    total, count = 0.0, 0
    clock = _SliceClock()
    chunk = _timesteps(model, streams)
    state = model.initial_state(streams)
    for before in lead_in(tokens, streams, LEAD_IN).split(chunk) if streams > 1 else ():
        with torch.no_grad(), arithmetic(model.device, precision):
            _, state = model.hidden(before.to(model.device), state)
        if clock.over():
            yield 0.0, float("nan")
            clock.start()
    state = _first_from_zero(state)
    for batch in evaluation_chunks(tokens, streams, chunk, length):
        with torch.no_grad(), arithmetic(model.device, precision):
            logits, state = model(batch.inputs.to(model.device), state)
            loss = mean_loss(logits, batch.targets.to(model.device))
        total += loss.item() * batch.predictions
        count += batch.predictions
        if clock.over() and count < targets_left:
            yield count / targets_left, total / count
            clock.start()
    yield 1.0, total / max(1, count)


class _SliceClock:
    """Says when a slice is over: when another stretch as long as the last one would exceed it."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new slice begins."""
        self._began = self._before = time.perf_counter()

    def over(self) -> bool:
        """Whether to end the slice here; to be asked after each stretch of work."""
        now = time.perf_counter()
        last, self._before = now - self._before, now
        return now - self._began + last >= SLICE_SECONDS


def _timesteps(model: LanguageModel, streams: int) -> int:
    """Timesteps of a batch: a function of the model, not of the machine's speed, so that a loss repeats exactly."""
    if model.device.type != "cpu":
        return _CHUNK
    weights = sum(parameter.numel() for parameter in model.parameters())
    return max(1, min(_CHUNK, _PRODUCTS // (streams * weights)))


def _first_from_zero(state: StackState) -> StackState:
    """The states of all pieces after the tokens before them; zero for the first, which has none."""
    return tuple(tuple(_without_first(values) for values in layer) for layer in state)


def _without_first(values: torch.Tensor) -> torch.Tensor:
    first = torch.arange(len(values), device=values.device)[:, None] == 0
    return values.masked_fill(first, 0.0)
