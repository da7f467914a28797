"""A job's worker: computes one analysis in a process of its own, and ends.

While it computes, a second thread looks ten times a second whether the job is still wanted, and records how far it is.
The analysis hears of both by its calls of `report`; one that makes none is killed by the trainer. Nothing is lost with
a worker that is killed: the trainer queues the job again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from engine.data import Corpus
from engine.device import is_out_of_memory
from engine.models.language_model import LanguageModel
from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.records import MAX_RESULT_BYTES, Job, JobLostError, JobRefusedError, pack
from playground.runs.jobs.registry import job_kind
from playground.runs.limits import job_too_long
from playground.runs.records import FAILED, FINISHED, StoreError
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.dispatch import Claim
from playground.runs.trainer import memory, processes
from playground.runs.trainer.loading import EXPLAINED, load_corpus
from playground.runs.trainer.retry import RetryAbortedError, Retrying
from playground.runs.trainer.worker_process import read_claim
from playground.runs.weights import read_weights
from playground.text import size

log = logging.getLogger("unrolled.job")

PULSE_SECONDS = 0.1
"""Time between two looks whether the job is still wanted."""

WRITE_SECONDS = 0.2
"""Least time between two records of progress."""

ESTIMATE_SECONDS = 0.3
"""How long a job is computed before it is told how long it will still take."""

NICENESS = 5
"""How much lower than others the system ranks a job's worker: training and pages go first."""


class JobWorker:
    """Computes one claimed job.

    Args:
        claim: the job's id with the number of the claim: only the newest claim of a job may write to it
        alive: whether the worker's trainer is still running
    """

    def __init__(self, store: Store, claim: Claim, settings: AppSettings, alive: Callable[[], bool]) -> None:
        self.store = store
        self.settings = settings
        self.alive = alive
        ((self.id, self.claim),) = claim.numbers.items()
        self._began = time.perf_counter()
        self._progress = 0.0
        self._recorded = 0.0
        self._lost = False
        self._done = threading.Event()
        self._retrying = Retrying(store, self)

    def work(self) -> None:
        """Compute the job, and record its result, or why there is none."""
        pulse = threading.Thread(target=self._watch, name="pulse", daemon=True)
        pulse.start()
        try:
            result = _packed(self._compute(self.store.job(self.id)))
            self._end(partial(self.store.end_job, self.id, self.claim, FINISHED, result=result))
        except JobLostError as error:
            log.info("%s", error)
        except Exception as error:
            sentence = explain(error)
            log.error("Job %s: %s", self.id, sentence, exc_info=None if isinstance(error, EXPLAINED) else error)
            self._end(partial(self.store.end_job, self.id, self.claim, FAILED, message=sentence))
        finally:
            self._done.set()
            pulse.join()

    def report(self, share: float) -> None:
        """Take note of the share that is done.

        Raises:
            JobLostError: the job is not wanted any more; JobRefusedError: it takes too long
        """
        if self._lost:
            raise JobLostError(f"The job {self.id} was cancelled, or given to another worker.")
        if time.perf_counter() - self._began > self.settings.max_job_seconds:
            raise JobRefusedError(job_too_long(self.settings))
        self._progress = 0.0 if math.isnan(share) else min(max(float(share), 0.0), 1.0)

    @property
    def seconds_left(self) -> float | None:
        """What the job will still take if it goes on as so far; None where that cannot be told yet."""
        elapsed = time.perf_counter() - self._began
        if elapsed < ESTIMATE_SECONDS or self._progress <= 0.0:
            return None
        return elapsed * (1.0 - self._progress) / self._progress

    # ---- computing

    def _compute(self, job: Job) -> object:
        torch.set_num_threads(self._threads())
        kind = job_kind(job.request.kind)
        return kind.compute(self._input(job))

    def _threads(self) -> int:
        """Two where nobody trains and there are as many cores."""
        return 1 if self.store.queue_state().busy else min(2, torch.get_num_threads())

    def _input(self, job: Job) -> JobInput:
        run = self.store.run(job.request.run)
        raw = self.store.checkpoint(run.id, job.step)
        if hashlib.sha256(raw).hexdigest() != job.request.weights:
            raise JobRefusedError(f"The weights of {run.name} at step {job.step:,} have changed since: try again.")
        found = read_weights(raw)

        def corpus() -> Corpus:
            # a download tells of its progress: a job that is not wanted any more ends there too
            return load_corpus(self.store, run.config, lambda *_: self.report(self._progress), found.vocabulary)

        def model(step: int) -> LanguageModel:
            self.report(self._progress)
            return read_weights(self.store.checkpoint(run.id, step)).model

        return JobInput(
            config=run.config,
            step=job.step,
            model=found.model,
            vocabulary=found.vocabulary,
            arguments=json.loads(job.request.arguments),
            kept_steps=tuple(info.step for info in self.store.checkpoints(run.id)),
            load_corpus=corpus,
            load_model=model,
            report=self.report,
        )

    # ---- the store

    def _end(self, write: Callable[[], bool]) -> None:
        """Write how the job ended, as soon as the store allows it."""
        try:
            self._retrying.call(write)
        except RetryAbortedError as error:
            log.error("The end of job %s could not be written: %s", self.id, error)

    def _watch(self) -> None:
        """Find out whether the job is still this worker's, and record its progress."""
        due = 0.0
        while not self._done.wait(PULSE_SECONDS):
            if not self.alive():
                os._exit(1)  # where the system does not end a worker with its trainer
            try:
                now = time.perf_counter()
                if self._progress != self._recorded and now >= due:
                    due = now + WRITE_SECONDS
                    self._recorded = self._progress
                    held = self.store.report_job(self.id, self.claim, self._recorded, self.seconds_left)
                else:
                    held = bool(self.store.held_jobs({self.id: self.claim}))
            except StoreError as error:
                log.debug("The job could not be looked at: %s", error)
                continue
            self._lost = self._lost or not held

    # ---- while the store cannot be written to

    def on_held_up(self, trouble: str) -> None:
        """Nothing is written: the page finds out by itself."""

    def on_recovered(self) -> None:
        """Nothing is to be restored."""

    def must_end(self) -> bool:
        """Whether to give the result up: the job is queued again, and computed anew."""
        return self._lost or time.perf_counter() - self._began > self.settings.max_job_seconds

    def retry_requested(self) -> bool:
        """Nobody asks for another attempt."""
        return False


def _packed(result: object) -> bytes:
    """A result as the store keeps it. Raises JobRefusedError: it is too large."""
    packed = pack(result)
    if len(packed) > MAX_RESULT_BYTES:
        raise JobRefusedError(
            f"The result of this analysis takes {size(len(packed))}, more than the {size(MAX_RESULT_BYTES)} that are "
            "kept: ask for less."
        )
    return packed


def explain(error: BaseException) -> str:
    """Why there is no result, as a sentence for visitors."""
    if is_out_of_memory(error):
        return "Not enough memory for this analysis: ask for less, or try again when other runs have finished."
    if isinstance(error, EXPLAINED):
        return str(error)
    return f"The analysis failed with an internal error ({type(error).__name__}); the trainer's log has the details."


def run_job_worker(store: Store, claim: Claim, settings: AppSettings, trainer_pid: int) -> None:
    """Compute a job, in a process that was just forked or spawned for it; `store` must have no open connection."""
    processes.end_with_parent(trainer_pid, signal.SIGTERM)
    memory.prefer_as_oom_victim()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    JobWorker(store, claim, settings, processes.parent_watch(trainer_pid)).work()
    store.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Start as a separate process, where forking is not safe: JOB:CLAIM."""
    trainer, claim = read_claim(arguments, "playground.runs.trainer.job_worker", __doc__)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the app, which ends its trainer
    settings = AppSettings.from_environment()
    run_job_worker(Store.of(settings), claim, settings, trainer)


if __name__ == "__main__":
    main()
    os._exit(0)
