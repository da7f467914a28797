"""Who trains the app's runs: a small interface, behind which a cluster engine can stand in for the local trainer.

The app watches its trainer: one without heartbeats is killed, and one that has ended is replaced, whether or not
anybody visits. Workers of a dead trainer save and end by themselves; those that do not are killed here.
"""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

import psutil

from playground.runs.settings import ROOT, AppSettings
from playground.runs.store import disk
from playground.runs.trainer.watchdog import Watchdog

log = logging.getLogger("unrolled.executor")

MAX_STARTS = 5
START_WINDOW_SECONDS = 60.0
"""A trainer that was started `MAX_STARTS` times within this time is not started again until it has passed."""

POLL_SECONDS = 1.0
"""Time between two checks of the trainer."""

HUNG_SECONDS = 30.0
"""A trainer without a heartbeat for so long is replaced. It sends several a second, but may wait for a lock."""

STARTUP_SECONDS = 180.0
"""How long a trainer may take until its first heartbeat: it imports much, perhaps from a slow disk."""

WORKER_END_SECONDS = 12.0
"""How long the workers of a killed trainer may take to save and end."""

LOG_BYTES = 5_000_000
"""A log file larger than this is rotated: one older file is kept."""


class ExecutorError(RuntimeError):
    """Runs cannot be trained at the moment. The message says why and what to do."""


class Executor(Protocol):
    """Has waiting runs trained."""

    def submit(self, run_ids: Sequence[str]) -> None:
        """Have these runs, which wait in the store, trained. Raises ExecutorError."""

    def stop(self) -> None:
        """Stop training; the runs are saved and can be resumed."""


class _Heartbeats:
    """Counts a trainer's heartbeats, on a thread that ends with the trainer."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.count = 0
        if stream is not None:
            threading.Thread(target=self._count, args=(stream,), name="heartbeats", daemon=True).start()

    def _count(self, stream: IO[bytes]) -> None:
        with stream:
            while stream.read(1):  # unbuffered
                self.count += 1


class LocalExecutor:
    """One trainer process on this machine, started on first use and again when it has ended or hangs."""

    def __init__(self, settings: AppSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._heartbeats = _Heartbeats(None)
        self._starts: list[float] = []
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None
        atexit.register(self.stop)

    def submit(self, run_ids: Sequence[str]) -> None:
        """Make sure that the trainer runs; it finds the runs in the store by itself."""
        self.ensure_running()

    def ensure_running(self) -> None:
        """Start the trainer unless it runs. Cheap enough for every visit. Raises ExecutorError."""
        with self._lock:
            self._ensure()

    def _ensure(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        now = time.monotonic()
        self._starts = [start for start in self._starts if now - start < START_WINDOW_SECONDS]
        if len(self._starts) >= MAX_STARTS:
            raise ExecutorError(f"The trainer ended {MAX_STARTS} times within a minute. See its log: {self.log_path}.")
        self._starts.append(now)
        self._process = self._started()
        self._heartbeats = _Heartbeats(self._process.stdout)
        if self._watcher is None:
            self._stopped.clear()
            self._watcher = threading.Thread(target=self._watch, name="trainer watch", daemon=True)
            self._watcher.start()

    @property
    def pid(self) -> int | None:
        """The trainer's process id, if one was started."""
        return self._process.pid if self._process is not None else None

    @property
    def log_path(self) -> Path:
        """The log of the trainer and its workers."""
        file = disk.file_of(self.settings.store)
        if file is None:
            return Path(tempfile.gettempdir()) / "unrolled-trainer.log"
        return file.with_name("trainer.log").absolute()

    def stop(self) -> None:
        """End the trainer; its workers save their runs first."""
        with self._lock:
            process, self._process = self._process, None
            watcher, self._watcher = self._watcher, None
            self._stopped.set()
        if watcher is not None:
            watcher.join(timeout=POLL_SECONDS + WORKER_END_SECONDS)
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout=12.0)
        except subprocess.TimeoutExpired:
            log.warning("The trainer did not end in time and was killed.")
            process.kill()
            process.wait()

    # ---- watching

    def _watch(self) -> None:
        """Replace the trainer when it hangs or has ended."""
        silence: Watchdog[int] = Watchdog()
        last_error = ""
        while not self._stopped.wait(POLL_SECONDS):
            with self._lock:
                process, heartbeats = self._process, self._heartbeats
            if process is None:
                continue
            silent = silence.observe({process.pid: heartbeats.count})[process.pid]
            if process.poll() is None:
                if silent > (HUNG_SECONDS if heartbeats.count else STARTUP_SECONDS):
                    log.error("The trainer gave no sign of life for %.0f seconds and is replaced.", silent)
                    self._kill(process)
                else:
                    continue
            elif not heartbeats.count:
                continue  # it fails at start: the next visit tries again, and shows why
            try:
                with self._lock:
                    if not self._stopped.is_set():
                        self._ensure()
                last_error = ""
            except ExecutorError as error:
                if str(error) != last_error:
                    log.error("%s", error)
                last_error = str(error)

    def _kill(self, process: subprocess.Popen) -> None:
        """Kill a trainer, and after `WORKER_END_SECONDS` those of its workers that have not ended."""
        try:
            workers = psutil.Process(process.pid).children(recursive=True)
        except psutil.Error:
            workers = []
        process.kill()
        process.wait()

        def sweep() -> None:
            _, stuck = psutil.wait_procs(workers, timeout=WORKER_END_SECONDS)
            for worker in stuck:
                try:
                    worker.kill()
                except psutil.Error as error:
                    log.info("A worker had ended already: %s", error)

        threading.Thread(target=sweep, name="remaining workers", daemon=True).start()

    def _started(self) -> subprocess.Popen:
        path = self.log_path
        environment = self.settings.to_environment()
        environment["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads would make forking unsafe
        command = [sys.executable, "-m", "playground.runs.trainer", "--heartbeat", "--app", str(os.getpid())]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > LOG_BYTES:
                path.replace(path.with_suffix(".old.log"))
            with open(path, "ab") as output:
                # a session of its own: Ctrl-C in the terminal is meant for the app, which ends the trainer in order
                return subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,  # carries heartbeats alone
                    stderr=output,
                    bufsize=0,
                    start_new_session=True,
                )
        except OSError as error:
            raise ExecutorError(f"The trainer cannot be started ({error}): check the store's folder.") from error


_shared: dict[AppSettings, LocalExecutor] = {}
_shared_lock = threading.Lock()


def executor(settings: AppSettings) -> LocalExecutor:
    """This process's one executor for these settings."""
    with _shared_lock:
        if settings not in _shared:
            _shared[settings] = LocalExecutor(settings)
        return _shared[settings]
