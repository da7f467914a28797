"""The runs that a worker holds, and what the store is told of them: how they stand, and why they wait or ended.

While the store cannot be written to, a worker keeps its runs in memory, paused, and goes on by itself when it can;
see `patience`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import engine
from engine.training.checkpoint import Checkpoint
from engine.training.events import Event
from playground.runs import memory
from playground.runs.dispatch import Claim
from playground.runs.listening import Listener
from playground.runs.loading import explain
from playground.runs.patience import GivenUpError, Patience
from playground.runs.recorder import Recorder
from playground.runs.records import FAILED, HELD_UP, INTERRUPTED, PAUSED, RUNNING, Change, Command, Run, StoreError
from playground.runs.run_records import Entry
from playground.runs.saver import Saver
from playground.runs.store import Store

log = logging.getLogger("unrolled.worker")

_UNSAVED = "Interrupted at step {step:,}: the app or its trainer ended while the run could not be saved."
_RESUME = "Resume goes on from the last full checkpoint."


@dataclass
class Member:
    """A run while it is trained."""

    run: Run
    training: engine.Training
    events: Iterator[Event]
    stop_at: int | None
    """pause when this step is reached"""
    saved_at: float
    """when its newest full checkpoint was saved, by `time.perf_counter`"""
    saved_step: int = -1
    unsaved: Checkpoint | None = None
    live_at: int = -1
    """step of the weights in the live slot"""

    def go(self, steps: int | None) -> None:
        """Train on: so many steps, each of them reported, or to the end."""
        self.stop_at = None if steps is None else self.training.step + steps
        self.training.report_every_step = steps is not None

    @property
    def reached(self) -> bool:
        """Whether it has trained the steps that were asked for."""
        return self.stop_at is not None and self.training.step >= self.stop_at


class Holding:
    """Claimed runs and their connection to the store, for the worker that trains them.

    Args:
        store: where the runs are
        claim: which they are; each is the worker's own while its number holds
        alive: whether the trainer, to whom the worker belongs, is still there
    """

    def __init__(self, store: Store, claim: Claim, alive: Callable[[], bool]) -> None:
        self.store = store
        self.claim = claim
        self.alive = alive
        self.listener = Listener(store, list(claim.numbers))
        self.recorder = Recorder(store, claim.numbers)
        self.members: dict[str, Member] = {}
        self.told_to_end = False
        self._patience = Patience(store, self)
        self._saver = Saver(self._put_checkpoint)
        self._ended: set[str] = set()
        """runs that this worker has let go of"""
        self._heard: list[Command] = []
        """what pages asked while the runs were held up"""
        self._standing = (RUNNING, "")
        """status and message that the runs have when they are not held up"""

    # ---- what the store is told

    def _flush(self) -> None:
        self._patience.insist(self.recorder.flush)

    def _put_checkpoint(self, run_id: str, checkpoint: Checkpoint, durable: bool) -> None:
        self.store.put_checkpoint(run_id, checkpoint, claim=self.claim.numbers[run_id], durable=durable)

    def _settle(self) -> None:
        """Wait until the checkpoints are saved."""
        self._patience.insist(self._saver.settle)

    def _mark(self, member: Member, status: str, message: str) -> None:
        step = member.training.step
        text = message.format(step=step)
        self._standing = (status, message)
        ended = None if status in (RUNNING, PAUSED) else time.time()
        self.recorder.add(
            member.run.id,
            Change(step, status, text=text, when=time.time()),
            status=status,
            message=text,
            why="",
            step=step,
            ended=ended,
            seconds=member.training.seconds,
        )

    def _release(self, after: int | None = None) -> bool:
        """Let go of the runs with what was gathered of them; False if a page asked for something after that command."""
        entries = self.recorder.take(self.members)

        def release() -> bool:
            released = self.store.release(entries, listening=list(self.claim.numbers), after=after)
            if released:
                self._ended.update(self.claim.numbers)
            return released

        released = self._patience.insist(release)
        if not released:
            self.recorder.give_back(entries)
        return released

    def _leave_unsaved(self, trouble: GivenUpError) -> None:
        """Told to end while the store could not be written to: the run is as one whose worker was killed."""
        log.warning("Left unsaved: %s", trouble)
        message = f"{_UNSAVED} {_plain(str(trouble))} {_RESUME}"
        for member in self.members.values():
            self._mark(member, INTERRUPTED, message)
        loading = {"status": INTERRUPTED, "message": message.format(step=0), "why": "", "ended": time.time()}
        left = [
            *self.recorder.take(self.members),
            *self.recorder.take(set(self._left()) - set(self.members), **loading),
        ]
        self._tell_the_store(partial(self.store.release, left))

    def _fail(self, error: Exception) -> None:
        """Say in the store what went wrong; the log has the rest."""
        sentence = explain(error)
        left = self._left()
        log.error("%s: %s", ", ".join(left), sentence, exc_info=error)
        now = time.time()
        for run_id in left:
            step = self.members[run_id].training.step if run_id in self.members else 0
            self.recorder.add(run_id, Change(step, FAILED, text=sentence, when=now))
        entries = self.recorder.take(left, status=FAILED, message=sentence, why="", ended=now)
        if memory.ran_out(error):
            self.members.clear()  # with the models goes what little there is to be had for telling the store
            error.__traceback__ = None
        self._tell_the_store(partial(self._patience.insist, partial(self.store.release, entries)))

    def _left(self) -> list[str]:
        return [run_id for run_id in self.claim.numbers if run_id not in self._ended]

    def _tell_the_store(self, tell: Callable[[], object]) -> None:
        """Where the store does not take it, the trainer finds the runs without a worker, and says so when it can."""
        try:
            tell()
        except (StoreError, GivenUpError) as second:
            log.error("The store could not be told: %s", second)

    # ---- while the store cannot be written to

    def held_up(self, trouble: str) -> None:
        """Have the page say why the runs wait, past what was gathered: that is much, and for later."""
        entries = []
        for run_id in self._left():
            member = self.members.get(run_id)
            place = f" at step {member.training.step:,}" if member else ""
            text = f"{trouble} The run waits{place}, kept in memory, and goes on by itself when it can be saved."
            columns: dict[str, Any] = {"status": PAUSED, "message": text, "why": HELD_UP}
            step = member.training.step if member else 0
            mark = Change(step, PAUSED, text=text, when=time.time())
            entries.append(Entry(run_id, [mark] if member else [], columns, self.claim.numbers[run_id]))
        self.store.write(entries)

    def goes_on(self) -> None:
        """Give the runs back the status they had."""
        status, message = self._standing
        for run_id in self._left():
            member = self.members.get(run_id)
            step = member.training.step if member else 0
            mark = Change(step, status, text="The run could be saved again.", when=time.time())
            text = message.format(step=step)
            self.recorder.add(run_id, *([mark] if member else []), status=status, message=text, why="")

    def must_leave(self) -> bool:
        """Whether the worker was told to end, or its trainer has gone."""
        self.told_to_end = self.told_to_end or not self.alive()
        return self.told_to_end

    def asked_to_try(self) -> bool:
        """Hear what pages ask, for later; true where somebody wants to go on."""
        heard = self.listener.poll()
        self._heard += heard
        return any(command.kind in ("resume", "step") for command in heard)

    def _orders(self) -> list[Command]:
        """What pages have asked since the last look."""
        heard = self._patience.insist(self.listener.poll)
        earlier, self._heard = self._heard, []
        return [*earlier, *heard]


def _plain(text: str) -> str:
    """`text`, so that `format` leaves it as it is."""
    return text.replace("{", "{{").replace("}", "}}")
