"""Processes: whether they are alive, ending them, ending with a parent, and signs of life."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

import psutil

LOG_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"

log = logging.getLogger("unrolled.processes")

HEARTBEAT_SECONDS = 0.5
"""Time between two heartbeats of a trainer to its app."""

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process the signal `number` when its parent ends. Linux only; elsewhere a no-op.

    To the kernel the parent is the *thread* that started this process: use it only where that was the main thread.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), number)


def parent_watch(pid: int) -> Callable[[], bool]:
    """A cheap check whether the process `pid`, this one's parent, still runs."""
    if hasattr(os, "fork"):
        return lambda: os.getppid() == pid
    started = start_time(pid)
    return lambda: is_alive(pid, started)


def start_time(pid: int) -> float:
    """When the process began, in seconds since 1970; 0 if there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def is_alive(pid: int, started: float) -> bool:
    """Whether the process `pid` that began at `started` still runs (a later one with the same id does not count)."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def cpu_seconds(pid: int) -> float:
    """Processor seconds used by the process so far; -1 if there is none."""
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return -1.0
    return used.user + used.system


def is_stopped(pid: int) -> bool:
    """Whether the process was stopped by a signal, and so cannot continue by itself."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def kill(pid: int, started: float) -> None:
    """Kill the process `pid` that began at `started`, if it still runs."""
    if is_alive(pid, started):
        try:
            psutil.Process(pid).kill()
        except psutil.Error as error:
            log.info("The process %d could not be ended: %s", pid, error)


def kill_process_group(leader: int) -> list[int]:
    """Kill the remaining members of the process group of a leader that has ended; returns their ids.

    While a group has members its id is given to no new process, so they can only be that leader's.
    """
    if not hasattr(os, "getpgid") or psutil.pid_exists(leader):
        return []
    killed = []
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        except (ProcessLookupError, PermissionError):  # it has just ended, or is not ours
            continue
    return killed


def heartbeat_writer(descriptor: int) -> Callable[[], None]:
    """A function that writes a byte to a pipe, at most once in `HEARTBEAT_SECONDS`, however often it is called.

    The app reads there; a trainer whose heartbeats stop is considered hung.
    """
    if os.name == "posix":
        os.set_blocking(descriptor, False)  # a reader that does not read must not block the writer
    due = 0.0

    def heartbeat() -> None:
        nonlocal due
        now = time.perf_counter()
        if now >= due:
            due = now + HEARTBEAT_SECONDS
            try:
                os.write(descriptor, b".")
            except OSError as error:  # the reader has ended or is far behind
                log.debug("No heartbeat could be written: %s", error)

    return heartbeat


def host() -> str:
    """This machine's name: process ids are valid on one machine alone."""
    return socket.gethostname()
