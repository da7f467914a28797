"""From a run in the store to a training that is ready to go on, and what to say when that, or the training, fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

import engine
from engine.config import Config, ConfigError
from engine.data import Corpus, TextError
from engine.training.checkpoint import Checkpoint, CheckpointError
from playground.runs import disk, memory
from playground.runs.records import Run, StoreError
from playground.runs.store import Store

log = logging.getLogger("unrolled.worker")


class RefusedError(Exception):
    """The run cannot be trained; the message is for people."""


def corpus_of(store: Store, config: Config, progress: Callable[[int, int], None]) -> Corpus:
    """The run's text, downloaded if need be; `progress` hears of bytes done and bytes in all."""

    def own(digest: str) -> str:
        try:
            return store.text(digest)
        except StoreError as error:
            if disk.passes(error):
                raise
            raise RefusedError(str(error)) from None

    return engine.prepare(config.data, own, progress)


def training_of(store: Store, run: Run, corpus: Corpus) -> engine.Training:
    """The run's training: from its newest whole full checkpoint, from its parent, or from the start."""
    for info in reversed(store.checkpoints(run.id)):
        if not info.full:
            continue
        try:
            checkpoint = Checkpoint.from_bytes(store.checkpoint(run.id, info.step))
        except (StoreError, CheckpointError) as error:
            if disk.passes(error):
                raise
            log.warning("%s: %s", run.id, error)
            continue
        return engine.train(run.config, corpus, checkpoint=checkpoint)
    if run.parent is not None:
        parent = Checkpoint.from_bytes(store.checkpoint(*run.parent))
        return engine.train(run.config, corpus, checkpoint=parent, branch=True)
    return engine.train(run.config, corpus)


def explain(error: BaseException) -> str:
    """What went wrong, as a sentence for people."""
    if memory.ran_out(error):
        return (
            "There was not enough memory for this run: take fewer units, layers or streams, or a shorter chunk, in a "
            "new run; or let other runs end, and resume this one."
        )
    if isinstance(error, (ConfigError, TextError, CheckpointError, StoreError, RefusedError)):
        return str(error)
    if isinstance(error, OSError) and error.errno in disk.FULL:
        return "There is no space left on the disk: delete runs or other files, then resume the run."
    return f"The training ran into a fault of its own ({type(error).__name__}); the trainer's log has the details."
