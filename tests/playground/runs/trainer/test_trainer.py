"""The trainer and its workers as processes: what is left of a run when one of them is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from trainer_processes import FRESH, Processes, has_ended

from engine.config import Config
from playground.runs.records import StoreFullError
from playground.runs.settings import ROOT, AppSettings
from playground.runs.store import Store
from playground.runs.trainer import processes
from playground.runs.trainer import trainer as trainer_module
from playground.runs.trainer.trainer import Trainer
from playground.runs.trainer.watchdog import Watchdog
from playground.runs.trainer.worker_process import WorkerProcess

Until = Callable[..., None]


def losses(store: Store, run_id: str) -> dict[int, float]:
    return {row.step: row.loss for row in store.metrics(run_id)}


def test_runs_train_side_by_side_and_a_killed_worker_is_said_and_resumed(
    processes_: Processes, store: Store, until: Until, endless: Config, tiny: Config
) -> None:
    trainer = processes_.trainer()
    first, second = store.create_run(endless), store.create_run(endless)
    waiting = store.create_run(tiny)
    until(lambda: store.metrics(first) and store.metrics(second), "both train at once")
    assert store.run(waiting).status == "queued"
    until(lambda: any(info.full for info in store.checkpoints(second)), "a full checkpoint")
    claimed = {run_id: store.run(run_id).status for run_id in (first, second)}
    assert set(claimed.values()) == {"running"}

    victim = min(trainer.children(), key=lambda process: process.create_time())
    victim.send_signal(signal.SIGKILL)
    until(lambda: store.run(first).status == "interrupted", "the killed worker's run is marked")
    assert "killed" in store.run(first).message
    assert store.run(first).resumable
    shown = losses(store, first)
    until(lambda: store.run(waiting).status == "finished", "the run that waited has its turn")

    store.command(first, "resume")
    reached = max(shown)
    until(lambda: store.run(first).step > reached, "it has gone on past where it was")
    again = losses(store, first)
    assert {step: again[step] for step in shown} == shown, "no row that was shown is lost or changed"
    undisturbed = losses(store, second)
    common = set(again) & set(undisturbed)
    assert common
    assert {step: again[step] for step in common} == {step: undisturbed[step] for step in common}

    store.command(first, "stop")
    store.command(second, "pause")
    until(lambda: store.run(first).status == "stopped", "stopped")
    until(lambda: store.run(second).status == "paused", "paused")
    until(lambda: not trainer.children(), "no worker is left")


def test_when_the_trainer_is_killed_its_workers_save_and_end_and_the_next_one_goes_on(
    processes_: Processes, store: Store, until: Until, endless: Config
) -> None:
    trainer = processes_.trainer()
    run_id = store.create_run(endless)
    until(lambda: store.metrics(run_id), "it trains")
    (worker,) = trainer.children()
    trainer.kill()
    trainer.wait(timeout=120)
    until(lambda: has_ended(worker), "the worker ends")
    run = store.run(run_id)
    assert run.status == "interrupted"
    assert "saved" in run.message
    assert any(info.full and info.step == run.step for info in store.checkpoints(run_id))

    lost = store.create_run(endless)
    (dead,) = store.trainers()
    store.claim(dead.id)  # as if its worker had been killed too
    processes_.trainer()
    until(lambda: store.run(lost).status == "interrupted", "what the dead trainer had is marked")
    assert [info.id for info in store.trainers()] != [dead.id]
    store.command(run_id, "resume")
    until(lambda: store.run(run_id).step > run.step, "it goes on where it was")


def test_the_trainer_and_its_workers_end_with_their_app(
    processes_: Processes, store: Store, until: Until, endless: Config
) -> None:
    app = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    trainer = processes_.trainer("--app", str(app.pid))
    run_id = store.create_run(endless)
    until(lambda: store.metrics(run_id), "it trains")
    app.kill()
    app.wait()
    until(lambda: has_ended(trainer), "the trainer ends")
    run = store.run(run_id)
    assert run.status == "interrupted"
    assert run.resumable
    assert store.trainers() == []


IMPATIENT = """
import signal
from playground.runs.trainer import trainer as module
from playground.runs.settings import AppSettings
from playground.runs.store import Store

module.HUNG_SECONDS = 8.0
settings = AppSettings.from_environment()
trainer = module.Trainer(Store(settings.store), settings)
signal.signal(signal.SIGTERM, trainer.end)
trainer.run()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped on this system")
def test_a_worker_that_hangs_is_ended_and_its_run_can_go_on(
    processes_: Processes, store: Store, until: Until, endless: Config
) -> None:
    trainer = processes_.trainer(script=IMPATIENT)
    run_id, other = store.create_run(endless), store.create_run(endless)
    until(lambda: store.metrics(run_id) and store.metrics(other), "both train")
    victim = min(trainer.children(), key=lambda process: process.create_time())
    victim.send_signal(signal.SIGSTOP)
    until(lambda: store.run(run_id).status == "interrupted", "the worker that hung is ended")
    assert "did not respond" in store.run(run_id).message
    assert not victim.is_running()
    # It may have waited for the store, if the other was stopped while it wrote.
    until(lambda: store.run(other).status == "running", "one that works is left alone")
    step = store.run(run_id).step
    store.command(run_id, "resume")
    until(lambda: store.run(run_id).step > step, "it goes on")


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A control group whose processes may have 64 MB more than when they come into it."""
    for root, limit in (
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),  # version 1
        (Path("/sys/fs/cgroup"), "memory.max"),
    ):
        group = root / f"unrolled-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(64 << 20))
        except OSError:
            group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("memory cannot be limited here: that takes Linux and the rights of root")


def test_a_worker_that_the_system_kills_for_memory_says_so(
    small_memory: Path, processes_: Processes, store: Store, until: Until, endless: Config
) -> None:
    trainer = processes_.trainer(fresh=True)
    (small_memory / "cgroup.procs").write_text(str(trainer.pid))
    run_id = store.create_run(endless.with_values(cell="lstm", units=2000, layers=1))
    until(lambda: store.run(run_id).status not in ("queued", "running"), "it has run out of memory")
    run = store.run(run_id)
    assert run.status == "interrupted"
    assert "by the system" in run.message
    assert "memory ran out" in run.message
    assert not has_ended(trainer), "the worker was killed before its trainer"


def test_two_trainers_on_one_store_share_its_runs_and_train_none_twice(
    processes_: Processes, store: Store, until: Until, tiny: Config
) -> None:
    processes_.trainer()
    processes_.trainer()
    runs = [store.create_run(tiny) for _ in range(8)]
    until(lambda: all(store.run(run_id).status == "finished" for run_id in runs), "all are trained")
    assert len(store.trainers()) == 2
    for run_id in runs:
        assert [change.key for change in store.changes(run_id)] == ["running", "finished"], "claimed once, ended once"
        assert losses(store, run_id) == losses(store, runs[0])


def test_what_became_of_a_worker_is_said_once_the_store_takes_it(
    store: Store, settings: AppSettings, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "HEARTBEAT_SECONDS", 0.0)
    run_id = store.create_run(tiny)
    trainer = Trainer(store, settings)
    trainer._send_heartbeat()
    claim = store.claim(trainer.id)
    assert claim is not None
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    ended.wait()
    trainer._workers[ended.pid] = WorkerProcess(claim, ended.pid, ended)

    def full(*_: object) -> list[str]:
        raise StoreFullError("There is no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "interrupt", full)
        trainer._try(trainer._reap)
        assert store.run(run_id).status == "running"
        assert not trainer._reserve.exists, "the reserve was given up for it"
    trainer._try(trainer._reap)
    assert store.run(run_id).status == "interrupted"
    assert "ended unexpectedly" in store.run(run_id).message
    trainer._end_workers()


def test_a_worker_that_ends_with_its_app_before_it_can_save_says_so(
    store: Store, settings: AppSettings, tiny: Config
) -> None:
    run_id = store.create_run(tiny)
    trainer = Trainer(store, settings)
    trainer._send_heartbeat()
    claim = store.claim(trainer.id)
    assert claim is not None
    deaf = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    trainer._workers[deaf.pid] = WorkerProcess(claim, deaf.pid, deaf)
    trainer._end_workers()
    assert store.run(run_id).status == "interrupted"
    assert "the app was closed" in store.run(run_id).message


def test_a_trainer_that_is_silent_is_given_up_but_not_while_nobody_can_write(
    store: Store, settings: AppSettings, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    run_id = store.create_run(tiny)
    other = store.register_trainer(1, "another machine", 0.0, 1)
    store.claim(other)
    trainer = Trainer(store, settings)
    trainer._trainer_watchdog = Watchdog(lambda: now[0])

    def beats(seconds: int) -> None:
        for _ in range(seconds):
            now[0] += 1.0
            trainer._send_heartbeat()

    beats(int(trainer_module.TIMEOUT_SECONDS) - 2)
    now[0] += 3600.0  # this machine slept, or its disk was full: no sign of its own, no judgement on others
    beats(1)
    assert store.run(run_id).status == "running"
    store.heartbeat(other)
    beats(int(trainer_module.TIMEOUT_SECONDS))
    assert store.run(run_id).status == "running"
    beats(2)
    assert store.run(run_id).status == "interrupted"
    assert "trainer" in store.run(run_id).message
    trainer._end_workers()


def test_of_several_workers_that_do_nothing_the_one_that_cannot_is_ended_and_the_others_get_their_time(
    store: Store, settings: AppSettings, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, killed = [0.0], []
    stopped = {12}
    monkeypatch.setattr(processes, "cpu_seconds", lambda pid: 1.0)
    monkeypatch.setattr(processes, "is_stopped", lambda pid: pid in stopped)
    monkeypatch.setattr(WorkerProcess, "send_signal", lambda worker, number: killed.append(worker.pid))
    trainer = Trainer(store, settings)
    trainer._worker_watchdog = Watchdog(lambda: now[0])
    store.create_run(tiny)
    claim = store.claim(store.register_trainer(1, "here", 0.0, 3))
    assert claim is not None
    trainer._workers = {pid: WorkerProcess(claim, pid) for pid in (11, 12, 13)}

    def looks(seconds: int) -> None:
        for _ in range(seconds):
            now[0] += 1.0
            trainer._end_hung_workers()

    looks(int(trainer_module.HUNG_SECONDS) + 2)
    assert killed == [12], "it may hold what the others wait for"
    del trainer._workers[12]
    looks(int(trainer_module.HUNG_SECONDS))
    assert killed == [12], "the others have as long as ever"
    looks(2)
    assert len(killed) == 2, "one at a time"
    trainer._workers = {}


SPAWNING = """
import signal
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.trainer.trainer import Trainer

settings = AppSettings.from_environment()
trainer = Trainer(Store(settings.store), settings, fork=False)
signal.signal(signal.SIGTERM, trainer.end)
trainer.run()
"""


def test_where_forking_is_not_safe_workers_are_processes_of_their_own(
    processes_: Processes, store: Store, until: Until, tiny: Config
) -> None:
    processes_.trainer(script=SPAWNING)
    run_id = store.create_run(tiny)
    until(lambda: store.run(run_id).status == "finished", "trained by a spawned worker")


def test_a_trainer_that_cannot_open_its_store_says_so_and_ends(settings: AppSettings) -> None:
    environment = replace(settings, store="sqlite:////proc/none/store.sqlite").to_environment()
    done = subprocess.run(FRESH, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "UNROLLED_STORE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    me = os.getpid()
    started = processes.start_time(me)
    assert processes.is_alive(me, started)
    assert not processes.is_alive(me, started - 100.0)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not processes.is_alive(child.pid, time.time())
