"""A worker: trains one run, or the runs of a race side by side, and answers what pages ask meanwhile.

It owns its runs by claim numbers: once another worker has claimed them it can write no more. Pausing is
saving a full checkpoint; a paused worker lingers for a while to go on at once, and then ends. Being told
to end (SIGTERM, or the trainer gone) saves as pausing does. So a pause, a closed app and a crash are
continued in the same way: from the newest full checkpoint.

While the store cannot be written to (a full disk, say) the worker keeps its runs in memory, paused, and goes on by
itself when it can; see `patience`.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch

from engine.config import Config, ConfigError
from engine.data import Corpus
from engine.device import keep_freed_memory
from engine.models.language_model import parameter_count
from engine.training.checkpoint import Checkpoint
from engine.training.estimate import memory_bytes
from engine.training.events import Changed, Diverged, Event, Finished, Progress, Saved
from engine.validate import validate
from playground.runs import memory, processes
from playground.runs.dispatch import KNOBS, Claim
from playground.runs.holding import Holding, Member
from playground.runs.limits import check_config
from playground.runs.loading import RefusedError, corpus_of, training_of
from playground.runs.patience import GivenUpError
from playground.runs.recorder import Recorder, ending
from playground.runs.records import INTERRUPTED, PAUSED, RUNNING, STOPPED, Change, ClaimLostError, Command
from playground.runs.settings import Settings
from playground.runs.store import Store

log = logging.getLogger("unrolled.worker")

POLL_SECONDS = 0.03
"""Time between two looks at what pages ask."""

WATCH_SECONDS = 0.5
"""Time between two looks at whether somebody watches."""

LIVE_SECONDS = 0.25
"""Least time between two writes of the live slot."""

LIVE_SHARE = 0.01
"""Most of the worker's time that the live slot may take."""

SAFETY_SECONDS = 60.0
"""A full checkpoint is saved at least this often, so that a crash costs little."""


END_SECONDS = 10
"""A worker that was told to end and has not by then is ended by the system."""


class Worker(Holding):
    """Trains claimed runs until they end, are paused for long, or the worker is told to end."""

    def __init__(self, store: Store, claim: Claim, settings: Settings, alive: Callable[[], bool]) -> None:
        super().__init__(store, claim, alive)
        self.settings = settings
        self.paused = False
        self.stopped = False
        self._watch_due = 0.0
        self._live_due = 0.0
        self._poll_due = 0.0

    # ---- from start to end

    def work(self) -> None:
        """Train, and leave every run in the store with a status that says how it ended."""
        try:
            self._patience.insist(self._load)
            self._obey(self._orders())
            while self.members:
                self._train()
                if self.members and self._leave_or_linger():
                    return
        except ClaimLostError as error:
            log.info("%s", error)
        except GivenUpError as error:
            self._leave_unsaved(error)
        except Exception as error:
            self._fail(error)
        finally:
            self._saver.close()
            self.listener.close()

    def end(self, *_: object) -> None:
        """Save and end at the next event (a signal handler)."""
        self.told_to_end = True
        if hasattr(signal, "alarm"):
            signal.alarm(END_SECONDS)  # the system ends a worker that is stuck

    def _train(self) -> None:
        """Train until all runs have ended, or the worker is paused, stopped or told to end."""
        while self.members and not (self.paused or self.stopped or self.told_to_end):
            going = [member for member in self.members.values() if not member.reached]
            if not going:
                self.paused = True
                return
            member = min(going, key=lambda other: other.training.step)  # the runs of a race stay in step
            event = next(member.events, None)
            if event is None:
                raise RuntimeError(f"The training of {member.run.id} ended without saying why.")
            self._take(member, event)
            self._between_events()

    def _take(self, member: Member, event: Event) -> None:
        run_id = member.run.id
        match event:
            case Saved():
                # what was saved to pause at this step is more than the weights that are due at it
                if event.step == 0:
                    member.unsaved = event.checkpoint  # saved once the first point is on the page
                elif event.full or event.step != member.saved_step:
                    self._save(member, event.checkpoint)
            case Finished() | Diverged():
                self._end_member(member, event)
                return
            case Changed():
                return  # noted when it was asked for
            case _:
                self.recorder.note(run_id, event)
        if isinstance(event, Progress) and member.unsaved is not None:
            self._flush()  # the first point is on the page at once
            self._save(member, member.unsaved)
            member.unsaved = None

    def _between_events(self) -> None:
        """What is due by the clock; nothing here takes more than a moment."""
        now = time.perf_counter()
        if now >= self._poll_due:
            self._poll_due = now + POLL_SECONDS
            self._obey(self._orders())
            if not self.alive():
                self.told_to_end = True
        if self.recorder.due(now):
            self._flush()
        if self._saver.failed:
            self._settle()
        if now >= self._watch_due:
            self._watch_due = now + WATCH_SECONDS
            self.recorder.watched = self._patience.insist(self._watched)
            for member in self.members.values():
                if now - member.saved_at > SAFETY_SECONDS:
                    self._save(member, member.training.checkpoint(full=True))
        if self.recorder.watched and now >= self._live_due:
            self._put_live()

    def _watched(self) -> bool:
        return any(self.store.watched(run_id) for run_id in self.members)

    def _put_live(self) -> None:
        started = time.perf_counter()
        for run_id, member in self.members.items():
            if member.training.step != member.live_at:
                member.live_at = member.training.step
                weights = member.training.checkpoint(full=False).weights_only()
                self._patience.insist(partial(self.store.put_live, run_id, weights, claim=self.claim.numbers[run_id]))
        now = time.perf_counter()
        self._live_due = now + max(LIVE_SECONDS, (now - started) / LIVE_SHARE)

    def _drop_live(self, member: Member) -> None:
        if member.live_at >= 0:
            self._patience.insist(partial(self.store.drop_live, member.run.id))

    def _save(self, member: Member, checkpoint: Checkpoint, durable: bool = False) -> None:
        if checkpoint.full:
            self._flush()  # first: a run that goes on from here does not come past the rows before again
        self._patience.insist(partial(self._saver.put, member.run.id, checkpoint, durable))
        if durable:
            self._settle()
        if checkpoint.full:
            member.saved_at = time.perf_counter()
            member.saved_step = checkpoint.step

    def _end_member(self, member: Member, event: Finished | Diverged) -> None:
        """A run has come to its end; the others of a race go on."""
        self._settle()
        columns, mark = ending(event)
        run_id = member.run.id
        self._drop_live(member)
        self.recorder.add(run_id, mark)
        entries = self.recorder.take([run_id], **columns, trainer=None)
        write = self.store.release if len(self.members) == 1 else self.store.write

        def end() -> None:
            write(entries)
            self._ended.add(run_id)

        self._patience.insist(end)
        del self.members[run_id]

    # ---- what pages ask

    def _obey(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if command.kind in KNOBS:
                self._turn(command)
            elif command.kind == "stop":
                self.stopped = True
            elif command.kind == "pause":
                self.paused = True
            else:
                steps = int(command.value or 1) if command.kind == "step" else None
                self.paused = False
                for member in self.members.values():
                    member.go(steps)

    def _turn(self, command: Command) -> None:
        """Turn a knob of one run, and save, so that a crash does not turn it back."""
        member = self.members.get(command.run)
        if member is None or command.value is None:
            return
        step = member.training.step
        self._settle()
        self._flush()
        try:
            member.training.change(command.kind, command.value)
        except ConfigError as error:
            self.recorder.add(command.run, Change(step, "refused", text=str(error), when=time.time()))
            return
        self.recorder.add(command.run, Change(step, command.kind, command.value, when=time.time()))
        self._patience.insist(
            partial(self.store.forget_after, command.run, step, claim=self.claim.numbers[command.run])
        )
        self._save(member, member.training.checkpoint(full=True))

    # ---- leaving

    def _leave_or_linger(self) -> bool:
        """Save all; True once the runs were let go of, False to train on."""
        for member in self.members.values():
            self._save(member, member.training.checkpoint(full=True), durable=True)
        if self.stopped:
            return self._let_go(STOPPED, "Stopped at step {step:,}.")
        if self.told_to_end:
            return self._let_go(INTERRUPTED, "The app or its trainer ended at step {step:,}; the run was saved.")
        for member in self.members.values():
            self._mark(member, PAUSED, "Paused at step {step:,}.")
        self._flush()
        return self._linger()

    def _linger(self) -> bool:
        """Stay loaded and paused for a while. True once the runs were let go of, False to train on."""
        while self._wait_for_orders():
            if self._release(after=None if self.told_to_end else self.listener.last):
                return True
        if self.stopped:
            return self._let_go(STOPPED, "Stopped at step {step:,}.")
        for member in self.members.values():
            self._mark(member, RUNNING, "")
        self._flush()
        return False

    def _wait_for_orders(self) -> bool:
        """Wait, paused. True when it is time to leave, False when asked to go on or to stop."""
        end = time.perf_counter() + self.settings.linger
        look_at_queue = 0.0
        while self.alive() and not self.told_to_end:
            self._obey(self._orders())
            self._flush()
            if self.stopped or not self.paused:
                return False
            now = time.perf_counter()
            if now >= look_at_queue:
                look_at_queue = now + WATCH_SECONDS
                if self._patience.insist(self.store.queue_state).waiting:  # others need the place
                    return True
            if now >= end:
                return True
            time.sleep(POLL_SECONDS / 2)
        return True

    def _let_go(self, status: str, message: str) -> bool:
        for member in self.members.values():
            self._drop_live(member)
        for member in self.members.values():
            self._mark(member, status, message)
        return self._release()

    # ---- loading

    def _load(self) -> None:
        # one that was deleted since has been told to stop, and is saved as any other
        runs = [self.store.run(run_id, deleted=True) for run_id in self.claim.numbers]
        keep_freed_memory()
        torch.set_num_threads(next((run.threads for run in runs if run.threads), self.settings.training_threads))
        corpus = self._corpus(runs[0].config)
        self.recorder = Recorder(self.store, self.claim.numbers, corpus.train_text)
        for run in runs:
            self.recorder.add(run.id, message="", corpus_sha256=corpus.sha256)
            validate(run.config)
            symbols = len(corpus.vocabulary)  # first: a model that is too large is not even built
            parameters, needed = parameter_count(run.config.model, symbols), memory_bytes(run.config, symbols)
            check_config(self.settings, run.config, parameters, needed)
            training = training_of(self.store, run, corpus)
            steps = self.store.steps_wanted(run.id)
            member = Member(run, training, training.events(), None, time.perf_counter())
            member.go(steps)
            self.members[run.id] = member

    def _corpus(self, config: Config) -> Corpus:
        def progress(done: int, total: int) -> None:
            now = time.perf_counter()
            for run_id in self.claim.numbers:
                self.recorder.add(run_id, message=f"Downloading the text: {done / 1e6:.1f} of {total / 1e6:.1f} MB.")
            if self.recorder.due(now):
                self._flush()
            if self.told_to_end:
                raise RefusedError("The app was closed while the text was downloaded. Resume starts it again.")

        return corpus_of(self.store, config, progress)


def run_worker(store: Store, claim: Claim, settings: Settings, trainer_pid: int) -> None:
    """Be a worker, in a process that was just forked or spawned for it; `store` has no open connection."""
    processes.end_with(trainer_pid, signal.SIGTERM)
    worker = Worker(store, claim, settings, alive=processes.parent_watch(trainer_pid))
    signal.signal(signal.SIGTERM, worker.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app, which then ends its trainer
    memory.be_first_to_go()
    worker.work()
    store.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Start as a process of its own, where forking is not safe: RUN:CLAIM for each run."""
    parser = argparse.ArgumentParser(prog="python -m playground.runs.worker", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN:CLAIM", help="the runs to train, with their claim numbers")
    parser.add_argument("--trainer", type=int, required=True, metavar="PID", help="end when this process does")
    parser.add_argument("--id", required=True, help="the trainer's id in the store")
    given = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format=processes.LOG_FORMAT, level=logging.INFO)
    numbers: Mapping[str, int] = {run: int(number) for run, _, number in (item.partition(":") for item in given.runs)}
    settings = Settings.from_environment()
    run_worker(Store.of(settings), Claim(given.id, dict(numbers)), settings, given.trainer)


if __name__ == "__main__":
    main()
    os._exit(0)
