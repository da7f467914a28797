"""The process of one worker, as its trainer sees it: forked or spawned, sent signals, waited for."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.runs.settings import ROOT, AppSettings
from playground.runs.store.dispatch import Claim
from playground.runs.trainer import memory, processes

log = logging.getLogger("unrolled.trainer")

KILL = signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM


@dataclass
class WorkerProcess:
    """A worker's process and what it has claimed: runs that it trains, or one job that it computes."""

    claim: Claim
    pid: int
    process: subprocess.Popen | None = None
    """None where it was forked"""
    cause: str = ""
    """why the trainer ended it, if it did"""

    def exit_status(self) -> int | None:
        """How it ended (negative: by that signal); None while it runs."""
        if self.process is not None:
            return self.process.poll()
        try:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 1
        return os.waitstatus_to_exitcode(status) if ended else None

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            log.info("Worker %d had ended already.", self.pid)

    def cause_of_end(self, status: int, oom_kills: memory.OomKills) -> str:
        """Why it ended before it was done, as the middle of a sentence."""
        if self.cause:
            return self.cause
        if status == -9:
            return oom_kills.explain()
        if status < 0:
            return f"its process was ended by signal {-status}"
        return "its process ended unexpectedly; the trainer's log may say why"


def fork(claim: Claim, work: Callable[[int], None]) -> WorkerProcess:
    """Fork a worker that calls `work` with this process's id. No database connection may be open."""
    sys.stdout.flush()
    sys.stderr.flush()
    trainer = os.getpid()
    # a signal between the fork and the worker's own handlers must not reach the trainer's
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        return WorkerProcess(claim, pid)
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.dup2(2, 1)  # the trainer's standard output carries its heartbeat, and nothing else
        work(trainer)
        code = 0
    except BaseException:
        log.exception("The worker failed.")
    finally:
        os._exit(code)  # the trainer's own clean-up must not run twice


def spawn(claim: Claim, settings: AppSettings, module: str) -> WorkerProcess:
    """Start a worker in a fresh interpreter: `module` as a program, which reads its claim with `read_claim`."""
    command = [sys.executable, "-m", module, "--trainer", str(os.getpid())]
    claimed = [f"{name}:{number}" for name, number in claim.numbers.items()]
    process = subprocess.Popen(
        [*command, "--id", claim.trainer, *claimed],
        cwd=ROOT,
        env=settings.to_environment(),
        stdin=subprocess.DEVNULL,
        stdout=2,
    )
    return WorkerProcess(claim, process.pid, process)


def read_claim(arguments: Sequence[str] | None, module: str, description: str | None) -> tuple[int, Claim]:
    """The trainer's process and the claim that `spawn` gave a worker; sets up its log."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("claimed", nargs="+", metavar="ID:CLAIM", help="what was claimed, with the claim numbers")
    parser.add_argument("--trainer", type=int, required=True, metavar="PID", help="end when this process does")
    parser.add_argument("--id", required=True, help="the trainer's id in the store")
    given = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format=processes.LOG_FORMAT, level=logging.INFO)
    numbers = {name: int(number) for name, _, number in (item.partition(":") for item in given.claimed)}
    return given.trainer, Claim(given.id, numbers)
