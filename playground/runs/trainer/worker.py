"""A worker: trains one run, or the runs of a race side by side, and carries out visitors' commands meanwhile.

It owns its runs by claim number: once another worker has claimed them it can no longer write to them. To pause is
to save a full checkpoint; a paused worker lingers for a while, ready to resume at once, and then ends. When it is
told to end (SIGTERM, or its trainer has ended) it saves in the same way. So after a pause, a closed app or a crash a
run continues from its newest full checkpoint.

While the store cannot be written to (a full disk, say) the worker keeps its runs in memory, paused, and continues by
itself when it can; see `retry`.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache, partial

import torch

from engine.analysis.text_facts import text_facts
from engine.config import Config, ConfigError
from engine.data import Corpus, TextFacts
from engine.device import keep_freed_memory
from engine.training.checkpoint import Checkpoint
from engine.training.events import Changed, Diverged, Event, Finished, Progress, Saved
from playground.runs.records import INTERRUPTED, PAUSED, RUNNING, STOPPED, ClaimLostError, Command, RunChange, done_by
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.dispatch import ADJUSTABLE, Claim
from playground.runs.trainer import memory, processes
from playground.runs.trainer.claimed_runs import ClaimedRuns
from playground.runs.trainer.loading import LoadedRun, RefusedError, load_corpus, load_run
from playground.runs.trainer.recorder import Recorder, end_of_run
from playground.runs.trainer.retry import RetryAbortedError
from playground.runs.trainer.worker_process import read_claim

log = logging.getLogger("unrolled.worker")

POLL_SECONDS = 0.03
"""Time between two polls for commands."""

WATCH_SECONDS = 0.5
"""Time between two checks whether a run is watched."""

LIVE_SECONDS = 0.25
"""Least time between two writes of the live slot."""

LIVE_SHARE = 0.01
"""Largest share of the worker's time that the live slot may take."""

SAFETY_SECONDS = 60.0
"""A full checkpoint is saved at least this often, so that a crash costs little."""


END_SECONDS = 10
"""How long a worker may take to end; after that the system ends it."""


class Worker(ClaimedRuns):
    """Trains claimed runs until they end, stay paused for too long, or the worker is told to end."""

    def __init__(self, store: Store, claim: Claim, settings: AppSettings, alive: Callable[[], bool]) -> None:
        super().__init__(store, claim, alive)
        self.settings = settings
        self.paused = False
        self.stopped = False
        self.actor = ""
        """who paused or stopped the runs, for the sentence that tells of it"""
        self._watch_due = 0.0
        self._live_due = 0.0
        self._poll_due = 0.0

    # ---- from start to end

    def work(self) -> None:
        """Train, and give every run up with a status that says how its training ended."""
        try:
            self._retrying.call(self._load)
            self._apply(self._new_commands())
            while self.runs:
                self._train()
                if self.runs and self._release_or_linger():
                    return
        except ClaimLostError as error:
            log.info("%s", error)
        except RetryAbortedError as error:
            self._release_unsaved(error)
        except Exception as error:
            self._fail(error)
        finally:
            self._saver.close()
            self.command_poller.close()

    def end(self, *_: object) -> None:
        """Save and end at the next event (a signal handler)."""
        self.end_requested = True
        if hasattr(signal, "alarm"):
            signal.alarm(END_SECONDS)  # a worker that hangs is ended by the system

    def _train(self) -> None:
        """Train until all runs have ended, or the worker is paused, stopped or told to end."""
        while self.runs and not (self.paused or self.stopped or self.end_requested):
            going = [loaded for loaded in self.runs.values() if not loaded.reached_target]
            if not going:
                self.paused = True
                return
            loaded = min(going, key=lambda other: other.training.step)  # the runs of a race stay in step
            event = next(loaded.events, None)
            if event is None:
                raise RuntimeError(f"The training of {loaded.run.id} ended without saying why.")
            self._handle(loaded, event)
            self._between_events()

    def _handle(self, loaded: LoadedRun, event: Event) -> None:
        run_id = loaded.run.id
        match event:
            case Saved():
                # a full checkpoint of this step, saved in order to pause, holds more than these weights
                if event.step == 0:
                    loaded.begun = True
                    loaded.initial_checkpoint = event.checkpoint  # saved after the first point is shown
                elif event.full or event.step != loaded.saved_step:
                    self._save(loaded, event.checkpoint)
            case Finished() | Diverged():
                self._finish(loaded, event)
                return
            case Changed():
                return  # recorded when the command was carried out
            case _:
                self.recorder.record_event(run_id, event)
        if isinstance(event, Progress) and loaded.initial_checkpoint is not None:
            self._flush_rows()  # shows the first point at once
            self._save(loaded, loaded.initial_checkpoint)
            loaded.initial_checkpoint = None

    def _between_events(self) -> None:
        """Do what is due: poll for commands, write rows, save for safety, refresh the live slot."""
        now = time.perf_counter()
        if now >= self._poll_due:
            self._poll_due = now + POLL_SECONDS
            self._apply(self._new_commands())
            if not self.alive():
                self.end_requested = True
        if self.recorder.due(now):
            self._flush_rows()
        if self._saver.failed:
            self._flush_checkpoints()
        if now >= self._watch_due:
            self._watch_due = now + WATCH_SECONDS
            self.recorder.watched = self._retrying.call(self._watched)
            for loaded in self.runs.values():
                if now - loaded.saved_at > SAFETY_SECONDS:
                    self._save(loaded, loaded.training.checkpoint(full=True))
        if self.recorder.watched and now >= self._live_due:
            self._put_live()

    def _watched(self) -> bool:
        return any(self.store.watched(run_id) for run_id in self.runs)

    def _put_live(self) -> None:
        started = time.perf_counter()
        for run_id, loaded in self.runs.items():
            if loaded.training.step != loaded.live_step:
                loaded.live_step = loaded.training.step
                weights = loaded.training.checkpoint(full=False).weights_only()
                self._retrying.call(partial(self.store.put_live, run_id, weights, claim=self.claim.numbers[run_id]))
        now = time.perf_counter()
        self._live_due = now + max(LIVE_SECONDS, (now - started) / LIVE_SHARE)

    def _drop_live(self, loaded: LoadedRun) -> None:
        if loaded.live_step >= 0:
            self._retrying.call(partial(self.store.drop_live, loaded.run.id))

    def _save(self, loaded: LoadedRun, checkpoint: Checkpoint, durable: bool = False) -> None:
        if checkpoint.full:
            self._flush_rows()  # first: a run that resumes from here never writes the rows before it again
        self._retrying.call(partial(self._saver.put, loaded.run.id, checkpoint, durable))
        if durable:
            self._flush_checkpoints()
        if checkpoint.full:
            if checkpoint.step == 0:
                loaded.initial_checkpoint = None  # this one holds more
            loaded.saved_at = time.perf_counter()
            loaded.saved_step = checkpoint.step

    def _finish(self, loaded: LoadedRun, event: Finished | Diverged) -> None:
        """Release a run that has ended; the others of a race continue."""
        self._flush_checkpoints()
        columns, change = end_of_run(event)
        run_id = loaded.run.id
        if isinstance(event, Diverged):
            columns["message"] += self._retrying.call(partial(self._rate_change, run_id))
        self._drop_live(loaded)
        self.recorder.add(run_id, change)
        writes = self.recorder.take([run_id], **columns, trainer=None)
        write = self.store.release if len(self.runs) == 1 else self.store.write

        def end() -> None:
            write(writes)
            self._released.add(run_id)

        self._retrying.call(end)
        del self.runs[run_id]

    def _rate_change(self, run_id: str) -> str:
        """Who last changed the learning rate of a run, and when, as a sentence; empty if nobody did."""
        changes = [change for change in self.store.changes(run_id) if change.key == "learning_rate"]
        if not changes:
            return ""
        last = changes[-1]
        who = f", {last.text}" if last.text else ""
        return f" The learning rate had been changed to {last.value:g} at step {last.step:,}{who}."

    # ---- commands

    def _apply(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if command.kind in ADJUSTABLE:
                self._adjust(command)
            elif command.kind == "stop":
                self.stopped, self.actor = True, command.actor
            elif command.kind == "pause":
                self.paused, self.actor = True, command.actor
            else:
                steps = int(command.value or 1) if command.kind == "step" else None
                self.paused, self.actor = False, ""
                for loaded in self.runs.values():
                    loaded.train_for(steps)

    def _adjust(self, command: Command) -> None:
        """Change a setting of one run, and save, so that a crash does not undo it."""
        loaded = self.runs.get(command.run)
        if loaded is None or command.value is None:
            return
        step = loaded.training.step
        self._flush_checkpoints()
        self._flush_rows()
        try:
            loaded.training.change(command.kind, command.value)
        except ConfigError as error:
            self.recorder.add(command.run, RunChange(step, "refused", text=str(error), when=time.time()))
            return
        change = RunChange(step, command.kind, command.value, done_by(command.actor).strip(), when=time.time())
        self.recorder.add(command.run, change)
        self._retrying.call(
            partial(self.store.truncate_after, command.run, step, claim=self.claim.numbers[command.run])
        )
        self._save(loaded, loaded.training.checkpoint(full=True))

    # ---- pausing and releasing

    def _release_or_linger(self) -> bool:
        """Save all runs; True once they are released, False to continue training."""
        for loaded in self.runs.values():
            self._save(loaded, loaded.training.checkpoint(full=True), durable=True)
        if self.stopped:
            return self._release_as(STOPPED, f"Stopped{done_by(self.actor)} at step {{step:,}}.")
        if self.end_requested:
            return self._release_as(
                INTERRUPTED, "The app or its trainer ended at step {step:,}; the run was saved and can be resumed."
            )
        for loaded in self.runs.values():
            loaded.training.stopwatch.stop()
            self._set_status(loaded, PAUSED, f"Paused{done_by(self.actor)} at step {{step:,}}.")
        self._flush_rows()
        return self._linger()

    def _linger(self) -> bool:
        """Stay loaded and paused for a while. True once the runs are released, False to continue training."""
        while self._wait_for_commands():
            if self._release(after=None if self.end_requested else self.command_poller.last):
                return True
        if self.stopped:
            return self._release_as(STOPPED, f"Stopped{done_by(self.actor)} at step {{step:,}}.")
        for loaded in self.runs.values():
            loaded.training.stopwatch.start()
            self._set_status(loaded, RUNNING, "")
        self._flush_rows()
        return False

    def _wait_for_commands(self) -> bool:
        """Wait, paused. True when it is time to release the runs, False when asked to resume or to stop."""
        end = time.perf_counter() + self.settings.linger
        queue_check_due = 0.0
        while self.alive() and not self.end_requested:
            self._apply(self._new_commands())
            self._flush_rows()
            if self.stopped or not self.paused:
                return False
            now = time.perf_counter()
            if now >= queue_check_due:
                queue_check_due = now + WATCH_SECONDS
                if self._retrying.call(self.store.queue_state).waiting:  # other runs need this worker
                    return True
            if now >= end:
                return True
            time.sleep(POLL_SECONDS / 2)
        return True

    def _release_as(self, status: str, message: str) -> bool:
        for loaded in self.runs.values():
            self._drop_live(loaded)
        for loaded in self.runs.values():
            self._set_status(loaded, status, message)
        return self._release()

    # ---- loading

    def _load(self) -> None:
        # one deleted since then has been told to stop, and is saved like any other
        runs = [self.store.run(run_id, deleted=True) for run_id in self.claim.numbers]
        keep_freed_memory()
        torch.set_num_threads(next((run.threads for run in runs if run.threads), self.settings.training_threads))
        corpus = self._corpus(runs[0].config)
        self.recorder = Recorder(self.store, self.claim.numbers, corpus.train_text)
        facts = _once(partial(text_facts, corpus))
        for run in runs:
            self.recorder.add(run.id, message="")
            self.runs[run.id] = loaded = load_run(self.store, self.settings, run, corpus, facts)
            self.recorder.add(run.id, corpus_sha256=loaded.training.corpus.sha256)
            if loaded.extended:  # else a crash would lose that it goes on
                self._save(loaded, loaded.training.checkpoint(full=True))

    def _corpus(self, config: Config) -> Corpus:
        def progress(done: int, total: int) -> None:
            now = time.perf_counter()
            for run_id in self.claim.numbers:
                self.recorder.add(run_id, message=f"Downloading the text: {done / 1e6:.1f} of {total / 1e6:.1f} MB.")
            if self.recorder.due(now):
                self._flush_rows()
            if self.end_requested:
                raise RefusedError("The app was closed during the download of the text. Resume starts it again.")

        return load_corpus(self.store, config, progress)


def _once(work: Callable[[], TextFacts]) -> Callable[[], TextFacts]:
    """`work`, done at the first call: the runs of a race call it from threads of their own, and share what it gives."""
    lock, kept = threading.Lock(), cache(work)

    def call() -> TextFacts:
        with lock:
            return kept()

    return call


def run_worker(store: Store, claim: Claim, settings: AppSettings, trainer_pid: int) -> None:
    """Work, in a process that was just forked or spawned for it; `store` must have no open connection."""
    processes.end_with_parent(trainer_pid, signal.SIGTERM)
    worker = Worker(store, claim, settings, alive=processes.parent_watch(trainer_pid))
    signal.signal(signal.SIGTERM, worker.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the app, which ends its trainer
    memory.prefer_as_oom_victim()
    worker.work()
    store.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Start as a separate process, where forking is not safe: RUN:CLAIM for each run."""
    trainer, claim = read_claim(arguments, "playground.runs.trainer.worker", __doc__)
    settings = AppSettings.from_environment()
    run_worker(Store.of(settings), claim, settings, trainer)


if __name__ == "__main__":
    main()
    os._exit(0)
