"""The trainer: claims waiting runs and jobs in the store and gives each a worker process.

It imports torch once and computes nothing with it, so that a worker can be forked from it in milliseconds (a process
that has used OpenMP or CUDA cannot be forked safely). Where forking itself is unsafe (macOS, Windows) workers are
spawned as fresh processes. Database connections are closed before each fork: SQLite's locks belong to a process.

It marks the runs of dead workers and dead trainers as interrupted, and ends those that hang. With `--app` it ends
when that process does; its workers save and end with it.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from engine.training import optimizers
from playground.runs.jobs.registry import load_kinds
from playground.runs.records import StoreError, StoreFullError
from playground.runs.settings import AppSettings
from playground.runs.store import Store, disk
from playground.runs.store.dispatch import Claim
from playground.runs.trainer import memory, processes
from playground.runs.trainer.job_slots import JobSlots
from playground.runs.trainer.polling import ChangeDetector
from playground.runs.trainer.watchdog import Watchdog
from playground.runs.trainer.worker_process import KILL, WorkerProcess, fork, spawn

log = logging.getLogger("unrolled.trainer")

TICK_SECONDS = 0.02
"""Time between two checks of the queue."""

HEARTBEAT_SECONDS = 1.0
"""Time between two heartbeats, and between two checks for dead trainers."""

DEAD_AFTER_SECONDS = 2.5
"""A trainer on this machine whose process has ended is removed after this time, in which its workers save."""

TIMEOUT_SECONDS = 30.0
"""A trainer without a heartbeat for so long is considered dead; on this machine it is killed."""

HUNG_SECONDS = 180.0
"""A worker that has used no processor time for so long hangs and is killed; its run can be resumed."""

MAX_TICK_SECONDS = 15.0
"""Longest tick of a busy trainer: as long as it waits for the store, and a little more. After a longer one the
machine has slept."""

ORPHAN_SECONDS = 15.0
"""Workers that have not ended so long after their trainer are killed."""

PURGE_SECONDS = 60.0
"""Time between two removals of deleted runs."""

SAVE_SECONDS = 8.0
"""How long workers may take to save when the trainer ends."""

_CLOSED = "the app was closed"


class Trainer:
    """Claims runs and supervises their workers, up to `settings.workers` at once.

    Args:
        app: end when this process does
        fork: whether workers are forked; by default where that is safe
        heartbeat: called several times a second, as a sign of life
    """

    def __init__(
        self,
        store: Store,
        settings: AppSettings,
        app: int | None = None,
        fork: bool | None = None,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.app = app
        self._app_started = processes.start_time(app) if app is not None else 0.0
        self.fork = sys.platform == "linux" if fork is None else fork
        self.id = ""
        self.end_requested = False
        self._heartbeat = heartbeat
        self._workers: dict[int, WorkerProcess] = {}
        self._ended_claims: list[tuple[Mapping[str, int], str]] = []
        """claims whose worker has ended, and why; yet to be marked in the store"""
        self._orphan_groups: list[tuple[float, int]] = []
        """dead trainers' process groups, each with the time at which its remaining workers are killed"""
        self._worker_watchdog: Watchdog[int] = Watchdog(max_step=MAX_TICK_SECONDS)
        self._trainer_watchdog: Watchdog[str] = Watchdog()
        self._oom_kills = memory.OomKills()
        self._reserve = disk.ReserveFile(store.url)
        self._purge_due = 0.0
        self._last_error = ""
        self._detector = ChangeDetector(store)
        self._queue_changed = True
        self._jobs = JobSlots(store, settings, self._start_job)

    def run(self) -> None:
        """Train and compute what waits until told to end, or until the app has ended."""
        self.store.trainers()  # fails at once if the store cannot be opened
        self.store.close()
        warm_up()
        heartbeat_due = 0.0
        try:
            while not self.end_requested and self._app_alive():
                now = time.perf_counter()
                if now >= heartbeat_due:
                    heartbeat_due = now + HEARTBEAT_SECONDS
                    self._try(self._send_heartbeat)
                    self._end_hung_workers()
                self._try(self._reap)
                self._try(self._look_at_queue)
                time.sleep(TICK_SECONDS)
        finally:
            self._end_workers()

    def end(self, *_: object) -> None:
        """End at the next tick (a signal handler)."""
        self.end_requested = True

    def _try(self, operation: Callable[[], object]) -> None:
        """Survive a store that fails for a while (full, locked, unreachable)."""
        self._heartbeat()
        try:
            operation()
            self._last_error = ""
        except StoreError as error:
            if str(error) != self._last_error:  # once: the log may be on the same full disk
                log.error("%s", error)
            self._last_error = str(error)
            self._queue_changed = True
            self._detector.close()
            self.store.close()  # a connection that was opened while the disk was read-only stays read-only
            time.sleep(HEARTBEAT_SECONDS)

    def _app_alive(self) -> bool:
        if self.app is None:
            return True
        if os.name == "posix" and os.getppid() == self.app:
            return True
        return processes.is_alive(self.app, self._app_started)

    def _send_heartbeat(self) -> None:
        """Write that this trainer is alive, and remove those that are not."""
        if not self.id or not self.store.heartbeat(self.id):  # another trainer considered this one dead
            started = processes.start_time(os.getpid())
            self.id = self.store.register_trainer(os.getpid(), processes.host(), started, self.settings.workers)
            log.info("Trainer %s serves %s with %d workers.", self.id, self.store.url, self.settings.workers)
        self._queue_changed = True
        self._oom_kills.poll()
        self._remove_dead_trainers()
        self._reserve.allocate()
        now = time.perf_counter()
        if now >= self._purge_due:
            self._purge_due = now + PURGE_SECONDS
            self.store.purge()

    def _remove_dead_trainers(self) -> None:
        """Remove trainers whose process has ended or that have had no heartbeat for too long; mark their runs.

        Called only after this trainer's own heartbeat could be written: while none can, a missing one means nothing.
        """
        here, now = processes.host(), time.time()
        others = [other for other in self.store.trainers() if other.id != self.id]
        silence = self._trainer_watchdog.observe({other.id: other.heartbeat for other in others})
        for other in others:
            self._heartbeat()
            ended = other.host == here and not processes.is_alive(other.pid, other.started)
            if ended and max(now - other.heartbeat, silence[other.id]) > DEAD_AFTER_SECONDS:
                cause = "its trainer ended unexpectedly"
            elif silence[other.id] > TIMEOUT_SECONDS:
                cause = "its trainer stopped responding"
            else:
                continue
            if other.host == here:
                processes.kill(other.pid, other.started)
                self._orphan_groups.append((time.perf_counter() + ORPHAN_SECONDS, other.pid))
            self._log_interrupted(self.store.remove_trainer(other.id, _sentence(cause)))
        for lost in self.store.unregistered_trainers():
            self._log_interrupted(self.store.remove_trainer(lost, _sentence("its trainer was lost")))

    def _end_hung_workers(self) -> None:
        """Kill a worker that does nothing any more, and workers whose trainer died long ago.

        One at a time: the others may only be waiting for what it holds, such as the store's lock.
        """
        silence = self._worker_watchdog.observe({pid: processes.cpu_seconds(pid) for pid in self._workers})
        stuck = [pid for pid, worker in self._workers.items() if silence[pid] > HUNG_SECONDS and not worker.cause]
        if stuck:
            pid = max(stuck, key=lambda pid: (processes.is_stopped(pid), silence[pid]))
            cause = f"its process did not respond for {HUNG_SECONDS:.0f} seconds and was ended"
            self._workers[pid].cause = cause
            log.warning("Worker %d hangs and is killed.", pid)
            self._workers[pid].send_signal(KILL)
            self._worker_watchdog.reset()
        now = time.perf_counter()
        for due, leader in list(self._orphan_groups):
            if now >= due:
                self._orphan_groups.remove((due, leader))
                killed = processes.kill_process_group(leader)
                if killed:
                    log.warning("Killed the remaining workers of trainer process %d: %s.", leader, killed)

    def _log_interrupted(self, run_ids: Sequence[str]) -> None:
        if run_ids:
            log.warning("Interrupted: %s.", ", ".join(run_ids))

    # ---- workers

    def _look_at_queue(self) -> None:
        """Start what waits, if anybody has written to the store since the last look, or a worker has ended."""
        if not self.id or not (self._queue_changed or self._detector.changed()):
            return
        self._queue_changed = False
        self._jobs.drop_unwanted()
        self._claim_runs()
        self._jobs.claim(self.id)

    def _claim_runs(self) -> None:
        while len(self._workers) < self.settings.workers:
            claim = self.store.claim(self.id)
            if claim is None:
                return
            self._start(claim)

    def _start(self, claim: Claim) -> None:
        def work(trainer: int) -> None:
            from playground.runs.trainer.worker import run_worker

            run_worker(self.store, claim, self.settings, trainer)

        worker = self._process(claim, work, "playground.runs.trainer.worker")
        self._workers[worker.pid] = worker
        log.info("Worker %d trains %s.", worker.pid, ", ".join(claim.numbers))

    def _start_job(self, claim: Claim) -> WorkerProcess:
        def work(trainer: int) -> None:
            from playground.runs.trainer.job_worker import run_job_worker

            run_job_worker(self.store, claim, self.settings, trainer)

        return self._process(claim, work, "playground.runs.trainer.job_worker")

    def _process(self, claim: Claim, work: Callable[[int], None], module: str) -> WorkerProcess:
        """A process that does this `work`: forked, or spawned from the `module` that does it."""
        if not self.fork:
            return spawn(claim, self.settings, module)
        self._detector.close()
        self.store.close()
        return fork(claim, work)

    def _reap(self) -> None:
        self._queue_changed |= self._jobs.reap(self._oom_kills)
        for pid, worker in list(self._workers.items()):
            status = worker.exit_status()
            if status is None:
                continue
            del self._workers[pid]
            self._queue_changed = True
            if status == 0:
                log.info("Worker %d has ended.", pid)
            else:
                log.warning("Worker %d ended with status %d.", pid, status)
            cause = worker.cause_of_end(status, self._oom_kills)
            self._ended_claims.append((worker.claim.numbers, _sentence(cause)))
        while self._ended_claims:
            self._heartbeat()
            self._interrupt(*self._ended_claims[0])
            del self._ended_claims[0]

    def _interrupt(self, claims: Mapping[str, int], reason: str) -> None:
        """Mark runs as interrupted, in the reserve's space if there is no other."""
        try:
            marked = self.store.interrupt(claims, reason)
        except StoreFullError:
            if not self._reserve.release():
                raise
            marked = self.store.interrupt(claims, reason)
        self._log_interrupted(marked)

    def _end_workers(self) -> None:
        """Let the workers save and end; kill those that do not; remove this trainer."""
        for worker in self._workers.values():
            worker.cause = worker.cause or _CLOSED  # it may not have come so far that it hears the signal
            worker.send_signal(signal.SIGTERM)
        self._try(self._jobs.end)
        end = time.perf_counter() + SAVE_SECONDS
        while self._workers and time.perf_counter() < end:
            self._try(self._reap)
            time.sleep(TICK_SECONDS)
        for worker in self._workers.values():
            worker.send_signal(KILL)
        try:
            if self.id:
                self.store.remove_trainer(self.id, _sentence(_CLOSED))
        except StoreError as error:
            log.error("%s", error)
        self._detector.close()
        self.store.close()
        log.info("Trainer %s has ended.", self.id)


def warm_up() -> None:
    """Import all that a worker needs, without computing: an import done here delays no run and no job."""
    optimizers.preload()
    load_kinds()
    gc.collect()
    gc.freeze()  # keeps collections in workers from copying the shared pages


def _sentence(cause: str) -> str:
    return f"Interrupted: {cause}. Resume continues from the last full checkpoint."
