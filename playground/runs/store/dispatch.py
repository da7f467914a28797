"""Dispatch: the queue of runs, their claims, commands to workers, and the trainers that are alive.

A run has a worker exactly while its column `trainer` is set. A command to such a run is stored for the worker; to any
other run it is applied at once, in the transaction that found no worker. A worker releases its runs in a transaction
that also reads its commands. So no command is lost between the two.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from playground.runs.records import (
    ANYONE,
    DIVERGED,
    FINISHED,
    HELD_UP,
    INTERRUPTED,
    OWNER,
    PAUSED,
    QUEUED,
    RESUMABLE,
    RUNNING,
    STOPPED,
    Command,
    RunChange,
    RunRefusedError,
    RunWrite,
    done_by,
)
from playground.runs.store import schema
from playground.runs.store.run_records import RunRecords, check_owner, not_found

ADJUSTABLE = ("learning_rate", "clip_threshold")
CONTROLS = ("pause", "resume", "step", "stop")
ENDED = {FINISHED: "finished", DIVERGED: "diverged"}
MAX_STEPS_ASKED = 1_000_000


@dataclass(frozen=True)
class Claim:
    """Runs that one worker trains, each with its claim number: one run, or the runs of a race in order."""

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
    """A registered trainer. `started` is when its process started, which tells it from a later one with the same id."""

    id: str
    pid: int
    host: str
    started: float
    heartbeat: float
    workers: int


class Dispatch(RunRecords):
    """The queue and the commands. A command to a run of a race holds for all its runs, except a changed setting."""

    # ---- called by pages

    def command(self, run_id: str, kind: str, value: float | None = None, *, by: str | None = None) -> None:
        """Send "pause", "resume", "step" (`value` steps), "stop", or a new "learning_rate" or "clip_threshold".

        A command that changes nothing is no error. To step a run that has reached its end adds the steps to its plan.

        Args:
            by: the visitor who asks, as in `delete_run`; None for the app itself, which always may

        Raises:
            RunRefusedError: another visitor's run, or a command that is impossible now; it says why
        """
        self.check_writable(run_id)
        _check_command(kind, value)
        with self.writing() as connection:
            members = self._race_rows(connection, run_id)
            for row in members:
                check_owner(row.owner, by)
            actor = actor_of(members[0].owner, by)
            if kind in ADJUSTABLE:
                # a setting is changed by the worker, also by one that has yet to start
                status = next(row.status for row in members if row.id == run_id)
                if status in ENDED:
                    raise RunRefusedError(f"This run has {ENDED[status]}: start a branch with other settings.")
                self._add_command(connection, run_id, kind, value, actor)
                return
            trained = [row.id for row in members if row.trainer is not None]
            if trained:
                self._add_command(connection, run_id if run_id in trained else trained[0], kind, value, actor)
                return
            self._apply_command(connection, members, kind, value, actor)

    def _race_rows(self, connection: Connection, run_id: str) -> Sequence[Any]:
        """The run, or all runs of its race that were not deleted, locked until the transaction ends."""
        table = schema.runs
        wanted = (table.c.id, table.c.status, table.c.trainer, table.c.race, table.c.step, table.c.owner)
        asked = select(*wanted, table.c.deleted).where(table.c.id == run_id).with_for_update()
        row = connection.execute(asked).one_or_none()
        if row is None or row.deleted is not None:
            raise not_found(run_id, None if row is None else row.deleted)
        if row.race is None:
            return [row]
        race = select(*wanted).where(table.c.race == row.race, table.c.deleted.is_(None))
        race = race.order_by(table.c.race_place)
        return connection.execute(race.with_for_update()).all()

    def _add_command(
        self, connection: Connection, run_id: str, kind: str, value: float | None, actor: str = ""
    ) -> None:
        row = {"run": run_id, "kind": kind, "value": value, "actor": actor, "created": time.time()}
        connection.execute(insert(schema.commands), row)

    def _apply_command(
        self, connection: Connection, members: Sequence[Any], kind: str, value: float | None, actor: str = ""
    ) -> None:
        """Apply a command to runs that have no worker."""
        now = time.time()
        going_on = _statuses_that_go_on(kind, members)
        for row in members:
            if kind == "pause" and row.status == QUEUED:
                self._set(connection, row, PAUSED, f"Paused{done_by(actor)} before training began.")
            elif kind == "stop" and row.status in (QUEUED, PAUSED, INTERRUPTED):
                self._set(connection, row, STOPPED, f"Stopped{done_by(actor)} at step {row.step:,}.", ended=now)
            elif row.status in going_on:
                steps = int(value or 1) if kind == "step" else None
                self._set(connection, row, QUEUED, "", queued=now, ended=None, why="", steps_wanted=steps)
        if kind in ("resume", "step") and not any(row.status in going_on for row in members):
            status = members[0].status
            other = " press Step to continue it, or" if status == FINISHED else ""
            raise RunRefusedError(
                f"This run has {ENDED.get(status, 'ended')} and cannot be resumed:{other} start a branch from one of "
                "its checkpoints."
            )

    def _set(self, connection: Connection, row: Any, status: str, message: str, **columns: Any) -> None:
        changed = {"status": status, "message": message, **columns}
        change = RunChange(row.step, status, text=message, when=time.time())
        self.write_in_transaction(connection, RunWrite(row.id, [] if status == row.status else [change], changed))

    def queue_state(self) -> QueueState:
        """How many workers there are, how many train, and which runs wait."""
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

    # ---- called by workers

    def commands(self, run_ids: Iterable[str], after: int = 0) -> list[Command]:
        """The commands to these runs since the one numbered `after`, oldest first."""
        with self.reading() as connection:
            return self._commands(connection, run_ids, after)

    def _commands(self, connection: Connection, run_ids: Iterable[str], after: int) -> list[Command]:
        table = schema.commands
        wanted = select(table.c.id, table.c.run, table.c.kind, table.c.value, table.c.actor)
        found = wanted.where(table.c.run.in_(list(run_ids)), table.c.id > after).order_by(table.c.id)
        return [Command(*row) for row in connection.execute(found)]

    def delete_commands(self, run_ids: Sequence[str], up_to: int) -> None:
        """Delete these runs' commands up to that number."""
        table = schema.commands
        with self.writing() as connection:
            connection.execute(delete(table).where(table.c.run.in_(list(run_ids)), table.c.id <= up_to))

    def release(self, writes: Sequence[RunWrite], *, claimed: Sequence[str] = (), after: int | None = None) -> bool:
        """Release runs from their worker, with its last writes to them. False if a command arrived meanwhile.

        With `after` (the last command that the worker received) a newer command, to these runs or the others that it
        has `claimed`, keeps the runs with the worker. Without `after` they are released in any case, and the newest
        command is applied here.
        """
        run_ids = [write.run for write in writes]
        with self.writing() as connection:
            newer = self._commands(connection, {*run_ids, *claimed}, after or 0)
            if after is not None and newer:
                return False
            for write in writes:
                columns = {"trainer": None, **(write.columns or {})}
                self.write_in_transaction(connection, RunWrite(write.run, write.rows, columns, write.claim))
            self._apply_last_command(connection, run_ids, newer)
        return True

    def _apply_last_command(self, connection: Connection, run_ids: Sequence[str], asked: Sequence[Command]) -> None:
        """Apply the newest command to a worker that ended before it could."""
        orders = [command for command in asked if command.kind in CONTROLS]
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
            self._apply_command(connection, open_rows, orders[-1].kind, orders[-1].value, orders[-1].actor)

    # ---- called by trainers

    def claim(self, trainer: str) -> Claim | None:
        """Claim the run (or race) that has waited longest, for one worker; None if none waits. Atomic."""
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
                change = RunChange(row.step, RUNNING, text="A worker took the run.", when=now)
                self.write_in_transaction(connection, RunWrite(row.id, [change], columns))
            ids = [row.id for row in rows]
            orders = schema.commands.c.run.in_(ids) & schema.commands.c.kind.in_(CONTROLS)
            connection.execute(delete(schema.commands).where(orders))  # they were for an earlier worker
            numbers = connection.execute(select(table.c.id, table.c.claim).where(table.c.id.in_(ids)))
            found = {row.id: row.claim for row in numbers}
            return Claim(trainer, {run_id: found[run_id] for run_id in ids})

    def steps_wanted(self, run_id: str) -> int | None:
        """How many steps the run trains before it pauses; None: to its end."""
        with self.reading() as connection:
            return connection.scalar(select(schema.runs.c.steps_wanted).where(schema.runs.c.id == run_id))

    def interrupt(self, claims: Mapping[str, int], reason: str) -> list[str]:
        """Mark runs whose worker ended without releasing them as interrupted; returns the ones marked."""
        table = schema.runs
        now = time.time()
        with self.writing() as connection:
            held = select(table.c.id, table.c.step, table.c.status, table.c.claim, table.c.why)
            held = held.where(table.c.id.in_(list(claims)), table.c.trainer.is_not(None))
            rows = [row for row in connection.execute(held) if claims[row.id] == row.claim]
            for row in rows:
                columns: dict[str, Any] = {"trainer": None}
                changes: list[RunChange] = []
                if (
                    row.status == RUNNING or row.why == HELD_UP
                ):  # one that lingered was paused and saved: nothing is lost
                    columns |= {"status": INTERRUPTED, "message": reason, "ended": now, "why": ""}
                    changes.append(RunChange(row.step, INTERRUPTED, text=reason, when=now))
                self.write_in_transaction(connection, RunWrite(row.id, changes, columns))
            ids = [row.id for row in rows]
            self._apply_last_command(connection, ids, self._commands(connection, ids, 0))
        return ids

    def register_trainer(self, pid: int, host: str, started: float, workers: int) -> str:
        """Register a trainer; its id."""
        trainer = secrets.token_hex(8)
        row = {"id": trainer, "pid": pid, "host": host, "started": started, "workers": workers}
        with self.writing() as connection:
            connection.execute(insert(schema.trainers), row | {"heartbeat": time.time()})
        return trainer

    def heartbeat(self, trainer: str) -> bool:
        """Record that a trainer is alive. False if it was removed as dead."""
        table = schema.trainers
        with self.writing() as connection:
            done = connection.execute(update(table).where(table.c.id == trainer).values(heartbeat=time.time()))
        return done.rowcount == 1

    def trainers(self) -> list[TrainerInfo]:
        """The registered trainers."""
        with self.reading() as connection:
            return [TrainerInfo(*row) for row in connection.execute(select(schema.trainers))]

    def remove_trainer(self, trainer: str, reason: str) -> list[str]:
        """Remove a trainer that has ended, and mark the runs it still had as interrupted; returns those."""
        with self.reading() as connection:
            held = select(schema.runs.c.id, schema.runs.c.claim).where(schema.runs.c.trainer == trainer)
            left = {row.id: row.claim for row in connection.execute(held)}
        marked = self.interrupt(left, reason) if left else []
        with self.writing() as connection:
            connection.execute(delete(schema.trainers).where(schema.trainers.c.id == trainer))
        return marked

    def unregistered_trainers(self) -> list[str]:
        """Ids of trainers that still have runs but are not registered: those runs are orphaned."""
        known = select(schema.trainers.c.id)
        with self.reading() as connection:
            named = select(schema.runs.c.trainer).where(
                schema.runs.c.trainer.is_not(None), schema.runs.c.trainer.not_in(known)
            )
            return list(connection.scalars(named.distinct()))


def actor_of(owner: str, visitor: str | None) -> str:
    """Who asks, as sentences say it."""
    if visitor is None:
        return ""
    return OWNER if owner else ANYONE


def _statuses_that_go_on(kind: str, members: Sequence[Any]) -> frozenset[str]:
    """The statuses from which a command makes runs without a worker train.

    A run that has reached its end goes on step by step; in a race only when the others have ended too.
    """
    if kind not in ("resume", "step"):
        return frozenset()
    resting = RESUMABLE | {QUEUED}
    ended = kind == "step" and not any(row.status in resting for row in members)
    return frozenset({FINISHED}) if ended else resting


def _check_command(kind: str, value: float | None) -> None:
    if kind not in ADJUSTABLE + CONTROLS:
        raise RunRefusedError(f"There is no command {kind!r}: ask for one of {', '.join(CONTROLS + ADJUSTABLE)}.")
    if kind == "learning_rate" and not (value is not None and math.isfinite(value) and value > 0):
        raise RunRefusedError(f"The learning rate must be a positive number, not {value}.")
    if kind == "clip_threshold" and not (value is not None and math.isfinite(value) and value >= 0):
        raise RunRefusedError(f"The clipping threshold must be a positive number, or 0 for off, not {value}.")
    if kind == "step" and value is not None and not 1 <= value <= MAX_STEPS_ASKED:
        raise RunRefusedError(f"Step takes a whole number from 1 to {MAX_STEPS_ASKED:,}, not {value}.")
