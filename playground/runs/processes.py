"""Processes that end when another one does, and telling live ones from dead ones."""

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

SIGN_SECONDS = 0.5
"""Time between two signs of life."""

_PR_SET_PDEATHSIG = 1


def end_with(parent: int, how: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process the signal `how` when its parent ends. Linux only; elsewhere nothing.

    The kernel means the parent's *thread* that made this process, so use it only where that was the main one.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), how)


def parent_watch(pid: int) -> Callable[[], bool]:
    """A cheap question: does the process `pid`, this one's parent, still run?"""
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
    """Whether the process `pid` that began at `started` still runs (a later one with its number does not count)."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used so far: it grows while anything is done; -1 if there is no process."""
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return -1.0
    return used.user + used.system


def is_stopped(pid: int) -> bool:
    """Whether the process was stopped by a signal: it can do nothing, whatever it waits for."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def kill(pid: int, started: float) -> None:
    """End the process `pid` that began at `started`, at once, if it still runs."""
    if is_alive(pid, started):
        try:
            psutil.Process(pid).kill()
        except psutil.Error as error:
            log.info("The process %d could not be ended: %s", pid, error)


def end_left_behind(leader: int) -> list[int]:
    """Kill what is left of the process group of a process that has ended; the numbers of those killed.

    While a group has members its number is given to no new process, so they can only be those of that leader.
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


def sign_of_life(descriptor: int) -> Callable[[], None]:
    """Writes a byte to a pipe, at most once in `SIGN_SECONDS`, however often it is called.

    Whoever reads there (the app) takes a process that does not for one that hangs.
    """
    if os.name == "posix":
        os.set_blocking(descriptor, False)  # a reader that sleeps must not stop the one it watches
    due = 0.0

    def sign() -> None:
        nonlocal due
        now = time.perf_counter()
        if now >= due:
            due = now + SIGN_SECONDS
            try:
                os.write(descriptor, b".")
            except OSError as error:  # the reader has gone or is far behind
                log.debug("No sign of life could be given: %s", error)

    return sign


def host() -> str:
    """This machine's name, to know whose process numbers are whose."""
    return socket.gethostname()
