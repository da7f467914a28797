"""The trainer's places for jobs, beside those for runs: each holds one worker, which computes one job."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from playground.runs.limits import job_too_long
from playground.runs.records import FAILED
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.dispatch import Claim
from playground.runs.trainer.memory import OomKills
from playground.runs.trainer.worker_process import KILL, WorkerProcess

log = logging.getLogger("unrolled.trainer")

OVERDUE_SECONDS = 2.0
"""How long after its time limit a job may end by itself."""

CANCEL_SECONDS = 1.0
"""How long a job that is not wanted any more may take to end by itself."""


@dataclass
class _Slot:
    """A job worker, and when it is killed unless it has ended."""

    worker: WorkerProcess
    due: float
    """by `time.perf_counter`"""
    killed: bool = False
    cause: str = ""
    """why it ended, as the middle of a sentence"""


class JobSlots:
    """Starts job workers, up to `settings.job_workers` at once, and kills those that are overdue or not wanted.

    Args:
        start: starts the worker of a claim
    """

    def __init__(self, store: Store, settings: AppSettings, start: Callable[[Claim], WorkerProcess]) -> None:
        self._store = store
        self._settings = settings
        self._start = start
        self._slots: dict[int, _Slot] = {}
        self._ended: list[_Slot] = []
        """slots whose worker has ended, and whose job is yet to be looked at in the store"""

    def claim(self, trainer: str) -> None:
        """Start the jobs that have waited longest, as many as there are free slots."""
        while len(self._slots) < self._settings.job_workers:
            claim = self._store.claim_job(trainer)
            if claim is None:
                return
            worker = self._start(claim)
            due = time.perf_counter() + self._settings.max_job_seconds + OVERDUE_SECONDS
            self._slots[worker.pid] = _Slot(worker, due)
            log.info("Worker %d computes job %s.", worker.pid, ", ".join(claim.numbers))

    def drop_unwanted(self) -> None:
        """Give the workers of jobs that were cancelled a last moment. Call it when the store has changed."""
        if not self._slots:
            return
        claims = {job: number for slot in self._slots.values() for job, number in slot.worker.claim.numbers.items()}
        held = self._store.held_jobs(claims)
        last = time.perf_counter() + CANCEL_SECONDS
        for slot in self._slots.values():
            if held.isdisjoint(slot.worker.claim.numbers):
                slot.due = min(slot.due, last)

    def reap(self, oom_kills: OomKills) -> bool:
        """Kill what is due, and queue jobs again whose worker has ended too early; whether a slot has become free."""
        free = False
        for pid, slot in list(self._slots.items()):
            status = slot.worker.exit_status()
            if status is None:
                self._kill_if_due(slot)
                continue
            del self._slots[pid]
            free = True
            slot.cause = slot.worker.cause_of_end(status, oom_kills)
            self._ended.append(slot)
        while self._ended:
            self._conclude(self._ended[0])
            del self._ended[0]
        return free

    def end(self) -> None:
        """Kill all workers; their jobs wait again, as before they were begun."""
        for slot in self._slots.values():
            slot.worker.send_signal(KILL)
            self._store.requeue_jobs(slot.worker.claim.numbers, "the app was closed", counted=False)

    def _kill_if_due(self, slot: _Slot) -> None:
        if not slot.killed and time.perf_counter() >= slot.due:
            slot.killed = True
            log.warning("Worker %d did not end its job in time and is killed.", slot.worker.pid)
            slot.worker.send_signal(KILL)

    def _conclude(self, slot: _Slot) -> None:
        """Have the job computed again if its worker has left it unfinished; one whose time was up has failed."""
        claims = slot.worker.claim.numbers
        if slot.killed:
            for job, number in claims.items():
                self._store.end_job(job, number, FAILED, message=job_too_long(self._settings))
            return
        again = self._store.requeue_jobs(claims, slot.cause)
        if again:
            log.warning("Left unfinished: job %s, because %s.", ", ".join(again), slot.cause)
