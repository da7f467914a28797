"""What one installation allows, checked before a run is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.config import Config
from playground.runs.dispatch import QueueState
from playground.runs.records import ACTIVE, LimitError, Storage
from playground.runs.settings import Settings
from playground.runs.store import Store
from playground.text import duration, number, size

NEAR = 0.8
"""From this share of a limit on, it is said without being asked."""


def check_config(
    settings: Settings, config: Config, parameters: int | None = None, memory_bytes: int | None = None
) -> None:
    """Refuse a config that is too large here.

    Args:
        parameters: those of its model, where they are known
        memory_bytes: what it will need while it trains (`engine.training.estimate`), where that is known

    Raises:
        LimitError: says which limit, and what to change
    """
    training = config.training
    if training.seconds > settings.max_seconds:
        raise LimitError(
            f"{training.seconds:,.0f} seconds are more than the {settings.max_seconds:,.0f} allowed here "
            "(UNROLLED_MAX_SECONDS): plan for less."
        )
    if not training.seconds and training.steps > settings.max_steps:
        raise LimitError(
            f"{training.steps:,} steps are more than the {settings.max_steps:,} allowed here "
            "(UNROLLED_MAX_STEPS): plan for fewer."
        )
    if parameters is not None and parameters > settings.max_parameters:
        raise LimitError(
            f"{parameters:,} parameters are more than the {settings.max_parameters:,} allowed here "
            "(UNROLLED_MAX_PARAMETERS): take fewer units or layers."
        )
    if memory_bytes is not None and memory_bytes > settings.max_memory_bytes:
        raise LimitError(
            f"{size(memory_bytes)} of memory are more than the {size(settings.max_memory_bytes)} allowed here for one "
            "model (UNROLLED_MAX_MEMORY_MB): take fewer units or layers, a shorter chunk or fewer streams."
        )


def check_room(settings: Settings, store: Store, owner: str, runs: int = 1) -> None:
    """Refuse `runs` more runs of `owner` where too many of them, or of everybody's, wait already, or the store is full.

    Raises:
        LimitError: says which limit, and what to do
    """
    state = store.queue_state()
    idle = max(0, state.workers - state.busy - len(state.waiting))
    if len(state.waiting) + runs > settings.max_queue + idle:
        raise LimitError(
            f"{len(state.waiting):,} runs are waiting already, and {settings.max_queue:,} may here "
            "(UNROLLED_MAX_QUEUE): try again when some have ended."
        )
    mine = _going(store, owner)
    if mine + runs > settings.max_runs_per_visitor:
        raise LimitError(
            f"You have {mine} runs training or waiting, and a visitor may have {settings.max_runs_per_visitor} here "
            "(UNROLLED_MAX_RUNS_PER_VISITOR): stop one, or let one end."
        )
    store.refuse_full()


def check_new(settings: Settings, store: Store, configs: Sequence[Config], owner: str) -> None:
    """All checks for runs about to be made together. Raises LimitError."""
    for config in configs:
        check_config(settings, config)
    check_room(settings, store, owner, len(configs))


@dataclass(frozen=True)
class Standing:
    """How near one visitor is to the limits of this installation, at one moment."""

    settings: Settings
    queue: QueueState
    held: Storage
    mine: int
    """runs of the visitor that train or wait"""

    def in_words(self) -> str:
        """One short line for beside the button that starts a run: how large it may be, and what is near its limit."""
        settings, held = self.settings, self.held
        words = [
            f"Up to {number(settings.max_steps)} steps, {number(settings.max_parameters)} parameters and "
            f"{size(settings.max_memory_bytes)} of memory",
            f"{self.queue.busy} of {self._workers} workers busy",
        ]
        if self.queue.waiting:
            words[-1] += f", {len(self.queue.waiting)} waiting"
        if self.mine >= NEAR * settings.max_runs_per_visitor:
            words.append(f"{self.mine} of your {settings.max_runs_per_visitor} runs going")
        if held.full:
            words.append(f"the store is full ({size(held.limit)}): delete runs first")
        elif held.used >= NEAR * held.limit:
            words.append(f"{size(held.limit - held.used)} left in the store")
        return "; ".join(words) + "."

    def all_in_words(self) -> str:
        """Every limit and how near it is, one sentence each."""
        settings, queue = self.settings, self.queue
        return (
            f"A run has up to {number(settings.max_steps)} steps or {duration(settings.max_seconds)}. "
            f"A model has up to {number(settings.max_parameters)} parameters and takes up to "
            f"{size(settings.max_memory_bytes)} of memory while it trains. "
            f"{queue.busy} of {self._workers} workers are busy; {len(queue.waiting)} runs of at most "
            f"{number(settings.max_queue)} wait for one. "
            f"You have {self.mine} of at most {settings.max_runs_per_visitor} runs training or waiting. "
            f"{storage_in_words(self.held)}"
        )

    @property
    def _workers(self) -> int:
        return self.queue.workers or self.settings.workers


def standing(settings: Settings, store: Store, owner: str = "") -> Standing:
    """Where `owner` stands now."""
    return Standing(settings, store.queue_state(), store.storage(), _going(store, owner))


def _going(store: Store, owner: str) -> int:
    """Runs of that owner that train or wait; nobody's are counted against nobody."""
    return store.count(owner=owner, status=ACTIVE) if owner else 0


def storage_in_words(held: Storage) -> str:
    """How full the store is, and what happens at its limit."""
    said = f"The store holds {size(held.used)} of {size(held.limit)}"
    if held.restorable:
        said += f", {size(held.restorable)} of it in deleted runs"
    if held.full:
        return f"{said}: no run is started or brought in until some are deleted."
    if held.free_disk is not None and held.free_disk < held.limit - held.used:
        said += f"; its disk has {size(held.free_disk)} left"
    return f"{said}. When it is full, no run is started or brought in until some are deleted."
