"""Jobs in a real trainer: computed beside runs, told to end, killed with their worker or their trainer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import job_kinds
import pytest
from trainer_processes import START, Processes

from engine.config import Config
from engine.training.checkpoint import Checkpoint
from playground.runs.jobs.records import JobRequest, canonical, unpack
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.trainer import job_worker
from playground.runs.trainer.job_worker import JobWorker

Until = Callable[..., None]
WITH_KINDS = f"import job_kinds\n{START}"
RUN = "hello-rnn"


@pytest.fixture
def settings(settings: AppSettings) -> AppSettings:
    return replace(settings, workers=1)


@pytest.fixture
def store(settings: AppSettings) -> Iterator[Store]:
    """With the starter runs, as the trainer has them."""
    store = Store(settings.store)
    yield store
    store.close()


@pytest.fixture
def request_for(store: Store) -> Callable[..., JobRequest]:
    """What asks for an analysis of the newest weights of a starter run."""

    def made(kind: str, run: str = RUN, **arguments: Any) -> JobRequest:
        newest = store.checkpoints(run)[-1]
        return JobRequest(run, newest.step, newest.sha256, kind, canonical(arguments))

    return made


@pytest.fixture
def ask(store: Store, request_for: Callable[..., JobRequest]) -> Callable[..., str]:
    """Ask for an analysis; the job's id."""
    return lambda kind, **arguments: store.request_job(request_for(kind, **arguments), owner="ada").id


def found(store: Store, job_id: str) -> Any:
    return json.loads(unpack(store.job_result(job_id)))


def state(store: Store, job_id: str) -> str:
    return store.job(job_id).state


def weights(store: Store, run: str, step: int) -> Any:
    return Checkpoint.from_bytes(store.checkpoint(run, step)).weights()


def test_jobs_are_computed_one_after_the_other_and_those_that_fail_harm_no_other(
    processes_: Processes, store: Store, until: Until, ask: Callable[..., str]
) -> None:
    processes_.trainer(script=WITH_KINDS)
    jobs = {
        kind: ask(kind, **arguments)
        for kind, arguments in {
            "refuses": {}, "breaks": {}, "odd": {}, "nothing": {}, "ends": {}, "norms": {"times": 2}, "reads": {},
        }.items()
    }  # fmt: skip
    until(lambda: not any(store.job(job).open for job in jobs.values()), "all have ended")
    ended = {kind: store.job(job) for kind, job in jobs.items()}
    assert {kind: job.state for kind, job in ended.items()} == {
        **dict.fromkeys(("refuses", "breaks", "odd", "nothing", "ends"), "failed"),
        **dict.fromkeys(("norms", "reads"), "finished"),
    }
    assert ended["refuses"].message == "There are no units of that kind: choose another layer."
    assert "ZeroDivisionError" in ended["breaks"].message
    assert "log" in ended["odd"].message
    assert "no analysis 'nothing'" in ended["nothing"].message
    assert "3 attempts" in ended["ends"].message
    assert "killed" in ended["ends"].message

    step = ended["norms"].step
    expected = {name: 2 * float(weight.norm()) for name, weight in weights(store, RUN, step).items()}
    assert found(store, jobs["norms"]) == pytest.approx(expected)
    assert ended["norms"].progress == 1.0
    read = found(store, jobs["reads"])
    assert (read["decoded"], read["training"], read["nan"] != read["nan"]) == (True, False, True)
    assert [step for step, _ in read["steps"]] == read["kept"] == [info.step for info in store.checkpoints(RUN)]
    for step, total in read["steps"]:
        assert total == pytest.approx(sum(float(w.float().norm()) for w in weights(store, RUN, step).values()), 1e-5)


def test_a_job_is_computed_beside_a_run_that_takes_all_workers_and_lower_in_rank(
    processes_: Processes, store: Store, until: Until, ask: Callable[..., str], endless: Config
) -> None:
    processes_.trainer(script=WITH_KINDS)
    run_id = store.create_run(endless)
    until(lambda: store.metrics(run_id), "it trains")
    job = ask("slow", seconds=1.5)
    until(lambda: 0.0 < (store.job(job).seconds_left or 0.0) < 60.0, "it says how long it will take")
    until(lambda: state(store, job) == "finished", "it is done beside the run")
    assert store.run(run_id).status == "running"
    assert found(store, job) == {"threads": 1, "nice": job_worker.NICENESS}
    assert store.job(job).seconds_left is None


def test_a_job_whose_worker_or_trainer_is_killed_is_begun_again_and_ends(
    processes_: Processes, store: Store, until: Until, ask: Callable[..., str]
) -> None:
    trainer = processes_.trainer(script=WITH_KINDS)
    job = ask("slow", seconds=1.5)
    until(lambda: store.job(job).progress > 0.0, "it is computed")
    (worker,) = trainer.children()
    worker.kill()
    until(lambda: store.job(job).attempts == 1 and store.job(job).progress > 0.0, "it is computed anew")
    (worker,) = trainer.children()
    trainer.kill()
    trainer.wait(timeout=120)
    until(lambda: not worker.is_running(), "its worker ends with the trainer")
    assert state(store, job) == "running", "nobody is there to say otherwise"
    processes_.trainer(script=WITH_KINDS)
    until(lambda: state(store, job) == "finished", "the next trainer has it computed")
    assert store.job(job).attempts == 2


@pytest.mark.parametrize("killed", [False, True], ids=["trainer told to end", "app killed"])
def test_a_trainer_that_ends_in_order_leaves_its_job_as_if_it_had_not_been_begun(
    processes_: Processes, store: Store, until: Until, ask: Callable[..., str], killed: bool
) -> None:
    app = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    trainer = processes_.trainer("--app", str(app.pid), script=WITH_KINDS)
    job = ask("slow", seconds=60.0)
    until(lambda: store.job(job).progress > 0.0, "it is computed")
    (app if killed else trainer).send_signal(signal.SIGKILL if killed else signal.SIGTERM)
    until(lambda: store.trainers() == [], "the trainer has ended")
    left = store.job(job)
    assert (left.state, left.attempts, left.progress, left.place) == ("queued", 0, 0.0, 1)
    app.kill()
    app.wait(timeout=120)


def test_a_cancelled_job_ends_at_once_and_one_that_hears_nothing_is_killed(
    processes_: Processes, store: Store, until: Until, ask: Callable[..., str]
) -> None:
    trainer = processes_.trainer(script=WITH_KINDS)
    for kind in ("slow", "deaf"):
        job = ask(kind, seconds=60.0)
        until(lambda job=job: state(store, job) == "running" and trainer.children(), "it is computed")
        store.cancel_job(job, by="ada")
        assert state(store, job) == "cancelled"
        until(lambda: not trainer.children(), "its worker is gone")
        assert store.job(job).message == "Cancelled."
    after = ask("norms", times=1)
    until(lambda: state(store, after) == "finished", "the slot is free again")


IMPATIENT = f"import job_kinds\nfrom playground.runs.trainer import job_slots\njob_slots.OVERDUE_SECONDS = 0.5\n{START}"


def test_no_job_takes_longer_than_its_time_limit(
    settings: AppSettings, store: Store, until: Until, ask: Callable[..., str]
) -> None:
    processes = Processes(replace(settings, max_job_seconds=1.0, job_workers=2), store, until)
    trainer = processes.trainer(script=IMPATIENT)
    jobs = [ask("slow", seconds=60.0), ask("deaf", seconds=60.0)]
    try:
        until(lambda: all(state(store, job) == "failed" for job in jobs), "both are ended")
        for job in jobs:
            assert "UNROLLED_MAX_JOB_SECONDS" in store.job(job).message
        until(lambda: not trainer.children(), "no worker is left")
    finally:
        processes.end()


def test_two_trainers_compute_each_job_once(
    processes_: Processes, store: Store, until: Until, ask: Callable[..., str]
) -> None:
    processes_.trainer(script=WITH_KINDS)
    processes_.trainer(script=WITH_KINDS)
    jobs = [ask("norms", times=number) for number in range(12)]
    until(lambda: all(state(store, job) == "finished" for job in jobs), "all are computed")
    with store.reading() as connection:
        claims = connection.exec_driver_sql("SELECT claim, attempts FROM jobs").all()
    assert claims == [(1, 0)] * len(jobs)


def test_a_spawned_worker_computes_too(
    store: Store, settings: AppSettings, until: Until, ask: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.runs.trainer.trainer import Trainer

    trainer = Trainer(store, settings, fork=False)
    trainer._send_heartbeat()
    job = ask("nothing")  # the fresh interpreter does not know the test's kinds

    def ended() -> bool:
        trainer._try(trainer._look_at_queue)
        trainer._try(trainer._reap)
        return state(store, job) == "failed"

    until(ended, "it has looked at its job")
    assert "no analysis 'nothing'" in store.job(job).message
    trainer._end_workers()


# ---------------------------------------------------------------------- in this process


@pytest.fixture
def work(store: Store, settings: AppSettings) -> Callable[..., None]:
    """Claim what waits longest and compute it here."""
    assert job_kinds

    def compute(**changed: Any) -> None:
        claim = store.claim_job("trainer")
        assert claim is not None
        JobWorker(store, claim, replace(settings, **changed), alive=lambda: True).work()

    return compute


def test_weights_that_have_changed_since_are_not_looked_at(
    store: Store, request_for: Callable[..., JobRequest], work: Callable[..., None]
) -> None:
    job = store.request_job(replace(request_for("norms", times=1), weights="0" * 64))
    work()
    assert "have changed since" in store.job(job.id).message


def test_a_result_that_is_too_large_is_refused(
    store: Store, ask: Callable[..., str], work: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_worker, "MAX_RESULT_BYTES", 10)
    job = ask("norms", times=1)
    work()
    assert "ask for less" in store.job(job).message
    assert store.job(job).state == "failed"


def test_what_a_worker_finds_after_its_job_was_cancelled_and_asked_anew_is_dropped(
    store: Store, settings: AppSettings, request_for: Callable[..., JobRequest]
) -> None:
    wanted = request_for("norms", times=1)
    store.request_job(wanted, owner="ada")
    first = store.claim_job("trainer")
    assert first is not None
    store.cancel_job(wanted.id, by="ada")
    store.request_job(wanted, owner="bob")
    store.claim_job("trainer")
    JobWorker(store, first, settings, alive=lambda: True).work()
    again = store.job(wanted.id)
    assert (again.state, again.owner) == ("running", "bob")


@pytest.mark.parametrize("share", [float("nan"), -1.0, 7.0])
def test_progress_stays_between_none_and_all(
    share: float, store: Store, settings: AppSettings, ask: Callable[..., str]
) -> None:
    ask("norms", times=1)
    claim = store.claim_job("trainer")
    assert claim is not None
    worker = JobWorker(store, claim, settings, alive=lambda: True)
    worker.report(share)
    assert 0.0 <= worker._progress <= 1.0


def test_how_long_it_will_still_take_follows_from_what_is_done(
    store: Store, settings: AppSettings, ask: Callable[..., str]
) -> None:
    ask("norms", times=1)
    claim = store.claim_job("trainer")
    assert claim is not None
    worker = JobWorker(store, claim, settings, alive=lambda: True)
    worker.report(0.25)
    assert worker.seconds_left is None, "too early to tell"
    worker._began = time.perf_counter() - 10.0
    assert worker.seconds_left == pytest.approx(30.0, rel=0.05)
