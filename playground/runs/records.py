"""The records that the store reads and writes: a run, its rows, and what goes wrong with them. All are frozen.

Losses are in nats per token. Moments are seconds since 1970 (UTC), durations are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.config import Config
from engine.data import PerCharacter, TextFacts
from engine.models.language_model import parameter_count

QUEUED = "queued"
RUNNING = "running"
PAUSED = "paused"
STOPPED = "stopped"
FINISHED = "finished"
DIVERGED = "diverged"
FAILED = "failed"
INTERRUPTED = "interrupted"

STATUSES: Mapping[str, str] = {
    QUEUED: "waiting for a worker",
    RUNNING: "training",
    PAUSED: "paused and saved; can be resumed",
    STOPPED: "stopped by hand and saved; can be resumed",
    FINISHED: "training is complete",
    DIVERGED: "training diverged and was ended",
    FAILED: "training failed with an error",
    INTERRUPTED: "its worker ended unexpectedly; can be resumed from its last checkpoint",
}

OWNER = "its owner"
ANYONE = "a visitor"
"""Who a command came from, as sentences say it: the owner, or whoever it was where the run has none."""

ACTIVE = frozenset({QUEUED, RUNNING})
"""Statuses of runs that train, or will as soon as a worker is free."""

RESUMABLE = frozenset({PAUSED, STOPPED, INTERRUPTED, FAILED})
"""Statuses from which a run can be resumed."""


HELD_UP = "held up"
"""The `why` of a run that its worker keeps in memory, paused, until the store can be written to."""

UNDO_SECONDS = 600.0
"""How long a deleted run can be restored."""


class StoreError(RuntimeError):
    """The store cannot do what was asked. The message says why and what to do."""


class StoreFullError(StoreError):
    """The disk has no space left."""


class RunNotFoundError(StoreError):
    """There is no such run."""


class TextLostError(StoreError):
    """A visitor's own text is not in this store, or damaged in it."""


class RunRefusedError(StoreError):
    """The run exists, but cannot do what was asked in its present state."""


class LimitError(RunRefusedError):
    """A limit of this installation is reached. The message names the limit and its setting."""


class ClaimLostError(StoreError):
    """A worker wrote to a run that it no longer owns."""


@dataclass(frozen=True)
class Run:
    """One training of a config, as it stands in the store."""

    id: str
    name: str
    status: str
    config: Config
    owner: str = ""
    visibility: str = "public"
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    step: int = 0
    planned_steps: int | None = None
    parameters: int | None = None
    evaluation_steps: tuple[int, ...] = ()
    best_step: int | None = None
    best_loss: float | None = None
    """lowest validation loss"""
    val_loss: float | None = None
    """newest validation loss"""
    last_loss: float | None = None
    """newest training loss"""
    tokens_per_second: float | None = None
    seconds: float = 0.0
    train_seconds: float = 0.0
    seconds_left: float | None = None
    """what it will still take while it trains, evaluations and samples included"""
    message: str = ""
    """a sentence on why the run has its status"""
    suggestion: Mapping[str, Any] = field(default_factory=dict)
    """settings, by name, that may keep a diverged run from diverging"""
    why: str = ""
    """why a finished run ended: "steps", "until_loss" or "early_stopping"; HELD_UP while a paused run waits to be
    saved"""
    parent: tuple[str, int] | None = None
    """run and step that this one branches from"""
    race: str | None = None
    starter: bool = False
    device: str = ""
    threads: int | None = None
    corpus_sha256: str = ""
    text_facts: TextFacts | None = None
    """facts on its text, from its first evaluation on; runs that were evaluated before there were any have none"""
    live_step: int | None = None
    """step of the weights in the live slot"""
    version: int = 0
    """increases with every change to the run or its rows"""
    rewritten: int = 0
    """the version at which rows were last deleted"""
    spark: tuple[tuple[int, float], ...] = ()
    """sparkline: (step, training loss) at a few evenly spaced steps"""
    deleted: float | None = None
    """when it was deleted; it can be restored for `UNDO_SECONDS`"""

    @cached_property
    def per_character(self) -> PerCharacter | None:
        """How its losses become bits per character; None where that is unknown.

        Without facts that is where it reads words, or has no symbol for some characters: its vocabulary is then as
        large as it may be, which its number of parameters tells.
        """
        if self.text_facts is not None:
            return self.text_facts.per_character
        limit = self.config.data.vocabulary_limit
        full = self.parameters is not None and self.parameters == parameter_count(self.config.model, limit)
        return None if self.config.data.level == "word" or full else PerCharacter()

    def bits(self, loss: float | None) -> float | None:
        """A loss on its text, in nats per token, as bits per character; None where either is unknown."""
        if loss is None or not math.isfinite(loss) or self.per_character is None:
            return None
        return float(self.per_character.bits(loss))

    @property
    def active(self) -> bool:
        """Whether the run trains, or will as soon as a worker is free."""
        return self.status in ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether the run can be resumed."""
        return self.status in RESUMABLE and not self.starter

    def may_be_changed_by(self, visitor: str) -> bool:
        """Whether `visitor` may command, rename, delete and restore it: the owner, or anyone if it has none."""
        return not self.starter and self.owner in ("", visitor)


@dataclass(frozen=True)
class Metric:
    """Training since the previous metric; `loss` is the mean over those steps."""

    step: int
    loss: float
    grad_norm: float
    clipped_norm: float
    learning_rate: float
    clip_threshold: float | None
    tokens_per_second: float
    seconds: float
    train_seconds: float


@dataclass(frozen=True)
class Evaluation:
    """A pass over the validation part, or over stretches spread over the whole of it."""

    step: int
    val_loss: float
    bits_per_character: float
    train_loss: float
    best: bool
    rising: bool
    seconds: float
    train_seconds: float
    tokens_read: int | None = None
    """tokens that were predicted; None in runs of an older Unrolled, which read all"""
    tokens_in_all: int | None = None
    """tokens that reading the whole validation part predicts"""

    @property
    def partial(self) -> bool:
        """Whether a part stands for the whole."""
        return self.tokens_read is not None and self.tokens_in_all is not None and self.tokens_read < self.tokens_in_all


@dataclass(frozen=True)
class SampleText:
    """A text that the model generated, and how much of it stands verbatim in the training text."""

    step: int
    prompt: str
    text: str
    verbatim_share: float
    longest_verbatim: int


@dataclass(frozen=True)
class RunChange:
    """A setting changed (`value`), or the run started, paused, resumed and so on (`text`)."""

    step: int
    key: str
    value: float | None = None
    text: str = ""
    when: float = 0.0


@dataclass(frozen=True)
class CheckpointInfo:
    """A stored checkpoint, without its bytes."""

    step: int
    full: bool
    bytes: int
    sha256: str
    created: float = 0.0


@dataclass(frozen=True)
class Finding:
    """A unit that was named: what it seems to track. Layers and units count from 0."""

    layer: int
    unit: int
    quantity: str
    """what of the unit is looked at, as a trace names it: "hidden", "cell", "forget" """
    name: str
    """empty where the name is to be removed"""
    hypothesis: str = ""
    """what its score was measured for"""
    score: float | None = None
    baseline: float | None = None
    """the score of what the unit must beat"""
    step: int = 0
    """the training step at which it was found"""
    created: float = 0.0

    @property
    def place(self) -> tuple[int, int]:
        """Layer and unit: there is one finding for each."""
        return self.layer, self.unit


@dataclass(frozen=True)
class Command:
    """What a visitor asks of the worker that trains `run`."""

    id: int
    run: str
    kind: str
    value: float | None
    actor: str = ""
    """who asked: `OWNER`, `ANYONE`, or "" for the app itself"""


def done_by(actor: str) -> str:
    """Who did it, for the end of a sentence: " by its owner"; empty for the app itself."""
    return f" by {actor}" if actor else ""


@dataclass(frozen=True)
class Storage:
    """How much the store holds, in bytes."""

    used: int
    """runs, texts and tables, including deleted runs that can still be restored"""
    limit: int
    """no run is started or imported above this"""
    free_disk: int | None = None
    """free space on the store's disk; None if the store is on another machine"""
    restorable: int = 0
    """the part of `used` that belongs to deleted runs"""

    @property
    def room(self) -> int:
        """What the store can hold in all: up to its limit, as far as the disk has space."""
        return self.limit if self.free_disk is None else min(self.limit, self.used + self.free_disk)

    @property
    def full(self) -> bool:
        """Whether nothing new may be started."""
        return self.used >= self.limit


Row = Metric | Evaluation | SampleText | RunChange


@dataclass(frozen=True)
class RunWrite:
    """What one transaction writes to one run: new rows, and columns of the run itself."""

    run: str
    rows: Sequence[Row] = ()
    columns: Mapping[str, Any] | None = None
    claim: int | None = None
    """the writer's claim number; None writes whoever owns the run"""


@dataclass(frozen=True)
class RunDelta:
    """A run and its rows newer than some version of it."""

    run: Run
    metrics: list[Metric]
    evaluations: list[Evaluation]
    samples: list[SampleText]
    changes: list[RunChange]
    checkpoints: list[CheckpointInfo] | None
    """all of them, since some may have been deleted; None if nothing has changed"""
    findings: list[Finding] | None = None
    """all of them, for the same reason"""
