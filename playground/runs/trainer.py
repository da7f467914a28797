"""The trainer: takes waiting runs from the store and gives each a worker process.

    python -m playground.runs.trainer [--app PID]

It imports torch once and computes nothing with it, so that a worker can be forked from it in
milliseconds (a process that has used OpenMP or CUDA cannot be forked safely). Where forking itself is
not safe (macOS, Windows) it starts workers as processes of their own. Its database connections are
closed before each fork: SQLite's locks belong to a process.

It marks the runs of dead workers and dead trainers as interrupted, and ends those that hang. With `--app` it ends
when that process does; its workers save and end with it.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.training import optimizers
from playground.runs import disk, memory, processes
from playground.runs.dispatch import Claim
from playground.runs.listening import ChangeDetector
from playground.runs.records import StoreError, StoreFullError
from playground.runs.settings import ROOT, Settings, SettingsError
from playground.runs.store import Store
from playground.runs.watchdog import Watchdog

log = logging.getLogger("unrolled.trainer")

TICK_SECONDS = 0.02
"""Time between two looks at the queue."""

BEAT_SECONDS = 1.0
"""Time between two signs of life, and two looks for dead trainers."""

DEAD_AFTER_SECONDS = 2.5
"""A trainer on this machine whose process is gone is struck off after this: its workers save meanwhile."""

SILENT_AFTER_SECONDS = 30.0
"""A trainer that gives no sign of life for so long is taken for dead on another machine, and ended on this one."""

HUNG_SECONDS = 180.0
"""A worker that has used no processor time for so long is ended: it is stuck, and its run can be resumed."""

LONGEST_TICK_SECONDS = 15.0
"""Most that a tick of a busy trainer takes: as long as it waits for the store, and a little. Who looks less often
has slept."""

LEFT_BEHIND_SECONDS = 15.0
"""Workers that have not ended so long after their trainer are ended."""

PURGE_SECONDS = 60.0
"""Time between two looks for deleted runs that can be removed for good."""

PATIENCE_SECONDS = 8.0
"""How long workers may take to save when the trainer ends."""


_KILL = signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM


@dataclass
class _Working:
    """A worker process and what it has."""

    claim: Claim
    process: subprocess.Popen | None
    """None where it was forked"""
    cause: str = ""
    """why this trainer ended it, if it did"""


class Trainer:
    """Claims runs and looks after their workers, up to `settings.workers` at once.

    Args:
        app: end when this process does
        fork: whether workers are forked; by default where that is safe
        sign: called several times a second, as a sign of life
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        app: int | None = None,
        fork: bool | None = None,
        sign: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.app = app
        self._app_started = processes.start_time(app) if app is not None else 0.0
        self.fork = sys.platform == "linux" if fork is None else fork
        self.id = ""
        self.ending = False
        self._sign = sign
        self._workers: dict[int, _Working] = {}
        self._gone: list[tuple[Mapping[str, int], str]] = []
        """claims whose worker has ended, and why; yet to be said in the store"""
        self._left_behind: list[tuple[float, int]] = []
        """dead trainers, each with the time from which none of its workers may be there any more"""
        self._silence_of_workers: Watchdog[int] = Watchdog(longest_step=LONGEST_TICK_SECONDS)
        self._silence_of_trainers: Watchdog[str] = Watchdog()
        self._kills = memory.SystemKills()
        self._reserve = disk.Reserve(store.url)
        self._purge_due = 0.0
        self._trouble = ""
        self._detector = ChangeDetector(store)
        self._look_again = True

    def run(self) -> None:
        """Look after runs until told to end, or until the app has ended."""
        self.store.trainers()  # a store that cannot be opened is said at once
        self.store.close()
        warm_up()
        beat_due = 0.0
        try:
            while not self.ending and self._app_alive():
                now = time.perf_counter()
                if now >= beat_due:
                    beat_due = now + BEAT_SECONDS
                    self._try(self._beat)
                    self._end_the_stuck()
                self._try(self._reap)
                self._try(self._claim_runs)
                time.sleep(TICK_SECONDS)
        finally:
            self._end_workers()

    def end(self, *_: object) -> None:
        """End at the next tick (a signal handler)."""
        self.ending = True

    def _try(self, what: Callable[[], object]) -> None:
        """A store that fails for a while (full, locked, away) must not end the trainer."""
        self._sign()
        try:
            what()
            self._trouble = ""
        except StoreError as error:
            if str(error) != self._trouble:  # once: the log may be on the same full disk
                log.error("%s", error)
            self._trouble = str(error)
            self._look_again = True
            self._detector.close()
            self.store.close()  # a connection that was opened while the disk was read-only stays read-only
            time.sleep(BEAT_SECONDS)

    def _app_alive(self) -> bool:
        if self.app is None:
            return True
        if os.name == "posix" and os.getppid() == self.app:
            return True
        return processes.is_alive(self.app, self._app_started)

    def _beat(self) -> None:
        """Say that this trainer is there, and see who is not."""
        if not self.id or not self.store.beat(self.id):  # another trainer took this one for dead
            started = processes.start_time(os.getpid())
            self.id = self.store.register(os.getpid(), processes.host(), started, self.settings.workers)
            log.info("Trainer %s looks after %s with %d workers.", self.id, self.store.url, self.settings.workers)
        self._look_again = True
        self._kills.look()
        self._strike_off_the_dead()
        self._reserve.lay()
        now = time.perf_counter()
        if now >= self._purge_due:
            self._purge_due = now + PURGE_SECONDS
            self.store.purge()

    def _strike_off_the_dead(self) -> None:
        """Mark the runs of trainers that are gone, or have given no sign of life for too long.

        Called only when this trainer's own sign could be written: while nobody's can, nobody is judged.
        """
        here, now = processes.host(), time.time()
        others = [other for other in self.store.trainers() if other.id != self.id]
        silence = self._silence_of_trainers.look({other.id: other.heartbeat for other in others})
        for other in others:
            self._sign()
            gone = other.host == here and not processes.is_alive(other.pid, other.started)
            if gone and max(now - other.heartbeat, silence[other.id]) > DEAD_AFTER_SECONDS:
                cause = "its trainer ended unexpectedly"
            elif silence[other.id] > SILENT_AFTER_SECONDS:
                cause = "its trainer hung and was given up"
            else:
                continue
            if other.host == here:
                processes.kill(other.pid, other.started)
                self._left_behind.append((time.perf_counter() + LEFT_BEHIND_SECONDS, other.pid))
            self._say_interrupted(self.store.strike_off(other.id, _sentence(cause)))
        for unknown in self.store.forsaken():
            self._say_interrupted(self.store.strike_off(unknown, _sentence("its trainer was lost")))

    def _end_the_stuck(self) -> None:
        """End a worker that does nothing any more, and workers whose trainer is long dead.

        One at a time: the others may only wait for what it holds, such as the store's lock.
        """
        silence = self._silence_of_workers.look({pid: processes.cpu_seconds(pid) for pid in self._workers})
        stuck = [pid for pid, working in self._workers.items() if silence[pid] > HUNG_SECONDS and not working.cause]
        if stuck:
            pid = max(stuck, key=lambda pid: (processes.is_stopped(pid), silence[pid]))
            cause = f"its process gave no sign of life for {HUNG_SECONDS:.0f} seconds and was ended"
            self._workers[pid].cause = cause
            log.warning("Worker %d hangs and is ended.", pid)
            _send(pid, _KILL)
            self._silence_of_workers.forgive()
        now = time.perf_counter()
        for due, leader in list(self._left_behind):
            if now >= due:
                self._left_behind.remove((due, leader))
                killed = processes.end_left_behind(leader)
                if killed:
                    log.warning("Ended what trainer process %d left behind: %s.", leader, killed)

    def _say_interrupted(self, run_ids: Sequence[str]) -> None:
        if run_ids:
            log.warning("Interrupted: %s.", ", ".join(run_ids))

    # ---- workers

    def _claim_runs(self) -> None:
        if not self.id or len(self._workers) >= self.settings.workers:
            return
        if not (self._look_again or self._detector.changed()):
            return
        self._look_again = False
        while len(self._workers) < self.settings.workers:
            claim = self.store.claim(self.id)
            if claim is None:
                return
            self._start(claim)

    def _start(self, claim: Claim) -> None:
        if self.fork:
            pid = self._forked(claim)
            self._workers[pid] = _Working(claim, None)
        else:
            process = self._spawned(claim)
            pid = process.pid
            self._workers[pid] = _Working(claim, process)
        log.info("Worker %d trains %s.", pid, ", ".join(claim.numbers))

    def _forked(self, claim: Claim) -> int:
        self._detector.close()
        self.store.close()
        sys.stdout.flush()
        sys.stderr.flush()
        trainer = os.getpid()
        # a signal between the fork and the worker's own handlers must not reach the trainer's
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            return pid
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            os.dup2(2, 1)  # what is written to the trainer's output is the trainer's sign of life
            from playground.runs.worker import run_worker

            run_worker(self.store, claim, self.settings, trainer)
            code = 0
        except BaseException:
            log.exception("The worker failed.")
        finally:
            os._exit(code)  # nothing of the trainer's may be cleaned up twice

    def _spawned(self, claim: Claim) -> subprocess.Popen:
        runs = [f"{run}:{number}" for run, number in claim.numbers.items()]
        command = [sys.executable, "-m", "playground.runs.worker", "--trainer", str(os.getpid()), "--id", self.id]
        return subprocess.Popen(
            [*command, *runs], cwd=ROOT, env=self.settings.to_environment(), stdin=subprocess.DEVNULL, stdout=2
        )

    def _reap(self) -> None:
        for pid, working in list(self._workers.items()):
            status = _status(pid, working.process)
            if status is None:
                continue
            del self._workers[pid]
            self._look_again = True
            if status == 0:
                log.info("Worker %d has ended.", pid)
            else:
                log.warning("Worker %d ended with status %d.", pid, status)
            cause = working.cause or _cause(status, self._kills)
            self._gone.append((working.claim.numbers, _sentence(cause)))
        while self._gone:
            self._sign()
            self._mark(*self._gone[0])
            del self._gone[0]

    def _mark(self, claims: Mapping[str, int], reason: str) -> None:
        """Mark runs as interrupted, with the reserve's space if there is no other."""
        try:
            marked = self.store.interrupt(claims, reason)
        except StoreFullError:
            if not self._reserve.give_up():
                raise
            marked = self.store.interrupt(claims, reason)
        self._say_interrupted(marked)

    def _end_workers(self) -> None:
        """Let the workers save and end; end those that do not; forget this trainer."""
        for pid in self._workers:
            _send(pid, signal.SIGTERM)
        end = time.perf_counter() + PATIENCE_SECONDS
        while self._workers and time.perf_counter() < end:
            self._try(self._reap)
            time.sleep(TICK_SECONDS)
        for pid in self._workers:
            _send(pid, _KILL)
        try:
            if self.id:
                self.store.strike_off(self.id, _sentence("the app was closed"))
        except StoreError as error:
            log.error("%s", error)
        self._detector.close()
        self.store.close()
        log.info("Trainer %s has ended.", self.id)


def warm_up() -> None:
    """Load all that a worker needs, computing nothing: an import here is one that no click waits for."""
    optimizers.preload()
    gc.collect()
    gc.freeze()  # collections in workers leave the shared pages alone


def _status(pid: int, process: subprocess.Popen | None) -> int | None:
    """How a worker ended (below zero: by that signal); None while it runs."""
    if process is not None:
        return process.poll()
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 1
    return None if found == 0 else os.waitstatus_to_exitcode(status)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.info("Worker %d had ended already.", pid)


def _cause(status: int, kills: memory.SystemKills) -> str:
    if status == -9:
        return kills.explain()
    if status < 0:
        return f"its process was ended by signal {-status}"
    return "its process ended unexpectedly; the trainer's log may say why"


def _sentence(cause: str) -> str:
    return f"Interrupted: {cause}. Resume goes on from the last full checkpoint."


def main(arguments: Sequence[str] | None = None) -> int:
    """Be a trainer; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m playground.runs.trainer", description="Trains waiting runs.")
    parser.add_argument("--signs", action="store_true", help="write signs of life to the standard output")
    parser.add_argument("--app", type=int, metavar="PID", help="end when this process does")
    given = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format=processes.LOG_FORMAT, level=logging.INFO)
    try:
        settings = Settings.from_environment()
        sign = processes.sign_of_life(sys.stdout.fileno()) if given.signs else lambda: None
        trainer = Trainer(Store.of(settings), settings, given.app, sign=sign)
        signal.signal(signal.SIGTERM, trainer.end)
        signal.signal(signal.SIGINT, trainer.end)
        trainer.run()
    except (SettingsError, StoreError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
