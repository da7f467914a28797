"""Jobs in the store: asked for once, claimed like runs, and given up when they fail again and again.

A worker owns its job by claim number, as it owns runs. Whoever cancels a job changes its state at once; the worker
finds out by its next report that the job is no longer its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from playground.runs.jobs.records import (
    ANSWERED,
    CANCELLED,
    OPEN,
    Job,
    JobNotFoundError,
    JobRefusedError,
    JobRequest,
)
from playground.runs.records import FAILED, FINISHED, QUEUED, RUNNING
from playground.runs.store import schema
from playground.runs.store.dispatch import Claim, Dispatch

MAX_ATTEMPTS = 3
"""How often a job is begun: one whose worker ends that often before it is done has failed."""

RESULTS_KEPT = 500
"""Jobs that have ended and are kept; the oldest are removed first."""

RESULT_BYTES_KEPT = 100_000_000
"""Bytes of all results that are kept, compressed; the oldest are removed first."""

TRAINER_ENDED = "its trainer ended"

_TABLE = schema.jobs
_WITHOUT_RESULT = [column for column in _TABLE.columns if column.name != "result"]
_REQUEST = ("run", "step", "weights", "kind", "arguments")
_AS_STORED = (
    "id", "owner", "state", "progress", "seconds_left", "message", "attempts", "created", "started", "ended",
)  # fmt: skip
_NOT_BEGUN: Mapping[str, Any] = {
    "state": QUEUED, "progress": 0.0, "seconds_left": None, "started": None, "ended": None, "trainer": None,
    "message": "",
}  # fmt: skip


class JobQueue(Dispatch):
    """Jobs by id: asked for by pages, claimed by trainers, computed by workers."""

    # ---- called by pages

    def request_job(self, request: JobRequest, *, owner: str = "") -> Job:
        """The job that computes this, whoever asked for it; one that failed or was cancelled is begun anew.

        Raises:
            RunNotFoundError: there is no such run
        """
        known = self.jobs([request.id]).get(request.id)
        if known is not None and known.state in ANSWERED:
            return known
        asked = {"owner": owner, "created": time.time(), "attempts": 0, **_NOT_BEGUN}
        values = {"id": request.id, **{name: getattr(request, name) for name in _REQUEST}, **asked}
        with self.writing() as connection:
            if request.run not in self.starters:
                self._run(connection, request.run)
            connection.execute(schema.insert_new(self.engine, _TABLE), values)
            ended = (_TABLE.c.id == request.id) & _TABLE.c.state.not_in(ANSWERED)
            connection.execute(update(_TABLE).where(ended).values(asked))
        return self.job(request.id)

    def job(self, job_id: str) -> Job:
        """The job, without its result. Raises JobNotFoundError."""
        found = self.jobs([job_id])
        if job_id not in found:
            raise _not_found(job_id)
        return found[job_id]

    def jobs(self, job_ids: Iterable[str]) -> dict[str, Job]:
        """Those of these jobs that there are, by id, with their places in the queue but without results; one query."""
        wanted = set(job_ids)
        query = select(*_WITHOUT_RESULT).where((_TABLE.c.state == QUEUED) | _TABLE.c.id.in_(wanted))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(_TABLE.c.created, _TABLE.c.id)).all()
        places = {row.id: place for place, row in enumerate((row for row in rows if row.state == QUEUED), start=1)}
        return {row.id: _job(row, places.get(row.id)) for row in rows if row.id in wanted}

    def job_result(self, job_id: str) -> bytes:
        """What a finished job found, for `unpack`. Raises JobNotFoundError: it is not kept."""
        with self.reading() as connection:
            packed = connection.scalar(select(_TABLE.c.result).where(_TABLE.c.id == job_id))
        if packed is None:
            raise _not_found(job_id)
        return bytes(packed)

    def open_jobs(self, owner: str | None = None) -> int:
        """How many jobs of that owner run or wait; without an owner, how many of all wait."""
        chosen = _TABLE.c.state == QUEUED
        if owner is not None:
            chosen = _TABLE.c.state.in_(OPEN) & (_TABLE.c.owner == owner)
        with self.reading() as connection:
            return connection.scalar(select(func.count()).select_from(_TABLE).where(chosen)) or 0

    def cancel_job(self, job_id: str, *, by: str | None = None) -> None:
        """Cancel a job that waits or is computed; one that has ended stays as it is.

        Args:
            by: the visitor who asks: only who asked for the job first may cancel it. None for the app itself

        Raises:
            JobNotFoundError: there is no such job; JobRefusedError: another visitor's
        """
        with self.writing() as connection:
            found = select(_TABLE.c.owner).where(_TABLE.c.id == job_id).with_for_update()
            row = connection.execute(found).one_or_none()
            if row is None:
                raise _not_found(job_id)
            if by is not None and row.owner not in ("", by):
                raise JobRefusedError("This analysis was started by another visitor: only they can cancel it.")
            _cancel(connection, _TABLE.c.id == job_id, "Cancelled.")

    # ---- called by trainers

    def claim_job(self, trainer: str) -> Claim | None:
        """Claim the job that has waited longest, for one worker; None if none waits. Atomic."""
        queued = select(_TABLE.c.id).where(_TABLE.c.state == QUEUED).order_by(_TABLE.c.created, _TABLE.c.id).limit(1)
        with self.reading() as connection:
            if connection.scalar(queued) is None:
                return None
        with self.writing() as connection:
            job_id = connection.scalar(queued.with_for_update(skip_locked=True))
            if job_id is None:
                return None
            begun = {**_NOT_BEGUN, "state": RUNNING, "trainer": trainer, "started": time.time()}
            claimed = update(_TABLE).where(_TABLE.c.id == job_id).values(**begun, claim=_TABLE.c.claim + 1)
            return Claim(trainer, {job_id: connection.execute(claimed.returning(_TABLE.c.claim)).scalar_one()})

    def held_jobs(self, claims: Mapping[str, int]) -> set[str]:
        """Those of these jobs that still belong to whoever has these claim numbers."""
        with self.reading() as connection:
            return set(_held(connection, claims))

    def requeue_jobs(self, claims: Mapping[str, int], cause: str, *, counted: bool = True) -> list[str]:
        """Queue jobs again whose worker has ended before they were done; returns those.

        One that was begun `MAX_ATTEMPTS` times has failed instead, with `cause` in its message. It is not `counted`
        where nothing went wrong.
        """
        if not self.held_jobs(claims):
            return []
        with self.writing() as connection:
            attempts = _held(connection, claims, lock=True)
            for job_id, before in attempts.items():
                tried = before + counted
                values = {**_NOT_BEGUN, "attempts": tried}
                if tried >= MAX_ATTEMPTS:
                    message = f"Given up after {tried} attempts: {cause}. Try again, or ask for less."
                    values |= {"state": FAILED, "message": message, "ended": time.time()}
                connection.execute(update(_TABLE).where(_TABLE.c.id == job_id).values(values))
        return list(attempts)

    def remove_trainer(self, trainer: str, reason: str) -> list[str]:
        """As `Dispatch.remove_trainer`; the jobs that it still had are queued again."""
        lost = select(_TABLE.c.id, _TABLE.c.claim).where(_TABLE.c.trainer == trainer, _TABLE.c.state == RUNNING)
        with self.reading() as connection:
            claims = {row.id: row.claim for row in connection.execute(lost)}
        if claims:
            self.requeue_jobs(claims, TRAINER_ENDED)
        return super().remove_trainer(trainer, reason)

    def unregistered_trainers(self) -> list[str]:
        """As `Dispatch.unregistered_trainers`; also those that still have jobs."""
        known = select(schema.trainers.c.id)
        named = select(_TABLE.c.trainer).where(_TABLE.c.state == RUNNING, _TABLE.c.trainer.not_in(known))
        with self.reading() as connection:
            lost = set(connection.scalars(named))
        return sorted(lost.union(super().unregistered_trainers()))

    # ---- called by workers

    def report_job(self, job_id: str, claim: int, progress: float, seconds_left: float | None) -> bool:
        """Record how far a job is. False if it is no longer the worker's."""
        return self._write(job_id, claim, {"progress": progress, "seconds_left": seconds_left})

    def end_job(self, job_id: str, claim: int, state: str, *, message: str = "", result: bytes | None = None) -> bool:
        """Record that a job has ended, and what it found, as `pack` writes it. False if it is no longer the worker's.

        A finished job has made all its progress.
        """
        values: dict[str, Any] = {"state": state, "message": message, "result": result, "bytes": len(result or b"")}
        if state == FINISHED:
            values["progress"] = 1.0
        return self._write(job_id, claim, values | {"seconds_left": None, "ended": time.time()})

    def _write(self, job_id: str, claim: int, values: Mapping[str, Any]) -> bool:
        mine = (_TABLE.c.id == job_id) & (_TABLE.c.claim == claim) & (_TABLE.c.state == RUNNING)
        with self.writing() as connection:
            return connection.execute(update(_TABLE).where(mine).values(values)).rowcount == 1

    # ---- removal

    def _cancel_jobs_of(self, connection: Connection, run_id: str) -> None:
        """Cancel what a run that is being deleted still waits for."""
        _cancel(connection, _TABLE.c.run == run_id, "Cancelled: its run was deleted.")

    def _purge_jobs(self, kept: int = RESULTS_KEPT, bytes_kept: int = RESULT_BYTES_KEPT) -> int:
        """Remove the oldest jobs that have ended, beyond so many and so many bytes; returns how many."""
        ended = select(_TABLE.c.id, _TABLE.c.bytes).where(_TABLE.c.state.not_in(OPEN))
        with self.reading() as connection:
            rows = connection.execute(ended.order_by(_TABLE.c.ended.desc(), _TABLE.c.id)).all()
        unneeded = _beyond(rows, kept, bytes_kept)
        if unneeded:
            with self.writing() as connection:  # one may have been asked for anew meanwhile
                old = _TABLE.c.id.in_(unneeded) & _TABLE.c.state.not_in(OPEN)
                connection.execute(delete(_TABLE).where(old))
        return len(unneeded)


def _cancel(connection: Connection, which: Any, message: str) -> None:
    values = {"state": CANCELLED, "message": message, "seconds_left": None, "ended": time.time()}
    connection.execute(update(_TABLE).where(which, _TABLE.c.state.in_(OPEN)).values(values))


def _held(connection: Connection, claims: Mapping[str, int], *, lock: bool = False) -> dict[str, int]:
    """Failed attempts at each of these jobs, for those that still belong to whoever has these claim numbers."""
    query = select(_TABLE.c.id, _TABLE.c.claim, _TABLE.c.attempts)
    query = query.where(_TABLE.c.id.in_(list(claims)), _TABLE.c.state == RUNNING)
    rows = connection.execute(query.with_for_update() if lock else query)
    return {row.id: row.attempts for row in rows if row.claim == claims[row.id]}


def _beyond(rows: Sequence[Any], kept: int, bytes_kept: int) -> list[str]:
    """Ids of the rows after the first `kept`, or after those that together have `bytes_kept`."""
    total, found = 0, []
    for place, row in enumerate(rows):
        total += row.bytes
        if place >= kept or total > bytes_kept:
            found.append(row.id)
    return found


def _job(row: Any, place: int | None) -> Job:
    request = JobRequest(**{name: getattr(row, name) for name in _REQUEST})
    return Job(request=request, place=place, **{name: getattr(row, name) for name in _AS_STORED})


def _not_found(job_id: str) -> JobNotFoundError:
    return JobNotFoundError(f"The analysis {job_id[:40]!r} is not in this store any more: ask for it again.")
