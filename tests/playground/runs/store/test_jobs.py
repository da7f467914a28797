"""Jobs in the store: asked for once, claimed once, given up in the end, and removed with their run."""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.config import Config
from playground.runs.jobs.records import JobNotFoundError, JobRefusedError, JobRequest, canonical, pack, unpack
from playground.runs.limits import check_job_quota
from playground.runs.records import LimitError, RunNotFoundError
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.jobs import MAX_ATTEMPTS

MakeRequest = Callable[..., JobRequest]


@pytest.fixture
def run_id(store: Store, tiny: Config) -> str:
    return store.create_run(tiny, owner="ada")


@pytest.fixture
def wanted(run_id: str) -> MakeRequest:
    def made(number: int = 0, **changed: object) -> JobRequest:
        request = JobRequest(run_id, 40, "a" * 64, "search", canonical({"number": number}))
        return replace(request, **changed)  # type: ignore[arg-type]

    return made


def compute(store: Store, result: object = None) -> str:
    """Claim the job that waits longest and finish it; its id."""
    claim = store.claim_job("trainer")
    assert claim is not None
    ((job_id, number),) = claim.numbers.items()
    assert store.end_job(job_id, number, "finished", result=pack(result))
    return job_id


def test_the_same_question_is_one_job_whoever_asks_and_whatever_its_state(store: Store, wanted: MakeRequest) -> None:
    first = store.request_job(wanted(), owner="ada")
    assert (first.state, first.owner, first.place) == ("queued", "ada", 1)
    assert store.request_job(wanted(), owner="bob").owner == "ada"
    assert store.claim_job("trainer") is not None
    assert store.request_job(wanted(), owner="bob").state == "running"
    assert store.claim_job("trainer") is None
    same = JobRequest(wanted().run, 40, "a" * 64, "search", canonical(json.loads('{"number": 0}')))
    assert store.request_job(same).id == first.id


@pytest.mark.parametrize(
    "changed", [{"step": 41}, {"weights": "b" * 64}, {"kind": "map"}, {"arguments": '{"number":1}'}]
)
def test_another_question_is_another_job(store: Store, wanted: MakeRequest, changed: dict) -> None:
    assert store.request_job(wanted()).id != store.request_job(wanted(**changed)).id


def test_arguments_are_the_same_in_any_order_and_have_a_bound() -> None:
    assert canonical({"a": 1, "b": [2.5]}) == canonical({"b": [2.5], "a": 1})
    with pytest.raises(JobRefusedError, match="20,000 are allowed"):
        canonical({"text": "x" * 20_000})


def test_a_result_comes_back_as_it_was_with_nan_and_infinity(store: Store, wanted: MakeRequest) -> None:
    result = {"scores": [0.1, math.nan, math.inf, None], "text": "é\ud800\n", "deep": {"a": [True]}}
    store.request_job(wanted())
    again = json.loads(unpack(store.job_result(compute(store, result))))
    assert math.isnan(again["scores"].pop(1))
    del result["scores"][1]  # type: ignore[attr-defined]
    assert again == result


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
def test_what_went_wrong_is_begun_anew_for_who_asks_next(store: Store, wanted: MakeRequest, ended: str) -> None:
    job = store.request_job(wanted(), owner="ada")
    claim = store.claim_job("trainer")
    assert claim is not None
    if ended == "failed":
        store.end_job(job.id, claim.numbers[job.id], "failed", message="It broke.")
    else:
        store.cancel_job(job.id, by="ada")
    assert store.job(job.id).state == ended
    again = store.request_job(wanted(), owner="bob")
    assert (again.state, again.owner, again.message, again.attempts) == ("queued", "bob", "", 0)
    assert not store.end_job(job.id, claim.numbers[job.id], "finished", result=pack(1)), "the old claim writes nothing"


def test_only_who_asked_first_may_cancel(store: Store, wanted: MakeRequest) -> None:
    job = store.request_job(wanted(), owner="ada")
    store.request_job(wanted(), owner="bob")
    assert job.may_be_cancelled_by("ada")
    assert not job.may_be_cancelled_by("bob")
    with pytest.raises(JobRefusedError, match="another visitor"):
        store.cancel_job(job.id, by="bob")
    store.cancel_job(job.id)  # the app
    assert store.job(job.id).state == "cancelled"
    with pytest.raises(JobNotFoundError):
        store.cancel_job("none")


def test_a_job_that_has_ended_is_not_cancelled_any_more(store: Store, wanted: MakeRequest) -> None:
    job = store.request_job(wanted(), owner="ada")
    compute(store, 7)
    store.cancel_job(job.id, by="ada")
    assert store.job(job.id).state == "finished"


def test_a_run_that_is_not_there_has_no_jobs(store: Store, wanted: MakeRequest, run_id: str) -> None:
    with pytest.raises(RunNotFoundError):
        store.request_job(wanted(run="nowhere"))
    store.delete_run(run_id)
    with pytest.raises(RunNotFoundError):
        store.request_job(wanted())


def test_the_queue_is_served_in_order_and_tells_each_its_place(store: Store, wanted: MakeRequest) -> None:
    jobs = [store.request_job(wanted(number)).id for number in range(4)]
    assert [store.jobs(jobs)[job].place for job in jobs] == [1, 2, 3, 4]
    assert [compute(store) for _ in range(2)] == jobs[:2]
    assert [store.jobs(jobs)[job].place for job in jobs] == [None, None, 1, 2]
    assert set(store.jobs(jobs[2:3])) == {jobs[2]}, "those that were not asked for are left out"


def test_two_processes_that_claim_at_once_never_get_the_same_job(store: Store, wanted: MakeRequest) -> None:
    jobs = {store.request_job(wanted(number)).id for number in range(40)}
    store.close()
    forked = multiprocessing.get_context("fork")
    together, answers = forked.Barrier(2), forked.Queue()

    def claim_all() -> None:
        mine = Store(store.url, store.starters)
        together.wait(timeout=120)
        got = []
        while (claim := mine.claim_job("trainer")) is not None:
            got += claim.numbers
        answers.put(got)

    processes = [forked.Process(target=claim_all) for _ in range(2)]
    for process in processes:
        process.start()
    found = [job for _ in processes for job in answers.get(timeout=120)]
    for process in processes:
        process.join(timeout=120)
    assert len(found) == len(jobs)
    assert set(found) == jobs


def test_two_processes_that_ask_the_same_at_once_get_one_job(store: Store, wanted: MakeRequest) -> None:
    request = wanted()
    store.close()
    forked = multiprocessing.get_context("fork")
    together, answers = forked.Barrier(2), forked.Queue()

    def ask(owner: str) -> None:
        mine = Store(store.url, store.starters)
        together.wait(timeout=120)
        answers.put(mine.request_job(request, owner=owner).owner)

    processes = [forked.Process(target=ask, args=(owner,)) for owner in ("ada", "bob")]
    for process in processes:
        process.start()
    owners = {answers.get(timeout=120) for _ in processes}
    for process in processes:
        process.join(timeout=120)
    assert owners == {store.job(request.id).owner}


def test_a_job_that_is_left_unfinished_again_and_again_is_given_up(store: Store, wanted: MakeRequest) -> None:
    job = store.request_job(wanted())
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claim = store.claim_job("trainer")
        assert claim is not None
        assert store.report_job(job.id, claim.numbers[job.id], 0.5, 3.0)
        assert store.requeue_jobs(claim.numbers, "its process was killed") == [job.id]
        assert store.requeue_jobs(claim.numbers, "its process was killed") == [], "it is told once"
        assert store.job(job.id).attempts == attempt
    given_up = store.job(job.id)
    assert given_up.state == "failed"
    assert "3 attempts: its process was killed." in given_up.message
    assert store.claim_job("trainer") is None


def test_a_removed_trainer_leaves_its_jobs_to_the_next(store: Store, wanted: MakeRequest) -> None:
    job = store.request_job(wanted())
    trainer = store.register_trainer(1, "here", 0.0, 1)
    store.claim_job(trainer)
    assert store.unregistered_trainers() == []
    store.remove_trainer(trainer, "It ended.")
    assert store.job(job.id).state == "queued"
    store.claim_job("never registered")
    assert store.unregistered_trainers() == ["never registered"]
    store.remove_trainer("never registered", "It was lost.")
    assert store.job(job.id).attempts == 2


def test_the_jobs_of_a_deleted_run_are_cancelled_and_go_with_it(
    store: Store, wanted: MakeRequest, run_id: str, tiny: Config
) -> None:
    other = store.request_job(wanted(run=store.create_run(tiny)))
    done, waits = store.request_job(wanted(1)), store.request_job(wanted(2))
    store.cancel_job(other.id)
    store.request_job(wanted(run=other.request.run))  # asked anew, it waits behind the others
    assert compute(store, "result") == done.id
    store.delete_run(run_id, by="ada")
    assert store.job(waits.id).state == "cancelled"
    assert "its run was deleted" in store.job(waits.id).message
    store.restore_run(run_id, by="ada")
    assert store.job_result(done.id)
    store.delete_run(run_id, by="ada")
    store.purge(older_than=0)
    assert set(store.jobs([done.id, waits.id, other.id])) == {other.id}


def test_the_oldest_results_go_beyond_a_number_and_a_size(store: Store, wanted: MakeRequest) -> None:
    jobs = [store.request_job(wanted(number)).id for number in range(6)]
    assert [compute(store, number) for number in range(5)] == jobs[:5]
    assert store._purge_jobs(kept=3) == 2
    assert set(store.jobs(jobs)) == set(jobs[2:]), "the newest stay, and what waits"
    each = len(store.job_result(jobs[4]))
    assert store._purge_jobs(bytes_kept=2 * each) == 1
    assert set(store.jobs(jobs)) == set(jobs[3:])
    with pytest.raises(JobNotFoundError, match="ask for it again"):
        store.job_result(jobs[2])


def test_results_count_as_storage_of_their_run(store: Store, wanted: MakeRequest, run_id: str) -> None:
    before = store.storage().used
    store.request_job(wanted())
    packed = len(store.job_result(compute(store, list(range(50_000)))))
    assert store.sizes() == {run_id: packed}
    assert 0.9 * packed < store.storage().used - before < 1.8 * packed, "counted once, in whole pages"
    store.delete_run(run_id)
    assert store.storage().restorable == packed


def test_a_visitor_has_only_so_many_jobs_at_once(settings: AppSettings, store: Store, wanted: MakeRequest) -> None:
    few = replace(settings, max_jobs_per_visitor=2)
    store.request_job(wanted(1), owner="ada")
    check_job_quota(few, store, "ada")
    store.request_job(wanted(2), owner="ada")
    check_job_quota(few, store, "bob")
    with pytest.raises(LimitError, match="UNROLLED_MAX_JOBS_PER_VISITOR"):
        check_job_quota(few, store, "ada")
    compute(store)
    check_job_quota(few, store, "ada")


def test_the_queue_of_jobs_has_an_end(settings: AppSettings, store: Store, wanted: MakeRequest) -> None:
    few = replace(settings, max_job_queue=1)
    store.request_job(wanted(), owner="ada")
    with pytest.raises(LimitError, match="UNROLLED_MAX_JOB_QUEUE"):
        check_job_quota(few, store, "bob")
    store.claim_job("trainer")
    check_job_quota(few, store, "bob")
