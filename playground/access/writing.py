"""Texts written behind the page: a bounded number of threads, a bounded queue, and the last texts kept.

A text is a function of its request, so visitors who ask for the same one share it. Nothing here imports Streamlit.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch

from engine.config import ConfigError
from engine.data import Vocabulary
from engine.decoding.writing import Writing
from engine.start import continuing, prompt_tokens
from playground.access.weights import Loaded
from playground.runs.records import StoreError

log = logging.getLogger("unrolled.writing")

WAITING, WRITING, DONE, ENDED, STOPPED, FAILED = "waiting", "writing", "done", "ended", "stopped", "failed"
OVER = frozenset({DONE, ENDED, STOPPED, FAILED})

WORKERS = 2
MOST_WAITING = 64
TEXTS_KEPT = 256
CHARACTERS_KEPT = 4_000_000
"""Prompts and texts kept in memory, in characters or tokens."""

_CLOSE_SECONDS = 5.0


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
    past_end: bool = False
    """write on past <eos>"""


@dataclass(eq=False)
class Job:
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
    _load: Callable[[], Loaded] | None = None

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

    def _write(self) -> None:
        """Write until the end, or until stopped."""
        assert self._load is not None
        loaded = self._load()
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


class Desk:
    """Writes texts in the background.

    Args:
        workers: threads that write; each keeps to one core
        waiting: texts that may wait for a thread; one more is refused
        kept: texts remembered
    """

    def __init__(self, workers: int = WORKERS, waiting: int = MOST_WAITING, kept: int = TEXTS_KEPT) -> None:
        self._most_waiting, self._most_kept = waiting, kept
        self._queue: deque[Job] = deque()
        self._known: OrderedDict[Request, Job] = OrderedDict()
        self._there_is_work = threading.Condition()
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._closing = False
        # A thread that the interpreter takes down in the middle of torch takes the whole process down with it.
        atexit.register(self.close)

    def close(self) -> None:
        """End every text and every thread."""
        with self._there_is_work:
            self._closing = True
            self._queue.clear()
            for job in self._known.values():
                job.stopping.set()
            self._there_is_work.notify_all()
        for thread in self._threads:
            thread.join(_CLOSE_SECONDS)

    def write(
        self, request: Request, vocabulary: Vocabulary, load: Callable[[], Loaded], *, fresh: bool = False
    ) -> Job:
        """The text of a request, which is begun unless it is there already; `fresh` writes it once more.

        Args:
            vocabulary: of the model that writes
            load: gives the model, when its turn has come; it may raise StoreError

        Raises:
            BusyError: too many texts wait
        """
        with self._there_is_work:
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
            if len(self._queue) >= self._most_waiting:
                raise BusyError(
                    f"{len(self._queue)} texts wait to be written, which is the most: try again in a moment."
                )
            prompt, start = prompt_tokens(request.prompt, vocabulary)
            job = Job(request, vocabulary, prompt, start, _load=load)
            self._known[request] = job
            self._known.move_to_end(request)
            self._forget()
            self._queue.append(job)
            self._start_thread()
            self._there_is_work.notify()
        return job

    def stop(self, job: Job) -> Job:
        """A text as it is now, and no longer; its writing ends too, unless others wait for the same text."""
        with self._there_is_work:
            if not job.active:
                return job
            stopped = _as_it_is(job)
            job.asked -= 1
            if job.asked == 0:
                job.stopping.set()
                if job in self._queue:
                    self._queue.remove(job)
                    job.status, job._load = STOPPED, None
                    job.begun.set()
            return stopped

    def place(self, job: Job) -> int:
        """How many texts are written before this one begins; 0 once it has begun."""
        with self._there_is_work:
            return self._queue.index(job) if job in self._queue else 0

    def _forget(self) -> None:
        """Forget the texts asked for longest ago, never one that is being written."""
        size = sum(len(job.request.prompt) + job.request.length for job in self._known.values())
        for request, job in list(self._known.items())[:-1]:
            if len(self._known) <= self._most_kept and size <= CHARACTERS_KEPT:
                return
            if not job.active:
                del self._known[request]
                size -= len(request.prompt) + request.length

    def _start_thread(self) -> None:
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._work, name="writing", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        torch.set_num_threads(1)  # counts for the thread that says it
        while True:
            with self._there_is_work:
                while not self._queue and not self._closing:
                    self._there_is_work.wait()
                if self._closing:
                    return
                job = self._queue.popleft()
                job.status = WRITING
            try:
                with torch.no_grad():
                    job._write()
            except (ConfigError, StoreError) as error:
                job.status, job.message = FAILED, str(error)
            except Exception:
                # Whatever it is must not end the thread that writes for everybody.
                log.exception("A text could not be written.")
                job.status = FAILED
                job.message = "This text could not be written: the log of the app says why. Try other settings."
            finally:
                job._load = None
                job.begun.set()


def _as_it_is(job: Job) -> Job:
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
        asked=1,
        _load=None,
    )
