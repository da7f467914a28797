"""Texts written behind the page: a bounded number of threads, a bounded queue, and the last texts kept.

A text is a function of its request, so visitors who ask for the same one share it.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from queue import Full

import streamlit as st
import torch

from engine.config import ConfigError
from engine.data import Vocabulary
from engine.decoding.writing import Writing
from engine.start import continuing, prompt_tokens
from playground.access.background import BackgroundPool
from playground.access.models import Loaded
from playground.runs.records import StoreError

log = logging.getLogger("unrolled.writing")

WAITING, WRITING, DONE, ENDED, STOPPED, FAILED = "waiting", "writing", "done", "ended", "stopped", "failed"
OVER = frozenset({DONE, ENDED, STOPPED, FAILED})

WORKERS = 2
MOST_WAITING = 64
TEXTS_KEPT = 256
CHARACTERS_KEPT = 4_000_000
"""Prompts and texts kept in memory, in characters or tokens."""


class BusyError(StoreError):
    """Too many texts are being written. The message says what to do."""


@dataclass(frozen=True)
class Request:
    """Everything that determines a text."""

    weights: tuple[str, int, str]
    """run, step and version of the weights, as `Loaded.key`"""
    prompt: str
    seed: int = 1
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    length: int = 500
    forced: tuple[tuple[int, int], ...] = ()
    """(place, token) where another token was put in"""
    past_end: bool = True
    """write on past <eos>"""


@dataclass(eq=False)
class WritingJob:
    """A text that is being written or has been. One thread writes; any number may read meanwhile."""

    request: Request
    vocabulary: Vocabulary
    prompt: str
    """what of the prompt the model can read"""
    start: list[int]
    """its tokens; where the prompt is empty, the token that a text starts after"""
    status: str = WAITING
    message: str = ""
    tokens: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    """what each token adds to the text"""
    log_probabilities: list[float] = field(default_factory=list)
    """of each token, in nats, before temperature and truncation"""
    chances: list[float] = field(default_factory=list)
    """with which each was drawn, after both"""
    seconds: float = 0.0
    """spent writing, the prompt's reading included"""
    asked: int = 1
    """how many have asked for this text"""
    stopping: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    """set with the first token, or when there will be none"""
    turn: Future = field(default_factory=Future)
    """its place in the queue of those that write"""

    @property
    def active(self) -> bool:
        """Whether more is to come."""
        return self.status not in OVER

    @property
    def written(self) -> int:
        """Tokens there are for readers: all that belongs to them is there too."""
        return len(self.chances)

    def text(self, count: int | None = None) -> str:
        """What was written after the prompt, or its first `count` tokens."""
        return "".join(self.pieces[: self.written if count is None else count])

    def bits(self) -> list[float]:
        """Surprise of each token in bits: -log2 of its probability before temperature and truncation."""
        return [-value / math.log(2) for value in self.log_probabilities[: self.written]]

    def run(self, load: Callable[[], Loaded]) -> None:
        """Write until the end, until stopped, or until something goes wrong, which `message` then says."""
        self.status = WRITING
        try:
            with torch.no_grad():
                self._write(load())
        except (ConfigError, StoreError) as error:
            self.status, self.message = FAILED, str(error)
        except Exception:
            log.exception("Generation failed.")
            self.status = FAILED
            self.message = "Generation failed: see the log of the app, or try other settings."
        finally:
            self.begun.set()

    def _write(self, loaded: Loaded) -> None:
        request, unknown = self.request, self.vocabulary.unknown
        began = time.perf_counter()
        writing = Writing(
            loaded.model,
            self.start,
            seed=request.seed,
            temperature=request.temperature,
            top_k=request.top_k,
            top_p=request.top_p,
            forbidden=() if unknown is None else (unknown,),
            end=None if request.past_end else self.vocabulary.end,
            forced=dict(request.forced),
        )
        added = continuing(self.prompt, self.start, self.vocabulary)
        for token in writing.write(request.length):
            self.tokens.append(token.token)
            self.pieces.append(added(token.token))
            self.log_probabilities.append(token.log_probability)
            self.chances.append(token.chance)  # last: readers count these
            self.begun.set()
            self.seconds = time.perf_counter() - began
            if self.stopping.is_set():
                self.status = STOPPED
                return
        self.seconds = time.perf_counter() - began
        self.status = ENDED if writing.ended else DONE


class WritingPool:
    """Writes texts in the background, each once for all who ask for it.

    Args:
        workers: threads that write; each keeps to one core
        waiting: texts that may wait for a thread; one more is refused
        kept: texts remembered
    """

    def __init__(self, workers: int = WORKERS, waiting: int = MOST_WAITING, kept: int = TEXTS_KEPT) -> None:
        self._pool = BackgroundPool("writing", workers, waiting)
        self._most_waiting, self._most_kept = waiting, kept
        self._known: OrderedDict[Request, WritingJob] = OrderedDict()
        self._lock = threading.Lock()
        atexit.register(self.close)  # before the pool's own end, which waits for the texts that are written

    def close(self) -> None:
        """End every text and every thread."""
        with self._lock:
            for job in self._known.values():
                job.stopping.set()
        self._pool.close()

    def write(
        self, request: Request, vocabulary: Vocabulary, load: Callable[[], Loaded], *, fresh: bool = False
    ) -> WritingJob:
        """The text of a request, which is begun unless it is there already; `fresh` writes it once more.

        Args:
            vocabulary: of the model that writes
            load: gives the model, when its turn has come; it may raise StoreError

        Raises:
            BusyError: too many texts wait
        """
        with self._lock:
            known = self._known.get(request)
            if (
                known is not None
                and not fresh
                and not known.stopping.is_set()
                and known.status not in (STOPPED, FAILED)
            ):
                known.asked += 1
                self._known.move_to_end(request)
                return known
            prompt, start = prompt_tokens(request.prompt, vocabulary)
            job = WritingJob(request, vocabulary, prompt, start)
            try:
                job.turn = self._pool.submit(lambda: job.run(load))
            except Full:
                raise BusyError(
                    f"The queue for generation is full ({self._most_waiting} texts): try again in a moment."
                ) from None
            self._known[request] = job
            self._known.move_to_end(request)
            self._forget()
        return job

    def stop(self, job: WritingJob) -> WritingJob:
        """A text as it is now, and no longer; its writing ends too, unless others wait for the same text."""
        with self._lock:
            if not job.active:
                return job
            stopped = _as_it_is(job)
            job.asked -= 1
            if job.asked == 0:
                job.stopping.set()
                if self._pool.cancel(job.turn):
                    job.status = STOPPED
                    job.begun.set()
            return stopped

    def position(self, job: WritingJob) -> int:
        """How many texts are begun before this one; 0 once it has begun."""
        return self._pool.position(job.turn)

    def _forget(self) -> None:
        """Forget the texts asked for longest ago, never one that is being written."""
        size = sum(len(job.request.prompt) + job.request.length for job in self._known.values())
        for request, job in list(self._known.items())[:-1]:
            if len(self._known) <= self._most_kept and size <= CHARACTERS_KEPT:
                return
            if not job.active:
                del self._known[request]
                size -= len(request.prompt) + request.length


@st.cache_resource(show_spinner=False)
def writing_pool() -> WritingPool:
    """Writes the texts that visitors look at."""
    return WritingPool()


@st.cache_resource(show_spinner=False)
def film_pool() -> WritingPool:
    """Writes the short texts of every step, behind those that somebody waits for."""
    return WritingPool(workers=1, waiting=512, kept=1_024)


def _as_it_is(job: WritingJob) -> WritingJob:
    """A text with what is written of it now, which nobody goes on with."""
    count = job.written
    return replace(
        job,
        status=STOPPED,
        tokens=job.tokens[:count],
        pieces=job.pieces[:count],
        log_probabilities=job.log_probabilities[:count],
        chances=job.chances[:count],
        stopping=threading.Event(),
        begun=threading.Event(),
        turn=Future(),
        asked=1,
    )
