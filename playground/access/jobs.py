"""Results of jobs: asked for once, read by one reader for all visitors of an app process, and kept up to a bound."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from playground.access.cache import BoundedCache
from playground.access.models import LIVE, Loaded, ModelError
from playground.frame import services
from playground.runs.executor import ExecutorError
from playground.runs.jobs.records import ANSWERED, Job, JobNotFoundError, JobRequest, canonical, unpack
from playground.runs.jobs.registry import job_kind
from playground.runs.limits import check_job_quota
from playground.runs.records import FAILED, FINISHED, StoreError
from playground.runs.store import Store

log = logging.getLogger("unrolled.jobs")

READ_SECONDS = 0.2
"""Time between two looks into the store, however many wait."""

FIRST_LOOK_SECONDS = 0.2
"""How long whoever begins a job waits for it: a short one is done by then, and no progress is drawn for a blink."""

RESULT_CHARACTERS = 48_000_000
"""Results kept in memory, as characters of their JSON; the ones used last stay."""

ASKED_SECONDS = 600.0
"""How long a job that nobody has looked at any more is read from the store."""

ASKED_KEPT = 1_000
"""Jobs without a result that are read at most; the ones looked at last stay."""


@dataclass(frozen=True)
class _Kept:
    """A finished job with its result."""

    job: Job
    characters: int


class JobReader:
    """Jobs of one store, shared by all threads of a process.

    Args:
        store: where they are
        read_seconds: what was read no longer ago is not read again
    """

    def __init__(self, store: Store, read_seconds: float = READ_SECONDS) -> None:
        self._store = store
        self._read_seconds = read_seconds
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, tuple[Job, float]] = OrderedDict()
        """jobs without a result, and when each was last looked at"""
        self._results: BoundedCache[_Kept] = BoundedCache(RESULT_CHARACTERS, lambda kept: kept.characters)
        self._read_at = -1e9

    def known(self, job_id: str) -> Job | None:
        """The job as it stood at most `read_seconds` ago, with its result if it has finished; None where nobody in this
        process has asked for it. Raises StoreError: its result cannot be read."""
        kept = self._results.peek(job_id)
        if kept is not None:
            return kept.job
        with self._lock:
            self._read()
            if job_id not in self._asked:
                return None
            job, _ = self._asked[job_id]
            self._look(job)
        return self._with_result(job)

    def begun(self, job: Job) -> Job | None:
        """The same, for a job that was just read from the store: it is read again from now on."""
        with self._lock:
            self._look(job)
        return self._with_result(job)

    def _look(self, job: Job) -> None:
        self._asked[job.id] = (job, time.monotonic())
        self._asked.move_to_end(job.id)
        while len(self._asked) > ASKED_KEPT:
            self._asked.popitem(last=False)

    def _read(self) -> None:
        """Read the jobs that are not done, in one query for all who wait."""
        now = time.monotonic()
        for job_id, (_, looked_at) in list(self._asked.items()):
            if now - looked_at > ASKED_SECONDS:
                del self._asked[job_id]
        waiting = [job_id for job_id, (job, _) in self._asked.items() if job.open]
        if not waiting or now - self._read_at < self._read_seconds:
            return
        self._read_at = now
        try:
            found = self._store.jobs(waiting)
        except StoreError as error:  # the frame says so; what was read before stands
            log.info("Jobs could not be read: %s", error)
            return
        for job_id in waiting:
            if job_id in found:
                self._asked[job_id] = (found[job_id], self._asked[job_id][1])
            else:  # it went with its run
                del self._asked[job_id]

    def _with_result(self, job: Job) -> Job | None:
        """The job, with its result if it has finished; None if that is no longer kept."""
        if job.state != FINISHED:
            return job
        try:
            return self._results.get(job.id, lambda: self._kept(job)).job
        except JobNotFoundError:
            return None
        finally:
            with self._lock:
                self._asked.pop(job.id, None)

    def _kept(self, job: Job) -> _Kept:
        text = unpack(self._store.job_result(job.id))
        return _Kept(replace(job, result=json.loads(text)), len(text))


@st.cache_resource(show_spinner=False)
def job_reader() -> JobReader:
    """The one of this app process."""
    return JobReader(services.store())


def ask(loaded: Loaded, kind: str, arguments: Mapping[str, Any]) -> Job:
    """The analysis of these weights: begun at the first call, with its `result` once it has finished. Later calls are
    cheap.

    Live weights are kept nowhere: the nearest step at or before theirs is looked at, and `Job.step` says which. What
    cannot be asked for now (a limit is reached, the run was deleted) has failed, and `Job.message` says why; it has no
    id where trying again is of no use. To be called where a visitor's page is drawn.

    Raises:
        ValueError, TypeError: the arguments are not plain data
    """
    try:
        step, weights = _kept_weights(loaded)
        request = JobRequest(loaded.run.id, step, weights, kind, canonical(arguments))
    except StoreError as error:
        return replace(_refused(JobRequest(loaded.run.id, loaded.step, loaded.version, kind), error), id="")
    return look(request)


def finished(loaded: Loaded, kind: str, arguments: Mapping[str, Any]) -> Any:
    """What the analysis of these weights found, if it is done and this process has read it; else None. It begins
    nothing."""
    try:
        step, weights = _kept_weights(loaded)
        job = job_reader().known(JobRequest(loaded.run.id, step, weights, kind, canonical(arguments)).id)
    except StoreError:
        return None
    return job.result if job is not None and job.state == FINISHED else None


def look(request: JobRequest) -> Job:
    """The job as it stands now, as `ask` gives it."""
    try:
        return job_reader().known(request.id) or _begun(request)
    except (StoreError, ExecutorError) as error:
        return _refused(request, error)


def ask_anew(request: JobRequest) -> Job:
    """The same for one that has failed or was cancelled: it is begun once more."""
    try:
        return _begun(request)
    except (StoreError, ExecutorError) as error:
        return _refused(request, error)


def cancel(job: Job) -> None:
    """Cancel a job for the visitor, who must be the one that asked first. Raises StoreError."""
    store = services.store()
    store.cancel_job(job.id, by=services.visitor())
    job_reader().begun(store.job(job.id))


def title(job: Job) -> str:
    """What the analysis is called. Raises JobRefusedError: there is none of that name."""
    return job_kind(job.request.kind).title


def _begun(request: JobRequest) -> Job:
    """The job, begun unless it is there: by anybody, today or earlier. Raises StoreError, ExecutorError."""
    store, visitor = services.store(), services.visitor()
    job_kind(request.kind)
    job = store.jobs([request.id]).get(request.id)
    if job is None or job.state not in ANSWERED:
        check_job_quota(services.settings(), store, visitor)
        job = store.request_job(request, owner=visitor)
        services.executor().submit(())
        job = _after_a_moment(store, job)
    elif job.open:
        services.executor().submit(())
    known = job_reader().begun(job)
    if known is None:
        raise JobNotFoundError("The result was removed to make room for newer ones just now: try again.")
    return known


def _after_a_moment(store: Store, job: Job) -> Job:
    """A job that was just begun, once it has ended or the moment is over; at once where others are before it."""
    end = time.monotonic() + FIRST_LOOK_SECONDS
    while job.open and (job.place or 1) == 1 and time.monotonic() < end:
        time.sleep(0.02)
        job = store.job(job.id)
    return job


def _kept_weights(loaded: Loaded) -> tuple[int, str]:
    """Step and hash of the checkpoint that is looked at. Raises StoreError: there is none."""
    if loaded.version != LIVE:
        return loaded.step, loaded.version
    saved = services.reader().snapshot(loaded.run.id).checkpoints
    before = [checkpoint for checkpoint in saved if checkpoint.step <= loaded.step]
    if not before:
        raise ModelError(f"{loaded.run.name} has no checkpoint yet: wait until the first one is saved.")
    return before[-1].step, before[-1].sha256


def _refused(request: JobRequest, error: Exception) -> Job:
    """What stands for a job that cannot be asked for now; it is in no store."""
    return Job(request.id, request, state=FAILED, message=str(error))
