"""Running sums of a training run: its time, losses and speed, and how long what is left of it will take."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.training.evaluation_plan import EVALUATED_TOKEN, SAMPLED_TOKEN


@dataclass(frozen=True)
class Reading:
    """Mean loss (nats per token) and speed since the last reading."""

    loss: float
    tokens_per_second: float


class Meters:
    """Collects losses without waiting for the device, and adds up time and tokens.

    Args:
        tokens_per_step: predictions in one update
    """

    def __init__(self, tokens_per_step: int) -> None:
        self.tokens_per_step = tokens_per_step
        self.train_seconds = 0.0
        self.tokens = 0
        self._unread: list[Tensor] = []
        self._seconds = 0.0
        self._updates = 0
        self._sum = self._count = self._sum_since_evaluation = self._count_since_evaluation = 0.0

    def sums(self) -> tuple[float, float, float, float]:
        """What has been added up and not reported yet, to go into a checkpoint."""
        if self._unread:
            self.read()
        return self._sum, self._count, self._sum_since_evaluation, self._count_since_evaluation

    def continue_from(self, step: int, train_seconds: float, sums: tuple[float, float, float, float]) -> None:
        """Go on from the sums that a checkpoint at `step` holds."""
        self.tokens = step * self.tokens_per_step
        self.train_seconds = train_seconds
        self._sum, self._count, self._sum_since_evaluation, self._count_since_evaluation = sums

    @property
    def pending(self) -> int:
        """Losses that were added and not read yet."""
        return len(self._unread)

    def add(self, loss: Tensor) -> None:
        """Note one update's loss, which may still be on its way on the device."""
        self._unread.append(loss)
        self.tokens += self.tokens_per_step

    def spent(self, seconds: float) -> None:
        """Note how long an update took, reading included."""
        self.train_seconds += seconds
        self._seconds += seconds
        self._updates += 1

    def read(self) -> float:
        """Fetch the losses added since the last call; returns the newest."""
        values = [self._unread[0].item()] if len(self._unread) == 1 else torch.stack(self._unread).tolist()
        self._unread.clear()
        self._sum += math.fsum(values)
        self._count += len(values)
        return next((value for value in values if not math.isfinite(value)), values[-1])

    def reading(self) -> Reading:
        """Means since the last reading; starts the next."""
        loss = self._sum / max(1.0, self._count)
        rate = self._updates * self.tokens_per_step / max(self._seconds, 1e-9)
        self._sum_since_evaluation += self._sum
        self._count_since_evaluation += self._count
        self._sum, self._count, self._seconds, self._updates = 0.0, 0.0, 0.0, 0
        return Reading(loss, rate)

    def glance(self, loss: float) -> Reading:
        """The newest `loss` and the speed since the last reading, which goes on."""
        return Reading(loss, self._updates * self.tokens_per_step / max(self._seconds, 1e-9))

    def loss_since_evaluation(self) -> float:
        """Mean training loss since the last evaluation, of the updates reported meanwhile; NaN if there were none."""
        return self._sum_since_evaluation / self._count_since_evaluation if self._count_since_evaluation else math.nan

    def evaluated(self) -> None:
        """An evaluation is done: the next mean training loss starts here."""
        self._sum_since_evaluation, self._count_since_evaluation = 0.0, 0.0

    def average_rate(self) -> float:
        """Tokens per second over all updates of the run."""
        return self.tokens / max(self.train_seconds, 1e-9)


class Stopwatch:
    """Wall time in seconds, with pauses left out. It runs from the start."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._before = seconds
        self._since: float | None = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time it has run so far."""
        return self._before if self._since is None else self._before + time.perf_counter() - self._since

    def stop(self) -> None:
        """Pause; nothing happens if it is paused."""
        self._before, self._since = self.seconds, None

    def start(self) -> None:
        """Go on; nothing happens if it runs."""
        self._before, self._since = self.seconds, time.perf_counter()


_REMEMBERED = 50
"""Updates whose time is averaged to tell how long the next will take."""


class Pace:
    """How long updates, evaluations and samples take, from those seen in this process.

    Args:
        tokens_per_update: predictions in one update
    """

    def __init__(self, tokens_per_update: int) -> None:
        self._tokens_per_update = tokens_per_update
        self._updates = 0
        self._update = 0.0
        self._evaluated = (0, 0.0)
        self._sampled = (0, 0.0)

    def update(self, seconds: float) -> None:
        """Note an update. The first of a process, which sets up kernels, counts until there is a second."""
        self._updates += 1
        weight = 1 / max(1, min(self._updates - 1, _REMEMBERED))
        self._update += weight * (seconds - self._update)

    def evaluated(self, tokens: int, seconds: float) -> None:
        """Note that so many tokens of the validation part were read."""
        self._evaluated = (self._evaluated[0] + tokens, self._evaluated[1] + seconds)

    def sampled(self, tokens: int, seconds: float) -> None:
        """Note that so many tokens were written."""
        self._sampled = (self._sampled[0] + tokens, self._sampled[1] + seconds)

    def left(self, updates: int, evaluated: int, sampled: int) -> float:
        """Seconds that so many updates, and so many tokens read and written, will take; NaN before the first update."""
        if not self._updates:
            return math.nan
        trained = self._update / self._tokens_per_update
        reading = _each(self._evaluated, EVALUATED_TOKEN * trained)
        writing = _each(self._sampled, SAMPLED_TOKEN * trained)
        return updates * self._update + evaluated * reading + sampled * writing


def _each(seen: tuple[int, float], otherwise: float) -> float:
    count, seconds = seen
    return seconds / count if count else otherwise
