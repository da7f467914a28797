"""What saving costs a run: the share of a worker's time that goes into checkpoints, as the presets save them.

A worker trains a preset to its end in this process, as it does in its own. Two things are measured: how long the
training stood still for its saves, and the processor time that the saver's thread took beside it to write them as
safetensors, hash them, put them in their place, and thin and slim the older ones.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from watching import say

from engine.config import Config
from engine.presets import PRESETS
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.trainer.worker import Worker

_BUDGET = 0.01


class _Timed(Worker):
    """A worker that knows how long its saves took."""

    saves = 0
    waited = 0.0
    beside = 0.0

    def _save(self, *arguments: Any, **named: Any) -> None:
        started = time.perf_counter()
        super()._save(*arguments, **named)
        self.waited += time.perf_counter() - started
        self.saves += 1

    def _flush_checkpoints(self) -> None:
        started = time.perf_counter()
        super()._flush_checkpoints()
        self.waited += time.perf_counter() - started

    def _put_checkpoint(self, *arguments: Any) -> None:
        started = time.thread_time()
        super()._put_checkpoint(*arguments)
        self.beside += time.thread_time() - started


def measure(name: str, config: Config) -> None:
    """Train `config` in a store of its own and print the share of its time that saving took."""
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'store.sqlite'}")
        run = store.create_run(config, name=name)
        trainer = store.register_trainer(0, "here", 0.0, 1)
        claim = store.claim(trainer)
        assert claim is not None
        worker = _Timed(store, claim, AppSettings(store=store.url, workers=1), alive=lambda: True)
        worker.work()
        done = store.run(run)
        assert done.status == "finished", f"the run is {done.status}: {done.message}"
        say(
            "saving",
            run=name,
            parameters=done.parameters,
            steps=done.step,
            saves=worker.saves,
            milliseconds_each=round(1000 * worker.waited / worker.saves, 2),
            training_seconds=round(done.train_seconds, 1),
            share_of_training=round(worker.waited / done.train_seconds, 4),
            processor_share_beside=round(worker.beside / done.train_seconds, 4),
            budget_share=_BUDGET,
        )
        store.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=["first-words", "shakespeare-in-a-minute"])
    for name in parser.parse_args().presets:
        measure(name, PRESETS[name].configs[0])


if __name__ == "__main__":
    main()
