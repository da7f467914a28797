"""What stands in the place of an analysis until its result is there: how far it is, and why it failed."""

from __future__ import annotations

import streamlit as st

from playground.access import jobs
from playground.frame import fragments, services
from playground.frame.fragments import fragment
from playground.runs.jobs.records import Job, JobRequest
from playground.runs.records import FINISHED, QUEUED, StoreError
from playground.text import duration, escape_markdown

POLL_SECONDS = 0.3
"""Time between two looks at a job that is not done."""


def waiting(job: Job, *, key: str) -> bool:
    """Whether the result of a job is not there yet; then how it stands is drawn here.

    It looks at the job by itself, and draws the fragment around it (or the page) once more as soon as the job has
    ended:

        job = ask(view.loaded, "unit_search", {"layer": 1})
        if not waiting(job, key="gates.units"):
            draw(job.result)

    Args:
        job: as `ask` has just given it
        key: of what is drawn, the only one on its page
    """
    if job.state == FINISHED:
        return False
    if not job.id:
        _say_why(job)
        return True
    pace = POLL_SECONDS if job.open else None
    fragment(_standing, key=f"{key}.job", run_every=pace)(job, key, fragments.current())
    return True


def standing(job: Job) -> str:
    """How a job that is not done stands, in a line: "Unit search: 42%, about 8 s left"."""
    if job.state == QUEUED:
        return f"{jobs.title(job)}: number {job.place} in the queue" if job.place else f"{jobs.title(job)}: queued"
    if not job.progress:
        return f"{jobs.title(job)} at step {job.step:,}"
    left = "" if job.seconds_left is None else f", about {duration(max(1.0, round(job.seconds_left)))} left"
    return f"{jobs.title(job)} at step {job.step:,}: {100 * job.progress:.0f}%{left}"


def _standing(drawn: Job, key: str, around: str | None) -> None:
    job = jobs.look(drawn.request)
    if job.open != drawn.open:
        fragments.rerun(around)
    if job.open:
        st.progress(job.progress, text=escape_markdown(standing(job)))
        if job.may_be_cancelled_by(services.visitor()):
            st.button("Cancel", key=f"{key}.cancel", on_click=_cancel, args=(job,))
        return
    _say_why(job)
    st.button("Try again", key=f"{key}.again", on_click=_try_again, args=(job.request,))


def _say_why(job: Job) -> None:
    st.warning(escape_markdown(job.message), icon=":material/error:")


def _cancel(job: Job) -> None:
    try:
        jobs.cancel(job)
    except StoreError as error:  # another visitor's, or the store is out of reach
        st.toast(escape_markdown(str(error)))


def _try_again(request: JobRequest) -> None:
    jobs.ask_anew(request)
