"""`kill -9` of a worker, the trainer, the app, and of all three, at random moments, again and again.

The app is a small process that uses the executor as the real one does. Whatever is killed, the run is still there, says
what happened to it and when, keeps every row that could be read, goes on from its last checkpoint, and ends with the
losses of a run that nothing happened to.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from engine.config import Config
from playground.runs.settings import ROOT, AppSettings
from playground.runs.store import Store

Until = Callable[..., None]
Losses = dict[int, tuple[float, float]]

KILLS = ["worker"] * 3 + ["trainer"] * 2 + ["app"] + ["all"] * 2
SEED = 7
SETTLED = ("interrupted", "finished")

APP = """
import time
from playground.runs import executor
from playground.runs.executor import LocalExecutor
from playground.runs.settings import AppSettings

executor.MAX_STARTS = 1000  # here the trainer is killed on purpose
executor.POLL_SECONDS = 0.1
trains = LocalExecutor(AppSettings.from_environment())
while True:
    trains.submit(())
    time.sleep(0.1)
"""


class Playground:
    """The app and all that belongs to it, found by the store that stands in their environment."""

    def __init__(self, settings: AppSettings, store: Store, until: Until) -> None:
        self.settings, self.store, self.until = settings, store, until
        self.app: subprocess.Popen | None = None
        self.killed: list[psutil.Process] = []

    def open(self) -> None:
        """Start the app unless it runs."""
        if self.app is None or self.app.poll() is not None:
            self.app = subprocess.Popen([sys.executable, "-c", APP], cwd=ROOT, env=self.settings.to_environment())

    def processes(self) -> list[psutil.Process]:
        """All that were started for this store and have not ended."""
        mine = []
        for process in psutil.process_iter():
            try:
                owned = process.environ().get("UNROLLED_STORE") == self.settings.store
                if owned and process.pid != psutil.Process().pid and process.status() != psutil.STATUS_ZOMBIE:
                    mine.append(process)
            except psutil.Error:
                continue
        return mine

    def trainer(self) -> psutil.Process | None:
        """The trainer of the app that runs."""
        return self._only_child(None if self.app is None else psutil.Process(self.app.pid))

    def worker(self) -> psutil.Process | None:
        """Its worker."""
        return self._only_child(self.trainer())

    @staticmethod
    def _only_child(process: psutil.Process | None) -> psutil.Process | None:
        try:
            children = process.children() if process is not None else []
            return next((child for child in children if child.status() != psutil.STATUS_ZOMBIE), None)
        except psutil.Error:
            return None

    def kill(self, what: str) -> None:
        """Kill these at once; the rest is left to itself."""
        assert self.app is not None
        app = psutil.Process(self.app.pid)
        found = {"worker": [self.worker()], "trainer": [self.trainer()], "app": [app]}
        found["all"] = [*found["worker"], *found["trainer"], app]
        for process in found[what]:
            if process is not None:
                try:
                    process.kill()
                except psutil.NoSuchProcess:  # it ended with its parent meanwhile
                    continue
                self.killed.append(process)
        if app in found[what]:
            self.app.wait(timeout=120)

    def close(self) -> None:
        """End the app, as a terminal that is closed does."""
        if self.app is not None:
            self.app.terminate()
            self.app.wait(timeout=120)


@pytest.fixture
def playground_(settings: AppSettings, store: Store, until: Until) -> Iterator[Playground]:
    started = Playground(settings, store, until)
    yield started
    for process in started.processes():
        process.kill()
    if started.app is not None:
        started.app.wait(timeout=120)


def losses(store: Store, run_id: str) -> Losses:
    return {row.step: (row.loss, row.grad_norm) for row in store.metrics(run_id)}


def validation(store: Store, run_id: str) -> dict[int, float]:
    return {row.step: row.val_loss for row in store.evaluations(run_id)}


def reach_a_random_moment(chance: random.Random, place: Playground, store: Store, run_id: str) -> None:
    """While it starts, or while it trains: then something has happened since it was last taken up."""
    place.until(lambda: store.run(run_id).status != "queued", "a worker has taken it")
    if chance.random() < 0.8:
        step = store.run(run_id).step
        done = ("finished",)
        place.until(lambda: store.run(run_id).step > step or store.run(run_id).status in done, "it trains")
    time.sleep(chance.uniform(0.0, 0.15))


@pytest.mark.timeout(3600)  # eight kills, each followed by a new start
def test_whatever_is_killed_and_whenever_a_run_goes_on_as_if_nothing_had_happened(
    playground_: Playground, store: Store, until: Until, tiny: Config
) -> None:
    config = tiny.with_values(steps=3_000, evaluations=30)
    chance = random.Random(SEED)
    kills = KILLS.copy()
    chance.shuffle(kills)
    runs = [store.create_run(config)]
    interruptions = 0
    for what in kills:
        playground_.open()
        run_id = runs[-1]
        reach_a_random_moment(chance, playground_, store, run_id)
        if store.run(run_id).status == "finished":
            runs.append(run_id := store.create_run(config))
            reach_a_random_moment(chance, playground_, store, run_id)
        shown, before = losses(store, run_id), time.time()
        shown_validation = validation(store, run_id)
        playground_.kill(what)
        playground_.open()
        until(lambda run_id=run_id: store.run(run_id).status in SETTLED, f"{what}: the run is marked")

        kept = losses(store, run_id)
        assert {step: kept.get(step) for step in shown} == shown, f"{what}: a row that was shown is lost"
        again = validation(store, run_id)
        assert {step: again.get(step) for step in shown_validation} == shown_validation
        run = store.run(run_id)
        if run.status == "interrupted":
            interruptions += 1
            assert run.ended is not None
            assert before - 1.0 < run.ended <= time.time()
            last = store.changes(run_id)[-1]
            assert (last.key, last.text) == ("interrupted", run.message)
            assert last.when > before - 1.0
            said = {"worker": "killed", "trainer": "trainer", "app": "app", "all": "trainer"}[what]
            assert said in run.message, f"{what}: {run.message}"
            assert run.resumable
            store.command(run_id, "resume")

    assert interruptions >= 6
    undisturbed = store.create_run(config)
    for run_id in (*runs, undisturbed):
        until(lambda run_id=run_id: store.run(run_id).status == "finished", "it has come to its end", seconds=600)
    for run_id in runs:
        assert losses(store, run_id) == losses(store, undisturbed)
        assert validation(store, run_id) == validation(store, undisturbed)
        assert store.run(run_id).best_loss == store.run(undisturbed).best_loss

    playground_.close()
    until(lambda: not playground_.processes(), "nothing is left running")
    assert not any(process.is_running() for process in playground_.killed)
    assert store.trainers() == []
