"""What the store knows of a job: what was asked, how far it is, and what goes wrong with it. All are frozen.

Moments are seconds since 1970 (UTC), durations are seconds.
"""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.runs.records import FAILED, FINISHED, QUEUED, RUNNING, StoreError

CANCELLED = "cancelled"

OPEN = frozenset({QUEUED, RUNNING})
"""States of jobs that are computed, or will be as soon as a worker is free."""

ANSWERED = OPEN | {FINISHED}
"""States in which a job need not be asked for again."""

STATES: Mapping[str, str] = {
    QUEUED: "waiting for a worker",
    RUNNING: "being computed",
    FINISHED: "its result is there",
    FAILED: "could not be computed; the message says why",
    CANCELLED: "ended by the visitor who asked first, or with its run",
}

MAX_ARGUMENTS = 20_000
"""Characters of a job's arguments as JSON, at most."""

MAX_RESULT_BYTES = 8_000_000
"""Bytes of one result, compressed, at most."""


class JobRefusedError(StoreError):
    """The job cannot be asked for, or not be cancelled by this visitor. The message says why and what to do."""


class JobNotFoundError(StoreError):
    """There is no such job (any more)."""


class JobLostError(StoreError):
    """A worker computes a job that it no longer has: it was cancelled, or is another worker's."""


@dataclass(frozen=True)
class JobRequest:
    """Everything that determines a result: equal requests are one job.

    The run is part of it: an analysis may look at the other checkpoints of the run, and is removed with the run.
    """

    run: str
    """its id; a starter run's too"""
    step: int
    weights: str
    """SHA-256 of the checkpoint at that step"""
    kind: str
    arguments: str = "{}"
    """JSON, as `canonical` writes it"""

    @functools.cached_property
    def id(self) -> str:
        """The id of the job: a hash of the request."""
        text = json.dumps([self.run, self.step, self.weights, self.kind, self.arguments])
        return hashlib.sha256(text.encode()).hexdigest()[:40]


def canonical(arguments: Mapping[str, Any]) -> str:
    """Arguments as JSON, the same text for the same arguments.

    Raises:
        JobRefusedError: more than `MAX_ARGUMENTS` characters; ValueError, TypeError: not JSON
    """
    text = json.dumps(dict(arguments), sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_ARGUMENTS:
        raise JobRefusedError(
            f"This analysis was asked with {len(text):,} characters of settings; {MAX_ARGUMENTS:,} are allowed: choose "
            "a shorter text or fewer items."
        )
    return text


def pack(result: Any) -> bytes:
    """A result as the store keeps it: JSON with NaN and infinity, compressed. Raises TypeError, ValueError: it is not
    plain data."""
    return zlib.compress(json.dumps(result, separators=(",", ":")).encode())


def unpack(packed: bytes) -> str:
    """The JSON of a result that the store keeps."""
    return zlib.decompress(packed).decode()


@dataclass(frozen=True)
class Job:
    """One analysis, as it stands in the store."""

    id: str
    """that of its request; empty for one that cannot be asked for in this way"""
    request: JobRequest
    owner: str = ""
    """the visitor who asked first"""
    state: str = QUEUED
    progress: float = 0.0
    """share that is done, from 0 to 1"""
    seconds_left: float | None = None
    """what it will still take, once that can be told"""
    message: str = ""
    """a sentence on why it has its state"""
    attempts: int = 0
    """how often a worker has begun it and ended before it was done"""
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    place: int | None = None
    """its place in the queue, from 1; None where it does not wait, or that was not asked"""
    result: Any = field(default=None, compare=False, repr=False)
    """what it found, where that was read too: shared between viewers, so copy before changing anything"""

    @property
    def step(self) -> int:
        """The training step whose weights it looks at."""
        return self.request.step

    @property
    def open(self) -> bool:
        """Whether it is computed, or will be as soon as a worker is free."""
        return self.state in OPEN

    def may_be_cancelled_by(self, visitor: str) -> bool:
        """Whether `visitor` may cancel it: who asked first, or anyone where that is not known.

        Others who asked for the same later wait with them, and may ask anew.
        """
        return self.open and self.owner in ("", visitor)
