"""The limits of one installation, checked before a run is created."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import Config
from playground.runs.records import ACTIVE, LimitError, Run, Storage
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.dispatch import QueueState
from playground.text import duration, number, size

NEAR_LIMIT = 0.8
"""From this share of a limit on, it is shown without being asked for."""


def check_config(
    settings: AppSettings, config: Config, parameters: int | None = None, memory_bytes: int | None = None
) -> None:
    """Refuse a config that is too large here.

    Args:
        parameters: those of its model, if known
        memory_bytes: what it will need while it trains (`engine.training.estimate`), if known

    Raises:
        LimitError: says which limit, and what to change
    """
    training = config.training
    if training.seconds > settings.max_seconds:
        raise LimitError(
            f"{training.seconds:,.0f} seconds are more than the {settings.max_seconds:,.0f} allowed here "
            "(UNROLLED_MAX_SECONDS): choose a shorter time."
        )
    if not training.seconds and training.steps > settings.max_steps:
        raise LimitError(
            f"{training.steps:,} steps are more than the {settings.max_steps:,} allowed here (UNROLLED_MAX_STEPS): "
            "choose fewer."
        )
    if parameters is not None and parameters > settings.max_parameters:
        raise LimitError(
            f"{parameters:,} parameters are more than the {settings.max_parameters:,} allowed here "
            "(UNROLLED_MAX_PARAMETERS): use fewer units or layers."
        )
    if memory_bytes is not None and memory_bytes > settings.max_memory_bytes:
        raise LimitError(
            f"{size(memory_bytes)} of memory are more than the {size(settings.max_memory_bytes)} allowed here for one "
            "model (UNROLLED_MAX_MEMORY_MB): use fewer units or layers, a shorter sequence or a smaller batch."
        )


def check_extension(settings: AppSettings, run: Run, steps: int) -> None:
    """Refuse to let a run that has ended go on for `steps` more if runs may not be so long. Raises LimitError."""
    if run.step + steps > settings.max_steps:
        raise LimitError(
            f"{run.name} would have {run.step + steps:,} steps; {settings.max_steps:,} are allowed here "
            "(UNROLLED_MAX_STEPS)."
        )


def check_quota(settings: AppSettings, store: Store, owner: str, runs: int = 1) -> None:
    """Refuse `runs` more runs of `owner` if too many runs of theirs or of everybody's wait, or the store is full.

    Raises:
        LimitError: says which limit, and what to do
    """
    state = store.queue_state()
    idle = max(0, state.workers - state.busy - len(state.waiting))
    if len(state.waiting) + runs > settings.max_queue + idle:
        raise LimitError(
            f"The queue is full: {len(state.waiting):,} runs are waiting, and {settings.max_queue:,} are allowed here "
            "(UNROLLED_MAX_QUEUE). Try again when some have finished."
        )
    active = _active_runs(store, owner)
    if active + runs > settings.max_runs_per_visitor:
        raise LimitError(
            f"You have {active} runs training or queued; each visitor may have {settings.max_runs_per_visitor} here "
            "(UNROLLED_MAX_RUNS_PER_VISITOR). Stop one, or wait until one has finished."
        )
    store.check_capacity()


def check_job_quota(settings: AppSettings, store: Store, owner: str) -> None:
    """Refuse one more job of `owner` if too many jobs of theirs or of everybody's wait.

    Raises:
        LimitError: says which limit, and what to do
    """
    waiting = store.open_jobs()
    if waiting >= settings.max_job_queue:
        raise LimitError(
            f"The queue is full: {waiting:,} analyses are waiting, and {settings.max_job_queue:,} are allowed here "
            "(UNROLLED_MAX_JOB_QUEUE). Try again when some have finished."
        )
    mine = store.open_jobs(owner) if owner else 0
    if mine >= settings.max_jobs_per_visitor:
        raise LimitError(
            f"You have {mine} analyses running or queued; each visitor may have {settings.max_jobs_per_visitor} here "
            "(UNROLLED_MAX_JOBS_PER_VISITOR). Cancel one, or wait until one has finished."
        )


def job_too_long(settings: AppSettings) -> str:
    """Why a job was ended before it was done."""
    return (
        f"The analysis took longer than the {settings.max_job_seconds:,.0f} seconds allowed here "
        "(UNROLLED_MAX_JOB_SECONDS): ask for less, or try again when other runs have finished."
    )


@dataclass(frozen=True)
class LimitUsage:
    """How much of this installation's limits one visitor uses."""

    settings: AppSettings
    queue: QueueState
    storage: Storage
    active: int
    """runs of the visitor that train or wait"""

    def summary(self) -> str:
        """One line for beside the button that starts a run: the limits that it is near or beyond; "" for none."""
        settings, storage = self.settings, self.storage
        words = []
        ahead = self.queue.busy + len(self.queue.waiting) - self._workers
        if ahead >= 0:
            words.append(
                f"{self.queue.busy} of {self._workers} workers are busy: a run started now would be number "
                f"{ahead + 1} in the queue"
            )
        if self.active >= NEAR_LIMIT * settings.max_runs_per_visitor:
            words.append(f"{self.active} of your {settings.max_runs_per_visitor} runs training or queued")
        if storage.full:
            words.append(f"the store is full ({size(storage.limit)}): delete runs first")
        elif storage.used >= NEAR_LIMIT * storage.limit:
            words.append(f"{size(storage.limit - storage.used)} of storage left")
        return "; ".join(words) + "." if words else ""

    def details(self) -> str:
        """Every limit and how much of it is used, one sentence each."""
        settings, queue = self.settings, self.queue
        return (
            f"A run may have up to {number(settings.max_steps)} steps or {duration(settings.max_seconds)}. A model "
            f"may have up to {number(settings.max_parameters)} parameters and use up to "
            f"{size(settings.max_memory_bytes)} of memory during training. {queue.busy} of {self._workers} workers "
            f"are busy; {len(queue.waiting)} runs of at most {number(settings.max_queue)} are queued. You have "
            f"{self.active} of at most {settings.max_runs_per_visitor} runs training or queued. "
            f"{describe_storage(self.storage)}"
        )

    @property
    def _workers(self) -> int:
        return self.queue.workers or self.settings.workers


def limit_usage(settings: AppSettings, store: Store, owner: str = "") -> LimitUsage:
    """What `owner` uses now."""
    return LimitUsage(settings, store.queue_state(), store.storage(), _active_runs(store, owner))


def _active_runs(store: Store, owner: str) -> int:
    """Runs of that owner that train or wait; runs without an owner count for nobody."""
    return store.count(owner=owner, status=ACTIVE) if owner else 0


def describe_storage(storage: Storage) -> str:
    """How full the store is, and what happens at its limit."""
    words = f"The store holds {size(storage.used)} of {size(storage.limit)}"
    if storage.restorable:
        words += f", {size(storage.restorable)} of it in deleted runs"
    if storage.full:
        return f"{words}: no run can be started or imported until some are deleted."
    if storage.free_disk is not None and storage.free_disk < storage.limit - storage.used:
        words += f"; {size(storage.free_disk)} are free on its disk"
    return f"{words}. When it is full, no run can be started or imported until some are deleted."
