"""Trainers as processes, started by a test, with whatever they leave behind."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import subprocess
import sys
from collections.abc import Callable

import psutil

from playground.runs.settings import ROOT, AppSettings
from playground.runs.store import Store

Until = Callable[..., None]

START = "from playground.runs.trainer.__main__ import main; raise SystemExit(main({arguments!r}))"
FRESH = [sys.executable, "-m", "playground.runs.trainer"]


class Processes:
    """Trainers started by a test, and their workers.

    Most are forked from one clean process that has imported torch, as a trainer forks its workers: each start in an
    interpreter of its own takes a core for three seconds.
    """

    def __init__(self, settings: AppSettings, store: Store, until: Until) -> None:
        self.settings = settings
        self.store = store
        self.until = until
        self.started: list[psutil.Process] = []

    def trainer(self, *arguments: str, script: str = START, fresh: bool = False) -> psutil.Process:
        """Start one, with these arguments or by a script of the test's own; `fresh` in a new interpreter."""
        known = {info.id for info in self.store.trainers()}
        environment = self.settings.to_environment()
        process: subprocess.Popen | multiprocessing.process.BaseProcess
        if fresh:
            process = subprocess.Popen([*FRESH, *arguments], cwd=ROOT, env=environment)
        else:
            forks = multiprocessing.get_context("forkserver")
            forks.set_forkserver_preload(["playground.runs.trainer.__main__"])
            enter = f"import os\nos.environ.clear()\nos.environ.update({environment!r})\n"
            process = forks.Process(target=exec, args=(enter + script.format(arguments=arguments), {}))
            process.start()
        assert process.pid is not None
        self.started.append(psutil.Process(process.pid))
        self.until(lambda: self._registered(known), "the trainer is there")
        return self.started[-1]

    def _registered(self, known: set[str]) -> bool:
        """Whether there is another trainer than those known: by name, as a new one strikes dead ones off."""
        assert not has_ended(self.started[-1]), "the trainer ended at once"
        return bool({info.id for info in self.store.trainers()} - known)

    def end(self) -> None:
        for process in self.started:
            if not has_ended(process):
                process.terminate()
                process.wait(timeout=120)


def has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
