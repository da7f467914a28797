"""Results of jobs as pages ask for them: begun once, read together, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from playground.access import jobs
from playground.access.jobs import JobReader, ask, ask_anew, cancel, job_reader, look
from playground.access.models import LIVE, Loaded
from playground.frame import services
from playground.runs.executor import ExecutorError
from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.records import JobRequest, pack
from playground.runs.jobs.registry import JobKind, register
from playground.runs.records import StoreError
from playground.runs.store import Store
from playground.runs.trainer.job_worker import JobWorker

LoadRun = Callable[..., Loaded]


def _count(given: JobInput) -> dict[str, int]:
    return {"parameters": sum(weight.numel() for weight in given.model.parameters()), "step": given.step}


@pytest.fixture(autouse=True)
def kind(idle_trainer: object) -> JobKind:
    return register(JobKind("count", "Count", _count))


@pytest.fixture
def compute() -> Callable[[], None]:
    """Compute the job that waits longest, as the trainer's worker does."""

    def run() -> None:
        claim = services.store().claim_job("trainer")
        assert claim is not None
        JobWorker(services.store(), claim, services.settings(), alive=lambda: True).work()

    return run


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids that the store is asked about, one list for each query."""
    asked: list[list[str]] = []
    jobs_of = Store.jobs
    monkeypatch.setattr(Store, "jobs", lambda self, ids: (asked.append(sorted(ids)), jobs_of(self, ids))[1])
    return asked


def test_a_result_is_there_once_it_is_computed_and_is_not_read_again(
    load_run: LoadRun, compute: Callable[[], None], queries: list
) -> None:
    loaded = load_run("hello-rnn")
    job = ask(loaded, "count", {})
    assert (job.state, job.result, job.step) == ("queued", None, loaded.step)
    compute()
    done = ask(loaded, "count", {})
    assert done.result == {
        "parameters": sum(weight.numel() for weight in loaded.model.parameters()),
        "step": loaded.step,
    }
    queries.clear()
    assert ask(loaded, "count", {}) is done
    assert queries == []


def test_a_result_of_yesterday_is_found_by_another_process(
    load_run: LoadRun, compute: Callable[[], None], idle_trainer: object
) -> None:
    loaded = load_run("hello-rnn")
    ask(loaded, "count", {})
    compute()
    job_reader.clear()
    assert ask(loaded, "count", {}).result["step"] == loaded.step
    assert services.store().open_jobs() == 0


def test_a_short_job_is_done_when_it_is_first_looked_at(
    load_run: LoadRun, compute: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtOnce:
        def submit(self, _: object) -> None:
            compute()

    monkeypatch.setattr(services, "executor", AtOnce)
    monkeypatch.setattr(jobs, "FIRST_LOOK_SECONDS", 60.0)
    assert ask(load_run("hello-rnn"), "count", {}).state == "finished"


def test_all_who_wait_are_served_by_one_query_in_a_while(queries: list, load_run: LoadRun) -> None:
    store, loaded = services.store(), load_run("hello-rnn")
    reader = JobReader(store, read_seconds=60.0)
    wanted = [JobRequest("hello-rnn", loaded.step, loaded.version, "count", f'{{"n":{number}}}') for number in range(3)]
    for request in wanted:
        reader.begun(store.request_job(request))
    queries.clear()
    for _ in range(20):
        for request in wanted:
            assert reader.known(request.id) is not None
    assert queries == [sorted(request.id for request in wanted)]


def test_what_was_looked_at_long_ago_is_not_read_any_more(
    queries: list, load_run: LoadRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_run("hello-rnn")
    job = ask(loaded, "count", {})
    monkeypatch.setattr(jobs, "ASKED_SECONDS", -1.0)
    queries.clear()
    assert job_reader().known(job.id) is None
    assert queries == []


def test_results_are_kept_up_to_a_bound(load_run: LoadRun, monkeypatch: pytest.MonkeyPatch, queries: list) -> None:
    monkeypatch.setattr(jobs, "RESULT_CHARACTERS", 2_000)
    store, loaded = services.store(), load_run("hello-rnn")
    reader = JobReader(store, 0.0)
    for number in range(5):
        job = store.request_job(JobRequest("hello-rnn", loaded.step, loaded.version, "count", f'{{"n":{number}}}'))
        claim = store.claim_job("trainer")
        assert claim is not None
        store.end_job(job.id, claim.numbers[job.id], "finished", result=pack("x" * 900))
        known = reader.begun(store.job(job.id))
        assert known is not None
        assert len(known.result) == 900
    assert len(reader._results._values) == 2


def test_live_weights_are_looked_at_by_the_checkpoint_before_them(
    load_run: LoadRun, new_run: Callable[[str], str], make_checkpoint: Callable
) -> None:
    run = new_run("trains")
    for step in (0, 20, 60):
        services.store().put_checkpoint(run, make_checkpoint(run, step, seed=step))
    live = replace(load_run(run, 20), step=59, version=LIVE)
    job = ask(live, "count", {})
    assert (job.step, job.request.weights) == (20, services.store().checkpoints(run)[1].sha256)
    none = ask(replace(live, step=-1), "count", {})
    assert (none.state, none.id) == ("failed", "")
    assert "no checkpoint yet" in none.message


def test_arguments_that_are_too_long_are_refused_and_never_asked(load_run: LoadRun) -> None:
    job = ask(load_run("hello-rnn"), "count", {"text": "x" * 30_000})
    assert (job.state, job.id) == ("failed", "")
    assert "shorter text" in job.message
    assert services.store().open_jobs() == 0


def test_what_cannot_be_asked_for_says_why_and_is_begun_as_soon_as_it_can(
    load_run: LoadRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_run("hello-rnn")
    few = replace(services.settings(), max_jobs_per_visitor=1)
    monkeypatch.setattr(services, "settings", lambda: few)
    first = ask(loaded, "count", {"n": 1})
    second = ask(loaded, "count", {"n": 2})
    assert (second.state, "UNROLLED_MAX_JOBS_PER_VISITOR" in second.message) == ("failed", True)
    services.store().cancel_job(first.id)
    assert ask(loaded, "count", {"n": 2}).state == "queued"


def test_an_unknown_analysis_and_a_trainer_that_does_not_start_are_told(
    load_run: LoadRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_run("hello-rnn")
    assert "There is no analysis 'nothing'" in ask(loaded, "nothing", {}).message

    class Broken:
        def submit(self, _: object) -> None:
            raise ExecutorError("The trainer cannot be started.")

    monkeypatch.setattr(services, "executor", Broken)
    assert ask(loaded, "count", {}).message == "The trainer cannot be started."


def test_a_cancelled_job_stays_so_until_it_is_asked_anew(load_run: LoadRun) -> None:
    loaded = load_run("hello-rnn")
    job = ask(loaded, "count", {})
    cancel(job)
    assert ask(loaded, "count", {}).state == "cancelled"
    assert ask_anew(job.request).state == "queued"
    assert ask(loaded, "count", {}).state == "queued"


def test_a_job_that_went_with_its_run_is_refused(
    load_run: LoadRun, new_run: Callable[[str], str], make_checkpoint: Callable
) -> None:
    run, store = new_run("goes"), services.store()
    store.put_checkpoint(run, make_checkpoint(run, 0))
    job = ask(load_run(run, 0), "count", {})
    store.delete_run(run)
    store.purge(older_than=0)
    assert "There is no run" in look(job.request).message


def test_a_store_out_of_reach_leaves_what_was_read(load_run: LoadRun, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_run("hello-rnn")
    ask(loaded, "count", {})

    def fails(*_: object) -> dict:
        raise StoreError("The store is busy.")

    monkeypatch.setattr(Store, "jobs", fails)
    assert ask(loaded, "count", {}).state == "queued"
