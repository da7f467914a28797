"""Batches for truncated backpropagation: streams of text read side by side, the state carried on.

A prediction is a pair: token p goes in, token p + 1 is the target. A text of n tokens has n - 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.config import ConfigError

IGNORED = -100  # a target that is not counted: what torch's cross_entropy ignores by default


@dataclass(frozen=True, eq=False)
class Batch:
    """What goes into one update or one evaluation step.

    Attributes:
        inputs: token ids, (time, streams), int64.
        targets: the tokens that follow, (time, streams), int64; `IGNORED` where there is none to predict.
        fresh: True if the carried state starts from zero here.
        predictions: how many targets count.
    """

    inputs: Tensor
    targets: Tensor
    fresh: bool
    predictions: int


class Streams:
    """The training text as batches, each a pure function of its step.

    The text is a ring of its n - 1 predictions. Stream s begins a share s / streams of the way round,
    and an epoch takes each stream through its part, chunk by chunk. The last chunk runs on into the
    next stream's part, so that every prediction is made at least once an epoch. Each epoch turns the
    ring by an offset drawn from (seed, epoch), so that the cuts between chunks fall elsewhere. A text
    that is one single chunk is not turned: "hello" in chunks of 4 is always "hell" -> "ello".
    """

    def __init__(self, tokens: Tensor, streams: int, chunk: int, seed: int) -> None:
        """
        Args:
            tokens: the training text, (tokens), int64. Batches come out on its device.
            streams: pieces of the text read side by side.
            chunk: timesteps of a batch.
            seed: what the offsets are drawn from.

        Raises:
            ConfigError: the text has fewer than streams x chunk predictions.
        """
        self.tokens = tokens
        self.streams = streams
        self.chunk = chunk
        self.seed = seed
        self.predictions = len(tokens) - 1
        check_batches(len(tokens), streams, chunk)
        self.steps_per_epoch = -(-self.predictions // (streams * chunk))
        starts = torch.arange(streams, device=tokens.device) * self.predictions // streams
        self._first = torch.arange(chunk, device=tokens.device)[:, None] + starts  # (time, streams)

    def batch(self, step: int) -> Batch:
        """The batch of one step, counted from 0: any step, in any order, always the same."""
        epoch, turn = divmod(step, self.steps_per_epoch)
        places = (self._first + (self._offset(epoch) + turn * self.chunk)) % self.predictions  # (time, streams)
        return Batch(
            inputs=self.tokens[places],
            targets=self.tokens[places + 1],
            fresh=turn == 0,
            predictions=places.numel(),
        )

    def _offset(self, epoch: int) -> int:
        """How far an epoch turns the ring. A hash, so that no library's generator can change it under a stored run."""
        if self.predictions == self.chunk:
            return 0
        digest = hashlib.sha256(f"{self.seed}:{epoch}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.predictions


def evaluation_chunks(tokens: Tensor, streams: int, chunk: int, length: int | None = None) -> Iterator[Batch]:
    """A text as batches that predict every token but the first exactly once, the state carried throughout.

    The text is cut into `streams` consecutive parts, read side by side. The last batches are shorter,
    and where parts differ in length the missing targets of the very last timestep are `IGNORED`.

    Args:
        tokens: (tokens), int64; at least two.
        streams: how many parts at most; more cost context at the parts' beginnings, fewer cost speed.
        chunk: most timesteps of a batch.
        length: predictions made at the beginning of each part, at most; None makes all of them.
    """
    predictions = len(tokens) - 1
    streams = min(streams, predictions)
    if streams < 1:
        return
    bounds = torch.arange(streams + 1, device=tokens.device) * predictions // streams
    longest = -(-predictions // streams)
    if length is not None:
        longest = min(longest, length)
    starts = bounds[:-1]
    ends = torch.minimum(bounds[1:], starts + longest)
    for begin in range(0, longest, chunk):
        times = torch.arange(begin, min(begin + chunk, longest), device=tokens.device)
        places = starts + times[:, None]  # (time, streams)
        inside = places < ends
        places = torch.where(inside, places, starts)  # any token will do where nothing is predicted
        targets = torch.where(inside, tokens[places + 1], IGNORED)
        yield Batch(inputs=tokens[places], targets=targets, fresh=begin == 0, predictions=int(inside.sum()))


def lead_in(tokens: Tensor, streams: int, length: int) -> Tensor:
    """The tokens just before each of the parts that `evaluation_chunks` cuts, to warm a state on.

    Returns:
        (time, streams) int64; the first part has nothing before it, and gets its own first token throughout.
    """
    predictions = len(tokens) - 1
    starts = torch.arange(streams, device=tokens.device) * predictions // streams
    before = starts + torch.arange(-length, 0, device=tokens.device)[:, None]  # (time, streams)
    return tokens[before.clamp(min=0)]


def most_streams(tokens: int, chunk: int) -> int:
    """The largest number of streams that a training part of so many tokens fills with one chunk each."""
    return max(tokens - 1, 0) // chunk


def fit_batches(tokens: int, streams: int, chunk: int, given: Collection[str] = ()) -> tuple[int, int]:
    """Streams and chunk as large as wished, or halved until one batch fits into a training part of so many tokens.

    Streams give way first: a shorter chunk also shortens what the gradient sees.

    Args:
        given: those of "streams" and "chunk" that somebody chose: they stay as they are

    Raises:
        ConfigError: what is given does not fit
    """
    while "streams" not in given and streams > 1 and streams * chunk > tokens - 1:
        streams //= 2
    while "chunk" not in given and chunk > 1 and streams * chunk > tokens - 1:
        chunk //= 2
    check_batches(tokens, streams, chunk)
    return streams, chunk


def check_batches(tokens: int, streams: int, chunk: int) -> None:
    """Raise ConfigError for a training part shorter than one batch: what is wrong, and what fits."""
    if streams * chunk <= tokens - 1:
        return
    fitting = most_streams(tokens, chunk)
    advice = (
        f"set data.streams to at most {fitting:,}"
        if fitting
        else f"set data.streams to 1 and data.chunk to at most {tokens - 1:,}"
    )
    raise ConfigError(
        f"The training part has {tokens:,} tokens, too few for data.streams x data.chunk = {streams:,} x {chunk:,} "
        f"= {streams * chunk:,} predictions: {advice}, or use a longer text."
    )
