import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from engine.config import Config
from playground.runs import executor as executor_module
from playground.runs.executor import ExecutorError, LocalExecutor
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.trainer.watchdog import Watchdog

Until = Callable[..., None]


@pytest.fixture
def executor(settings: AppSettings) -> Iterator[LocalExecutor]:
    executor = LocalExecutor(settings)
    yield executor
    executor.stop()


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch over the trainer looks often and has less patience, yet enough for a busy machine."""
    monkeypatch.setattr(executor_module, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(executor_module, "HUNG_SECONDS", 8.0)


def dead(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_one_trainer_is_started_when_needed_again_when_it_died_and_ends_in_order(
    executor: LocalExecutor, store: Store, until: Until, endless: Config, tiny: Config
) -> None:
    assert executor.pid is None
    run_id = store.create_run(tiny)
    executor.submit([run_id])
    first = executor.pid
    until(lambda: store.run(run_id).status == "finished", "trained")
    executor.submit([run_id])
    assert executor.pid == first

    assert first is not None
    psutil.Process(first).send_signal(signal.SIGKILL)
    until(lambda: dead(first), "it is dead")
    long = store.create_run(endless)
    executor.submit([long])
    assert executor.pid != first
    until(lambda: store.metrics(long), "trained by the next one")

    executor.stop()
    assert executor.pid is None
    run = store.run(long)
    assert run.status == "interrupted"
    assert "saved" in run.message
    assert executor.log_path.read_text().count("has ended") >= 1


@pytest.mark.usefixtures("watchful")
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped on this system")
def test_a_trainer_that_hangs_or_dies_is_replaced_without_a_visit(
    executor: LocalExecutor, store: Store, until: Until, endless: Config
) -> None:
    run_id = store.create_run(endless)
    executor.submit([run_id])
    first = executor.pid
    assert first is not None
    until(lambda: any(info.full for info in store.checkpoints(run_id)), "it trains")
    (worker,) = psutil.Process(first).children()

    psutil.Process(first).send_signal(signal.SIGSTOP)
    until(lambda: dead(first), "the trainer that hung is killed")
    until(lambda: store.run(run_id).status == "interrupted", "its run is interrupted")
    run = store.run(run_id)
    assert "trainer ended" in run.message
    assert run.ended is not None
    assert run.resumable
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "its worker has ended")
    until(lambda: executor.pid not in (None, first), "another trainer takes its place")
    second = executor.pid
    store.command(run_id, "resume")
    until(lambda: store.run(run_id).step > run.step, "the next trainer takes the run up")

    assert second is not None
    psutil.Process(second).kill()
    until(lambda: executor.pid not in (None, second), "one that was killed is replaced as well")


@pytest.mark.usefixtures("watchful")
def test_a_trainer_that_lives_is_left_alone_after_the_machine_has_slept(
    executor: LocalExecutor, store: Store, until: Until, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = 0.0
    monkeypatch.setattr(executor_module, "Watchdog", lambda: Watchdog(lambda: time.monotonic() + slept))
    executor.submit([])
    first = executor.pid
    until(lambda: executor._heartbeats.count > 2, "it gives signs of life")
    for _ in range(3):
        slept += 8 * 3600.0
        heard = executor._heartbeats.count
        until(lambda heard=heard: executor._heartbeats.count > heard + 1, "it still does")
    run_id = store.create_run(tiny)
    until(lambda: store.run(run_id).status == "finished", "it trains")
    assert executor.pid == first


def test_a_trainer_that_keeps_dying_is_not_started_for_ever(
    executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    def fails(_: LocalExecutor) -> object:
        return executor_module.subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])

    monkeypatch.setattr(LocalExecutor, "_started", fails)
    monkeypatch.setattr(executor_module, "POLL_SECONDS", 3600.0)
    for _ in range(executor_module.MAX_STARTS):
        executor.submit([])
        process = executor._process
        assert process is not None
        process.wait(timeout=120)
    with pytest.raises(ExecutorError, match="log"):
        executor.submit([])


def test_a_log_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    executor = LocalExecutor(AppSettings(store=f"sqlite:///{tmp_path}/file/store.sqlite"))
    with pytest.raises(ExecutorError, match="cannot be started"):
        executor.submit([])


def test_a_process_has_one_executor_for_its_settings(settings: AppSettings) -> None:
    assert executor_module.executor(settings) is executor_module.executor(settings)
