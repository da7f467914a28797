"""What a training run tells whoever listens: frozen records, one kind for each thing that happens.

Losses are in nats per token. `seconds` is wall time since the run began, evaluations and samples
included and pauses left out; `train_seconds` counts the optimiser steps alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.data import TextFacts

if TYPE_CHECKING:
    from engine.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Event:
    """Something that happened when `step` updates had been made."""

    step: int


@dataclass(frozen=True)
class Planned(Event):
    """The run knows its length. The first event whenever a run starts or goes on."""

    planned_steps: int
    evaluation_steps: tuple[int, ...]
    parameters: int
    device: str
    threads: int


@dataclass(frozen=True)
class Progress(Event):
    """Updates were made. `loss` is the mean training loss since the last such event."""

    loss: float
    grad_norm: float
    clipped_norm: float
    learning_rate: float
    clip_threshold: float | None
    tokens_per_second: float
    seconds: float
    train_seconds: float
    seconds_left: float = math.nan
    """what the run will still take, evaluations and samples included; NaN before that can be told"""


@dataclass(frozen=True)
class TextRead(Event):
    """Facts on the run's text, before its first evaluation and the first after it goes on."""

    facts: TextFacts


@dataclass(frozen=True)
class Evaluated(Event):
    """The validation part was read, or stretches spread over the whole of it.

    `best`: no evaluation before was lower; `rising`: it is well above the best. Evaluations are compared over the
    tokens that all of them read. `bits_per_character` pay for the whole validation part, see `engine.data.TextFacts`.
    """

    val_loss: float
    bits_per_character: float
    train_loss: float
    best: bool
    rising: bool
    seconds: float
    train_seconds: float
    tokens_read: int
    """tokens that were predicted"""
    tokens_in_all: int
    """tokens that reading the whole validation part predicts"""


@dataclass(frozen=True)
class Sampled(Event):
    """The model wrote `text` after `prompt`, as at every evaluation of the run: same prompt, same seed."""

    prompt: str
    text: str


@dataclass(frozen=True)
class Saved(Event):
    """A checkpoint worth keeping. `full` ones hold all that continuing bit for bit needs."""

    full: bool
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Changed(Event):
    """A setting was changed; the new value holds from the next update on."""

    key: str
    value: float


@dataclass(frozen=True)
class Working(Event):
    """Between two slices of longer work, so that whoever listens can stop the run at once."""

    what: str
    share: float
    seconds_left: float = math.nan
    """what the run will still take, where that has changed much since the last update"""


@dataclass(frozen=True)
class Diverged(Event):
    """The run stopped because it had diverged: why, what to do, and the settings that do it."""

    reason: str
    advice: str
    suggestion: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished(Event):
    """The run came to its end. `why`: "steps", "until_loss" or "early_stopping"."""

    why: str
    val_loss: float
    best_step: int
    best_loss: float
    seconds: float
    train_seconds: float
    tokens_per_second: float
    parameters: int
