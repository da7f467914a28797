"""When things happen along the steps of a run: learning rate, evaluations, checkpoints, progress records."""

from __future__ import annotations

import math

from engine.config import TrainingConfig

FINAL_SHARE = 0.02
"""Share of the peak learning rate at which cosine and linear decay end."""

PROGRESS_RECORDS = 1_000
"""A run reports each of its first 100 steps, and at most this many times over its length."""


def learning_rate(config: TrainingConfig, step: int, planned_steps: int) -> float:
    """Learning rate of the update that follows `step` earlier ones.

    Linear rise over the warm-up (at most half of the run), then constant, linear or cosine decay to
    `FINAL_SHARE` of the peak at `planned_steps` (cosine without restarts: Loshchilov and Hutter 2017).
    """
    warmup = min(config.warmup, planned_steps // 2)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    if config.schedule == "constant":
        return config.learning_rate
    progress = min(1.0, (step - warmup) / max(1, planned_steps - warmup))
    decay = 1.0 - progress if config.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))
    return config.learning_rate * (FINAL_SHARE + (1.0 - FINAL_SHARE) * decay)


def evaluation_steps(planned_steps: int, count: int) -> tuple[int, ...]:
    """Steps after which the validation part is read: `count` of them or fewer, denser early on, the last at the end.

    The loss falls fastest at the start, so the i-th of n evaluations comes after (i/n)² of the run.
    """
    spread = {max(1, round(planned_steps * (i / count) ** 2)) for i in range(1, count + 1)}
    return tuple(sorted(spread))


def is_power_of_two(step: int) -> bool:
    """Whether `step` is 0, 1, 2, 4, 8, ...: the steps whose checkpoints show a run from its beginning."""
    return step & (step - 1) == 0


def records_progress(step: int, planned_steps: int) -> bool:
    """Whether progress is reported after `step` updates; a function of the step alone, so that it repeats."""
    every = math.ceil(planned_steps / PROGRESS_RECORDS)
    return step <= 100 or step % every == 0 or step == planned_steps
