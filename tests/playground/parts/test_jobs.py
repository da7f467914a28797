"""What stands in the place of a result."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.frame import services
from playground.parts.jobs import standing
from playground.runs.jobs.records import Job, JobRequest, pack
from playground.runs.jobs.registry import JobKind, register

REQUEST = JobRequest("hello-rnn", 500, "0" * 64, "count")


@pytest.fixture(autouse=True)
def kind(idle_trainer: object) -> JobKind:
    return register(JobKind("count", "Count *all*", lambda given: 7))


def _script() -> None:
    import streamlit as st

    from playground.access.jobs import ask
    from playground.access.models import load
    from playground.access.runs import snapshot_of
    from playground.parts.jobs import waiting

    job = ask(load(snapshot_of("hello-rnn"), -1), "count", {})
    if not waiting(job, key="test"):
        st.write(f"Result: {job.result}")


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_function(_script, default_timeout=60).run()


def _end(state: str, **values: object) -> None:
    claim = services.store().claim_job("trainer")
    assert claim is not None
    ((job, number),) = claim.numbers.items()
    assert services.store().end_job(job, number, state, **values)


def _said(page: AppTest) -> list[str]:
    assert not page.exception
    return [one.value for one in (*page.markdown, *page.warning)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"place": 3}, "Count *all*: number 3 in the queue"),
        ({"state": "running"}, "Count *all* at step 500"),
        ({"state": "running", "progress": 0.424}, "Count *all* at step 500: 42%"),
        ({"state": "running", "progress": 0.424, "seconds_left": 8.3}, "Count *all* at step 500: 42%, about 8 s left"),
        ({"state": "running", "progress": 0.99, "seconds_left": 0.1}, "Count *all* at step 500: 99%, about 1 s left"),
    ],
)
def test_how_far_a_job_is_stands_in_one_line(values: dict, said: str) -> None:
    assert standing(Job("id", REQUEST, **values)) == said


def test_the_result_takes_the_place_of_the_progress(page: AppTest) -> None:
    (bar,) = page.get("progress")
    assert bar.proto.text == "Count \\*all\\*\\:\u2060 number 1 in the queue"
    assert [button.label for button in page.button] == ["Cancel"]
    _end("finished", result=pack(7))
    page.run()
    assert _said(page) == ["Result: 7"]
    assert not page.get("progress")
    assert not page.button


def test_a_job_that_failed_says_why_and_can_be_tried_again(page: AppTest) -> None:
    _end("failed", message="No *such* unit.")
    page.run()
    assert _said(page) == [r"No \*such\* unit\."]
    (again,) = page.button
    again.click().run()
    assert page.get("progress")
    assert [button.label for button in page.button] == ["Cancel"]


def test_what_cannot_be_asked_for_says_why_and_offers_no_second_try() -> None:
    def script() -> None:
        from playground.parts.jobs import waiting
        from playground.runs.jobs.records import Job, JobRequest

        job = Job("", JobRequest("hello-rnn", 500, "live", "count"), state="failed", message="Too long.")
        assert waiting(job, key="test")

    page = AppTest.from_function(script).run()
    assert _said(page) == [r"Too long\."]
    assert not page.button


def test_who_asked_may_cancel_and_nobody_else_is_offered_it(page: AppTest) -> None:
    other = AppTest.from_function(_script, default_timeout=60).run()
    assert other.get("progress")
    assert not other.button
    page.button[0].click().run()
    assert _said(page) == [r"Cancelled\."]
    other.run()
    assert [button.label for button in other.button] == ["Try again"]
