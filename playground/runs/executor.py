"""The trainer's place in the app, behind a small interface, so that a cluster engine can stand there.

The app watches its trainer: one that gives no sign of life is killed, and one that has died or was killed is replaced,
whether or not anybody visits. Workers of a dead trainer save and end by themselves; those that do not are ended here.
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

from playground.runs import disk
from playground.runs.settings import ROOT, Settings
from playground.runs.watchdog import Watchdog

log = logging.getLogger("unrolled.executor")

MOST_STARTS = 5
WITHIN_SECONDS = 60.0
"""A trainer that had to be started so often within this time is not started again until it has passed."""

LOOK_SECONDS = 1.0
"""Time between two looks at the trainer."""

HUNG_SECONDS = 30.0
"""A trainer that gives no sign of life for so long is replaced. It gives several a second, but may wait for a lock."""

STARTING_SECONDS = 180.0
"""How long a trainer may take until its first sign of life: it loads much, perhaps from a slow disk."""

LEAVE_SECONDS = 12.0
"""How long the workers of a trainer that was killed may take to save and end."""

LOG_BYTES = 5_000_000
"""A log file larger than this is begun anew, and the old one kept under another name."""


class ExecutorError(RuntimeError):
    """Runs cannot be trained at present. The message says why and what to do."""


class Executor(Protocol):
    """Sees to it that waiting runs are trained."""

    def submit(self, run_ids: Sequence[str]) -> None:
        """These runs wait in the store: have them trained. Raises ExecutorError."""

    def stop(self) -> None:
        """End what this executor started; its runs are saved and can be resumed."""


class _Signs:
    """Counts the signs of life that a trainer writes, on a thread of its own, which ends when the trainer has."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.heard = 0
        if stream is not None:
            threading.Thread(target=self._listen, args=(stream,), name="signs", daemon=True).start()

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            while stream.read(1):  # unbuffered
                self.heard += 1


class LocalExecutor:
    """One trainer process on this machine, started when it is first needed and again when it has died or hangs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._signs = _Signs(None)
        self._starts: list[float] = []
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None
        atexit.register(self.stop)

    def submit(self, run_ids: Sequence[str]) -> None:
        """The trainer finds the runs in the store by itself; this makes sure that it is there."""
        self.ensure_running()

    def ensure_running(self) -> None:
        """Start the trainer unless it runs. Cheap; call it on every visit. Raises ExecutorError."""
        with self._lock:
            self._ensure()

    def _ensure(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        now = time.monotonic()
        self._starts = [start for start in self._starts if now - start < WITHIN_SECONDS]
        if len(self._starts) >= MOST_STARTS:
            raise ExecutorError(
                f"The trainer ended {MOST_STARTS} times within a minute. Its log says why: {self.log_path}."
            )
        self._starts.append(now)
        self._process = self._started()
        self._signs = _Signs(self._process.stdout)
        if self._watcher is None:
            self._over.clear()
            self._watcher = threading.Thread(target=self._watch, name="trainer watch", daemon=True)
            self._watcher.start()

    @property
    def pid(self) -> int | None:
        """The trainer's process, if one was started."""
        return self._process.pid if self._process is not None else None

    @property
    def log_path(self) -> Path:
        """Where the trainer and its workers write what went wrong."""
        file = disk.file_of(self.settings.store)
        if file is None:
            return Path(tempfile.gettempdir()) / "unrolled-trainer.log"
        return file.with_name("trainer.log").absolute()

    def stop(self) -> None:
        """End the trainer; its workers save their runs first."""
        with self._lock:
            process, self._process = self._process, None
            watcher, self._watcher = self._watcher, None
            self._over.set()
        if watcher is not None:
            watcher.join(timeout=LOOK_SECONDS + LEAVE_SECONDS)
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
        """Replace the trainer when it hangs or has died."""
        silence: Watchdog[int] = Watchdog()
        said = ""
        while not self._over.wait(LOOK_SECONDS):
            with self._lock:
                process, signs = self._process, self._signs
            if process is None:
                continue
            silent = silence.look({process.pid: signs.heard})[process.pid]
            if process.poll() is None:
                if silent > (HUNG_SECONDS if signs.heard else STARTING_SECONDS):
                    log.error("The trainer gave no sign of life for %.0f seconds and is replaced.", silent)
                    self._kill(process)
                else:
                    continue
            elif not signs.heard:
                continue  # it cannot be started as things are: the next visit tries again, and says why
            try:
                with self._lock:
                    if not self._over.is_set():
                        self._ensure()
                said = ""
            except ExecutorError as error:
                if str(error) != said:
                    log.error("%s", error)
                said = str(error)

    def _kill(self, process: subprocess.Popen) -> None:
        """Kill a trainer, and after a while those of its workers that have not ended by themselves."""
        try:
            workers = psutil.Process(process.pid).children(recursive=True)
        except psutil.Error:
            workers = []
        process.kill()
        process.wait()

        def sweep() -> None:
            _, stuck = psutil.wait_procs(workers, timeout=LEAVE_SECONDS)
            for worker in stuck:
                try:
                    worker.kill()
                except psutil.Error as error:
                    log.info("A worker had ended already: %s", error)

        threading.Thread(target=sweep, name="workers left behind", daemon=True).start()

    def _started(self) -> subprocess.Popen:
        path = self.log_path
        environment = self.settings.to_environment()
        environment["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads would stand in the way of forking
        command = [sys.executable, "-m", "playground.runs.trainer", "--signs", "--app", str(os.getpid())]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > LOG_BYTES:
                path.replace(path.with_suffix(".old.log"))
            with open(path, "ab") as output:
                # a session of its own: Ctrl-C in the terminal is for the app, which ends the trainer in order
                return subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,  # for signs of life alone
                    stderr=output,
                    bufsize=0,
                    start_new_session=True,
                )
        except OSError as error:
            raise ExecutorError(f"The trainer cannot be started ({error}): check the store's folder.") from error


_shared: dict[Settings, LocalExecutor] = {}
_shared_lock = threading.Lock()


def executor(settings: Settings) -> LocalExecutor:
    """The one executor that this process has for these settings."""
    with _shared_lock:
        if settings not in _shared:
            _shared[settings] = LocalExecutor(settings)
        return _shared[settings]
