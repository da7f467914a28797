"""Loading a run from the store, ready to train, and explaining what went wrong with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import engine
from engine.config import Config, ConfigError
from engine.data import Corpus, TextError, TextFacts, Vocabulary
from engine.device import is_out_of_memory
from engine.models.language_model import parameter_count
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.training.estimate import memory_bytes
from engine.training.events import Event
from engine.validate import validate
from playground.runs.limits import check_config
from playground.runs.records import Run, StoreError
from playground.runs.settings import AppSettings
from playground.runs.store import Store, disk

log = logging.getLogger("unrolled.worker")


@dataclass
class LoadedRun:
    """A run and its training, in a worker's memory."""

    run: Run
    training: engine.Training
    events: Iterator[Event]
    pause_at: int | None
    """pause when this step is reached"""
    saved_at: float
    """when its newest full checkpoint was saved, by `time.perf_counter`"""
    saved_step: int = -1
    initial_checkpoint: Checkpoint | None = None
    live_step: int = -1
    """step of the weights in the live slot"""
    extended: bool = False
    """whether it had ended, and goes on for the steps that were asked for"""
    begun: bool = True
    """whether its first weights are there to be looked at: a run that starts paused makes them before it rests"""

    def train_for(self, steps: int | None) -> None:
        """Continue for so many steps, each of them reported, or to the end (None)."""
        self.pause_at = None if steps is None else self.training.step + steps
        self.training.report_every_step = steps is not None

    @property
    def reached_target(self) -> bool:
        """Whether it has trained the steps that were asked for, and rests; at its last step it ends instead."""
        if not self.begun or self.pause_at is None:
            return False
        return self.pause_at <= self.training.step < self.training.last_step


class RefusedError(Exception):
    """The run cannot be trained; the message is for visitors."""


EXPLAINED = (ConfigError, TextError, CheckpointError, StoreError, RefusedError)
"""Errors whose message is for visitors."""


def load_corpus(
    store: Store, config: Config, progress: Callable[[int, int], None], vocabulary: Vocabulary | None = None
) -> Corpus:
    """The run's text, downloaded if need be; `progress` is called with bytes done and bytes in all.

    Args:
        vocabulary: that of a checkpoint, whose tokens it then has; else its own
    """
    return engine.prepare(config.data, partial(_own_text, store), progress, vocabulary)


def _own_text(store: Store, digest: str) -> str:
    try:
        return store.text(digest)
    except StoreError as error:
        if disk.is_transient(error):
            raise
        raise RefusedError(str(error)) from None


def load_run(
    store: Store, settings: AppSettings, run: Run, corpus: Corpus, facts: Callable[[], TextFacts]
) -> LoadedRun:
    """The run, ready to train as many steps as it waits for; one that has ended goes on for so many.

    Args:
        facts: gives the facts on the corpus, which the runs of a race share

    Raises:
        ConfigError, LimitError: a run that is not possible, or too large here; its model is not built
        CheckpointError, StoreError: it has no checkpoint that can be continued
    """
    validate(run.config)
    symbols = len(corpus.vocabulary)
    parameters, needed = parameter_count(run.config.model, symbols), memory_bytes(run.config, symbols)
    check_config(settings, run.config, parameters, needed)
    training = _training(store, run, corpus, facts)
    loaded = LoadedRun(run, training, training.events(), None, time.perf_counter())
    steps = store.steps_wanted(run.id)
    if steps and training.has_ended:
        training.extend(steps)
        loaded.extended = True
    loaded.train_for(steps)
    loaded.begun = training.step > 0
    return loaded


def _training(store: Store, run: Run, corpus: Corpus, facts: Callable[[], TextFacts]) -> engine.Training:
    """The run's training: from its newest undamaged full checkpoint, from its parent's weights, or from the start."""
    train = partial(engine.train, run.config, corpus, own=partial(_own_text, store), facts=facts)
    for info in reversed(store.checkpoints(run.id)):
        if not info.full:
            continue
        try:
            checkpoint = Checkpoint.from_bytes(store.checkpoint(run.id, info.step))
        except (StoreError, CheckpointError) as error:
            if disk.is_transient(error):
                raise
            log.warning("%s: %s", run.id, error)
            continue
        return train(checkpoint=checkpoint)
    if run.parent is not None:
        parent = Checkpoint.from_bytes(store.checkpoint(*run.parent))
        return train(checkpoint=parent, branch=True)
    return train()


def explain(error: BaseException) -> str:
    """What went wrong, as a sentence for visitors."""
    if is_out_of_memory(error):
        return (
            "Not enough memory for this run: start a new run with fewer units or layers, a smaller batch or a shorter "
            "sequence; or resume this one when other runs have finished."
        )
    if isinstance(error, EXPLAINED):
        return str(error)
    if isinstance(error, OSError) and error.errno in disk.FULL:
        return "There is no space left on the disk: delete runs or other files, then resume the run."
    return f"Training failed with an internal error ({type(error).__name__}); the trainer's log has the details."
