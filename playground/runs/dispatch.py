"""Who trains what: the queue, claims, commands to workers, and the trainers that are alive.

A run has a worker exactly while its column `trainer` is set. What a page asks of such a run becomes a
command for the worker; asked of any other run, it is done here and at once. Both happen inside the
transaction that looked, and a worker lets go of its runs inside one that looks for commands, so nothing
that was asked is lost between the two.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from playground.runs import schema
from playground.runs.records import (
    DIVERGED,
    FINISHED,
    HELD_UP,
    INTERRUPTED,
    PAUSED,
    QUEUED,
    RESUMABLE,
    RUNNING,
    STOPPED,
    Change,
    Command,
    RunRefusedError,
)
from playground.runs.run_records import Entry, RunRecords, not_found

KNOBS = ("learning_rate", "clip_threshold")
ORDERS = ("pause", "resume", "step", "stop")
ENDED = {FINISHED: "reached its end", DIVERGED: "diverged"}
MAX_STEPS_ASKED = 1_000_000


@dataclass(frozen=True)
class Claim:
    """Runs that a worker is to train, each with its claim number; the runs of a race together, in order."""

    trainer: str
    numbers: dict[str, int]


@dataclass(frozen=True)
class QueueState:
    """How busy the trainers are: `busy` of `workers` train, and these runs wait, in order."""

    workers: int
    busy: int
    waiting: tuple[str, ...]

    def place(self, run_id: str) -> int | None:
        """The run's place in the queue, from 1; None if it does not wait."""
        return self.waiting.index(run_id) + 1 if run_id in self.waiting else None


@dataclass(frozen=True)
class TrainerInfo:
    """A trainer that said it is there. `started` is its process's own start, which tells it from a later one."""

    id: str
    pid: int
    host: str
    started: float
    heartbeat: float
    workers: int


class Dispatch(RunRecords):
    """The queue and the commands. What concerns a race concerns all its runs, but for the knobs."""

    # ---- asked by pages

    def command(self, run_id: str, kind: str, value: float | None = None) -> None:
        """Ask for "pause", "resume", "step" (`value` steps), "stop", or a new "learning_rate" or "clip_threshold".

        Asking for what is so already is no error. Raises RunRefusedError, with the reason, for what cannot be.
        """
        self.refuse_starter(run_id)
        _check_command(kind, value)
        with self.writing() as connection:
            members = self._members(connection, run_id)
            if kind in KNOBS:
                # a knob waits for the worker, also for one that is yet to start
                status = next(row.status for row in members if row.id == run_id)
                if status in ENDED:
                    raise RunRefusedError(f"This run has {ENDED[status]}: start a branch with other settings.")
                self._add_command(connection, run_id, kind, value)
                return
            trained = [row.id for row in members if row.trainer is not None]
            if trained:
                self._add_command(connection, run_id if run_id in trained else trained[0], kind, value)
                return
            self._carry_out(connection, members, kind, value)

    def _members(self, connection: Connection, run_id: str) -> Sequence[Any]:
        """The run, or all runs of its race that were not deleted, locked until the transaction ends."""
        table = schema.runs
        wanted = (table.c.id, table.c.status, table.c.trainer, table.c.race, table.c.step, table.c.name)
        asked = select(*wanted, table.c.deleted).where(table.c.id == run_id).with_for_update()
        row = connection.execute(asked).one_or_none()
        if row is None or row.deleted is not None:
            raise not_found(run_id, None if row is None else row.deleted)
        if row.race is None:
            return [row]
        race = select(*wanted).where(table.c.race == row.race, table.c.deleted.is_(None))
        race = race.order_by(table.c.race_place)
        return connection.execute(race.with_for_update()).all()

    def _add_command(self, connection: Connection, run_id: str, kind: str, value: float | None) -> None:
        row = {"run": run_id, "kind": kind, "value": value, "created": time.time()}
        connection.execute(insert(schema.commands), row)

    def _carry_out(self, connection: Connection, members: Sequence[Any], kind: str, value: float | None) -> None:
        """Do what was asked of runs that have no worker."""
        now = time.time()
        for row in members:
            if kind == "pause" and row.status == QUEUED:
                self._set(connection, row, PAUSED, "Paused before a worker took it.")
            elif kind == "stop" and row.status in (QUEUED, PAUSED, INTERRUPTED):
                self._set(connection, row, STOPPED, "Stopped.", ended=now)
            elif kind in ("resume", "step") and row.status in RESUMABLE | {QUEUED}:
                steps = int(value or 1) if kind == "step" else None
                self._set(connection, row, QUEUED, "", queued=now, ended=None, steps_wanted=steps)
        if kind in ("resume", "step") and not any(row.status in RESUMABLE | {QUEUED} for row in members):
            ended = ENDED.get(members[0].status, "ended")
            raise RunRefusedError(f"This run has {ended} and cannot go on: start a branch from one of its checkpoints.")

    def _set(self, connection: Connection, row: Any, status: str, message: str, **columns: Any) -> None:
        changed = {"status": status, "message": message, **columns}
        change = Change(row.step, status, text=message, when=time.time())
        self.write_within(connection, Entry(row.id, [] if status == row.status else [change], changed))

    def queue_state(self) -> QueueState:
        """How many workers there are, how many train, and who waits."""
        table = schema.runs
        with self.reading() as connection:
            workers = connection.scalar(select(func.coalesce(func.sum(schema.trainers.c.workers), 0)))
            trained = connection.execute(
                select(table.c.id, table.c.race).where(table.c.trainer.is_not(None), table.c.status == RUNNING)
            )
            busy = {row.race or row.id for row in trained}
            waiting = connection.scalars(
                select(table.c.id)
                .where(table.c.status == QUEUED, table.c.deleted.is_(None))
                .order_by(table.c.queued, table.c.race_place)
            )
            return QueueState(int(workers or 0), len(busy), tuple(waiting))

    # ---- asked by workers

    def commands(self, run_ids: Iterable[str], after: int = 0) -> list[Command]:
        """What pages asked of these runs since the command numbered `after`, oldest first."""
        with self.reading() as connection:
            return self._commands(connection, run_ids, after)

    def _commands(self, connection: Connection, run_ids: Iterable[str], after: int) -> list[Command]:
        table = schema.commands
        wanted = select(table.c.id, table.c.run, table.c.kind, table.c.value)
        found = wanted.where(table.c.run.in_(list(run_ids)), table.c.id > after).order_by(table.c.id)
        return [Command(*row) for row in connection.execute(found)]

    def forget_commands(self, run_ids: Sequence[str], up_to: int) -> None:
        """These runs' commands up to that number were carried out."""
        table = schema.commands
        with self.writing() as connection:
            connection.execute(delete(table).where(table.c.run.in_(list(run_ids)), table.c.id <= up_to))

    def release(self, entries: Sequence[Entry], *, listening: Sequence[str] = (), after: int | None = None) -> bool:
        """A worker lets go of runs, writing their last entries. False if pages asked for something meanwhile.

        With `after` (the last command that the worker saw) a newer command, to these runs or the others it is
        `listening` for, keeps the runs with the worker. Without it they are let go of in any case, and what was
        asked last is done here.
        """
        run_ids = [entry.run for entry in entries]
        with self.writing() as connection:
            newer = self._commands(connection, {*run_ids, *listening}, after or 0)
            if after is not None and newer:
                return False
            for entry in entries:
                columns = {"trainer": None, **(entry.columns or {})}
                self.write_within(connection, Entry(entry.run, entry.rows, columns, entry.claim))
            self._heed_last_wish(connection, run_ids, newer)
        return True

    def _heed_last_wish(self, connection: Connection, run_ids: Sequence[str], asked: Sequence[Command]) -> None:
        """What was asked of a worker that ended before it could answer is done without it."""
        orders = [command for command in asked if command.kind in ORDERS]
        table = schema.commands
        connection.execute(delete(table).where(table.c.id.in_([command.id for command in orders])))
        if not orders or orders[-1].kind not in ("resume", "step", "stop"):
            return
        rows = connection.execute(select(schema.runs).where(schema.runs.c.id.in_(list(run_ids)))).all()
        last = orders[-1].kind
        open_rows = [
            row for row in rows if row.status in (PAUSED, INTERRUPTED) and (row.deleted is None or last == "stop")
        ]
        if open_rows:
            self._carry_out(connection, open_rows, orders[-1].kind, orders[-1].value)

    # ---- asked by trainers

    def claim(self, trainer: str) -> Claim | None:
        """Take the run (or race) that waits longest, for one worker; None if none waits. Atomic."""
        table = schema.runs
        waits = (table.c.status == QUEUED) & table.c.deleted.is_(None)
        queued = select(table.c.id, table.c.race).where(waits).order_by(table.c.queued, table.c.id)
        with self.reading() as connection:
            if connection.execute(queued.limit(1)).first() is None:
                return None
        with self.writing() as connection:
            first = connection.execute(queued.limit(1).with_for_update(skip_locked=True)).first()
            if first is None:
                return None
            same = table.c.race == first.race if first.race is not None else table.c.id == first.id
            chosen = select(table.c.id, table.c.step).where(same, waits).order_by(table.c.race_place)
            rows = connection.execute(chosen).all()
            now = time.time()
            for row in rows:
                columns: dict[str, Any] = {"status": RUNNING, "message": "", "ended": None, "trainer": trainer}
                columns |= {"claim": table.c.claim + 1, "started": func.coalesce(table.c.started, now)}
                change = Change(row.step, RUNNING, text="A worker took the run.", when=now)
                self.write_within(connection, Entry(row.id, [change], columns))
            ids = [row.id for row in rows]
            orders = schema.commands.c.run.in_(ids) & schema.commands.c.kind.in_(ORDERS)
            connection.execute(delete(schema.commands).where(orders))  # they were for a worker of the past
            numbers = connection.execute(select(table.c.id, table.c.claim).where(table.c.id.in_(ids)))
            found = {row.id: row.claim for row in numbers}
            return Claim(trainer, {run_id: found[run_id] for run_id in ids})

    def steps_wanted(self, run_id: str) -> int | None:
        """How many steps the run is to train before it pauses; None: to its end."""
        with self.reading() as connection:
            return connection.scalar(select(schema.runs.c.steps_wanted).where(schema.runs.c.id == run_id))

    def interrupt(self, claims: Mapping[str, int], reason: str) -> list[str]:
        """Mark runs, by claim number, whose worker has gone without letting go of them; returns which those were."""
        table = schema.runs
        now = time.time()
        with self.writing() as connection:
            held = select(table.c.id, table.c.step, table.c.status, table.c.claim, table.c.why)
            held = held.where(table.c.id.in_(list(claims)), table.c.trainer.is_not(None))
            rows = [row for row in connection.execute(held) if claims[row.id] == row.claim]
            for row in rows:
                columns: dict[str, Any] = {"trainer": None}
                marks: list[Change] = []
                if row.status == RUNNING or row.why == HELD_UP:  # one that lingered, paused and saved, has lost nothing
                    columns |= {"status": INTERRUPTED, "message": reason, "ended": now, "why": ""}
                    marks.append(Change(row.step, INTERRUPTED, text=reason, when=now))
                self.write_within(connection, Entry(row.id, marks, columns))
            ids = [row.id for row in rows]
            self._heed_last_wish(connection, ids, self._commands(connection, ids, 0))
        return ids

    def register(self, pid: int, host: str, started: float, workers: int) -> str:
        """A trainer says that it is there; its id."""
        trainer = secrets.token_hex(8)
        row = {"id": trainer, "pid": pid, "host": host, "started": started, "workers": workers}
        with self.writing() as connection:
            connection.execute(insert(schema.trainers), row | {"heartbeat": time.time()})
        return trainer

    def beat(self, trainer: str) -> bool:
        """A trainer says that it is still there. False if it was struck off as dead."""
        table = schema.trainers
        with self.writing() as connection:
            done = connection.execute(update(table).where(table.c.id == trainer).values(heartbeat=time.time()))
        return done.rowcount == 1

    def trainers(self) -> list[TrainerInfo]:
        """The trainers that have not been struck off."""
        with self.reading() as connection:
            return [TrainerInfo(*row) for row in connection.execute(select(schema.trainers))]

    def strike_off(self, trainer: str, reason: str) -> list[str]:
        """A trainer has ended: forget it and mark the runs it still had; returns those."""
        with self.reading() as connection:
            held = select(schema.runs.c.id, schema.runs.c.claim).where(schema.runs.c.trainer == trainer)
            left = {row.id: row.claim for row in connection.execute(held)}
        marked = self.interrupt(left, reason) if left else []
        with self.writing() as connection:
            connection.execute(delete(schema.trainers).where(schema.trainers.c.id == trainer))
        return marked

    def forsaken(self) -> list[str]:
        """Ids of trainers that runs name but that nobody registered or that were struck off."""
        known = select(schema.trainers.c.id)
        with self.reading() as connection:
            named = select(schema.runs.c.trainer).where(
                schema.runs.c.trainer.is_not(None), schema.runs.c.trainer.not_in(known)
            )
            return list(connection.scalars(named.distinct()))


def _check_command(kind: str, value: float | None) -> None:
    if kind not in KNOBS + ORDERS:
        raise RunRefusedError(f"There is no command {kind!r}: ask for one of {', '.join(ORDERS + KNOBS)}.")
    if kind == "learning_rate" and not (value is not None and math.isfinite(value) and value > 0):
        raise RunRefusedError(f"The learning rate must be a positive number, not {value}.")
    if kind == "clip_threshold" and not (value is not None and math.isfinite(value) and value >= 0):
        raise RunRefusedError(f"The clipping threshold must be a positive number, or 0 for off, not {value}.")
    if kind == "step" and value is not None and not 1 <= value <= MAX_STEPS_ASKED:
        raise RunRefusedError(f"Step takes a whole number from 1 to {MAX_STEPS_ASKED:,}, not {value}.")
