"""The runs that a worker has claimed, and their status in the store: training, paused, held up, ended, and why.

While the store cannot be written to, a worker keeps its runs in memory, paused, and continues by itself when it can;
see `retry`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from engine.device import is_out_of_memory
from engine.training.checkpoint import Checkpoint
from playground.runs.records import (
    FAILED,
    HELD_UP,
    INTERRUPTED,
    PAUSED,
    RUNNING,
    Command,
    RunChange,
    RunWrite,
    StoreError,
)
from playground.runs.store import Store
from playground.runs.store.dispatch import Claim
from playground.runs.trainer.checkpoint_saver import CheckpointSaver
from playground.runs.trainer.loading import LoadedRun, explain
from playground.runs.trainer.polling import CommandPoller
from playground.runs.trainer.recorder import Recorder
from playground.runs.trainer.retry import RetryAbortedError, Retrying

log = logging.getLogger("unrolled.worker")

_UNSAVED = "Interrupted at step {step:,}: the app or its trainer ended while the run could not be saved."
_RESUME = "Resume continues from the last full checkpoint."


class ClaimedRuns:
    """Claimed runs and their connection to the store; the worker that trains them builds on it.

    Args:
        store: where the runs are
        claim: their ids, each with the number of the claim: only the newest claim of a run may write to it
        alive: whether the worker's trainer is still running
    """

    def __init__(self, store: Store, claim: Claim, alive: Callable[[], bool]) -> None:
        self.store = store
        self.claim = claim
        self.alive = alive
        self.command_poller = CommandPoller(store, list(claim.numbers))
        self.recorder = Recorder(store, claim.numbers)
        self.runs: dict[str, LoadedRun] = {}
        self.end_requested = False
        self._retrying = Retrying(store, self)
        self._saver = CheckpointSaver(self._put_checkpoint)
        self._released: set[str] = set()
        """runs that are no longer this worker's"""
        self._earlier_commands: list[Command] = []
        """commands received while the runs were held up"""
        self._status = (RUNNING, "")
        """status and message that the runs have when they are not held up"""

    # ---- writing to the store

    def _flush_rows(self) -> None:
        self._retrying.call(self.recorder.flush)

    def _put_checkpoint(self, run_id: str, checkpoint: Checkpoint, durable: bool) -> None:
        self.store.put_checkpoint(run_id, checkpoint, claim=self.claim.numbers[run_id], durable=durable)

    def _flush_checkpoints(self) -> None:
        """Wait until the checkpoints are saved."""
        self._retrying.call(self._saver.flush)

    def _set_status(self, loaded: LoadedRun, status: str, message: str) -> None:
        step = loaded.training.step
        text = message.format(step=step)
        self._status = (status, message)
        ended = None if status in (RUNNING, PAUSED) else time.time()
        self.recorder.add(
            loaded.run.id,
            RunChange(step, status, text=text, when=time.time()),
            status=status,
            message=text,
            why="",
            step=step,
            ended=ended,
            seconds=loaded.training.seconds,
        )

    def _release(self, after: int | None = None) -> bool:
        """Give the runs up, writing what is buffered. False, and nothing done, if a command came after `after`."""
        writes = self.recorder.take(self.runs)

        def release() -> bool:
            released = self.store.release(writes, claimed=list(self.claim.numbers), after=after)
            if released:
                self._released.update(self.claim.numbers)
            return released

        released = self._retrying.call(release)
        if not released:
            self.recorder.put_back(writes)
        return released

    def _release_unsaved(self, trouble: RetryAbortedError) -> None:
        """End while the store cannot be written to: the runs lose what a killed worker's would."""
        log.warning("Left unsaved: %s", trouble)
        message = f"{_UNSAVED} {_escaped(str(trouble))} {_RESUME}"
        for loaded in self.runs.values():
            self._set_status(loaded, INTERRUPTED, message)
        loading = {"status": INTERRUPTED, "message": message.format(step=0), "why": "", "ended": time.time()}
        writes = [
            *self.recorder.take(self.runs),
            *self.recorder.take(set(self._unreleased()) - set(self.runs), **loading),
        ]
        self._attempt(partial(self.store.release, writes))

    def _fail(self, error: Exception) -> None:
        """Mark the runs as failed, with a sentence on the cause; the log has the traceback."""
        sentence = explain(error)
        left = self._unreleased()
        log.error("%s: %s", ", ".join(left), sentence, exc_info=error)
        now = time.time()
        for run_id in left:
            step = self.runs[run_id].training.step if run_id in self.runs else 0
            self.recorder.add(run_id, RunChange(step, FAILED, text=sentence, when=now))
        writes = self.recorder.take(left, status=FAILED, message=sentence, why="", ended=now)
        if is_out_of_memory(error):
            self.runs.clear()  # frees the models: writing to the store takes memory too
            error.__traceback__ = None
        self._attempt(partial(self._retrying.call, partial(self.store.release, writes)))

    def _unreleased(self) -> list[str]:
        return [run_id for run_id in self.claim.numbers if run_id not in self._released]

    def _attempt(self, write: Callable[[], object]) -> None:
        """Write if the store allows it; otherwise the trainer marks the runs as interrupted as soon as it can."""
        try:
            write()
        except (StoreError, RetryAbortedError) as second:
            log.error("The end of the runs could not be written: %s", second)

    # ---- while the store cannot be written to

    def on_held_up(self, trouble: str) -> None:
        """Write why the runs wait, and nothing else: what the recorder holds is larger, and waits for space."""
        writes = []
        for run_id in self._unreleased():
            loaded = self.runs.get(run_id)
            if loaded:
                loaded.training.stopwatch.stop()
            place = f" at step {loaded.training.step:,}" if loaded else ""
            text = (
                f"{trouble} The run is paused{place}, kept in memory, and continues automatically once it can be saved."
            )
            columns: dict[str, Any] = {"status": PAUSED, "message": text, "why": HELD_UP}
            step = loaded.training.step if loaded else 0
            change = RunChange(step, PAUSED, text=text, when=time.time())
            writes.append(RunWrite(run_id, [change] if loaded else [], columns, self.claim.numbers[run_id]))
        self.store.write(writes)

    def on_recovered(self) -> None:
        """Restore the status that the runs had."""
        status, message = self._status
        for run_id in self._unreleased():
            loaded = self.runs.get(run_id)
            if loaded and status == RUNNING:
                loaded.training.stopwatch.start()
            step = loaded.training.step if loaded else 0
            change = RunChange(step, status, text="The run can be saved again.", when=time.time())
            text = message.format(step=step)
            self.recorder.add(run_id, *([change] if loaded else []), status=status, message=text, why="")

    def must_end(self) -> bool:
        """Whether the worker was told to end, or its trainer has gone."""
        self.end_requested = self.end_requested or not self.alive()
        return self.end_requested

    def retry_requested(self) -> bool:
        """Receive commands, to be carried out later; true if one of them asks to continue."""
        commands = self.command_poller.poll()
        self._earlier_commands += commands
        return any(command.kind in ("resume", "step") for command in commands)

    def _new_commands(self) -> list[Command]:
        """The commands since the last call."""
        commands = self._retrying.call(self.command_poller.poll)
        earlier, self._earlier_commands = self._earlier_commands, []
        return [*earlier, *commands]


def _escaped(text: str) -> str:
    """`text` with its braces doubled, for `str.format`."""
    return text.replace("{", "{{").replace("}", "}}")
