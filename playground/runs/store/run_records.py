"""Runs and their rows: metrics, evaluations, samples, changes.

The starter runs that ship with the code are read from their files, so they are available even without a database.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, or_, select, update

from engine.config import Config
from playground.runs import records
from playground.runs.records import (
    UNDO_SECONDS,
    CheckpointInfo,
    ClaimLostError,
    Evaluation,
    Finding,
    Metric,
    Row,
    Run,
    RunChange,
    RunDelta,
    RunNotFoundError,
    RunRefusedError,
    RunWrite,
    SampleText,
    StoreError,
)
from playground.runs.settings import AppSettings
from playground.runs.store import schema, sparkline
from playground.runs.store.database import Database
from playground.runs.store.rows import (
    NAME_LENGTH,
    default_name,
    from_row,
    run_columns,
    run_from_row,
    run_values,
    sparkline_from_text,
    to_row,
)
from playground.runs.store.starter_files import StarterRuns

PURGED = 0.0
"""`deleted` of a run that is being removed and cannot be restored."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TABLES: Mapping[type, Table] = {
    Metric: schema.metrics,
    Evaluation: schema.evaluations,
    SampleText: schema.samples,
    RunChange: schema.changes,
    CheckpointInfo: schema.checkpoints,
    Finding: schema.findings,
}
_ORDERS: Mapping[type, tuple[str, ...]] = {RunChange: ("id",), Finding: ("layer", "unit")}
"""Columns by which rows of a kind are ordered, where that is not their step."""


def new_id() -> str:
    """A short random id, safe in a URL and hard to misread."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def not_found(run_id: str, deleted: float | None = None) -> RunNotFoundError:
    """The error for a run that does not exist, or was deleted at that time."""
    if deleted is None:
        return RunNotFoundError(f"There is no run {run_id[:40]!r} in this store: choose another.")
    left = deleted + UNDO_SECONDS - time.time()
    undo = f"; it can be restored for another {left / 60:.0f} minutes" if left > 60 else ""
    return RunNotFoundError(f"The run {run_id[:40]!r} was deleted{undo}. Choose another.")


def check_owner(owner: str, by: str | None) -> None:
    """Raise RunRefusedError unless `by` may change what is `owner`'s or nobody's; None is the app, which always may."""
    if by is not None and owner not in ("", by):
        raise RunRefusedError("This run belongs to another visitor: duplicate it and change your copy.")


class RunRecords(Database):
    """Runs by id, with their metrics, evaluations, samples and changes."""

    def __init__(self, url: str, starters: StarterRuns | None = None, max_bytes: int | None = None) -> None:
        """`max_bytes`: what the store may hold; None takes the setting's default."""
        super().__init__(url)
        self.starters = StarterRuns.default() if starters is None else starters
        self.max_bytes = AppSettings().max_store_bytes if max_bytes is None else max_bytes

    # ---- runs

    def create_run(
        self,
        config: Config,
        *,
        name: str = "",
        owner: str = "",
        visibility: str = "public",
        parent: tuple[str, int] | None = None,
        start: bool = True,
        steps: int | None = None,
    ) -> str:
        """Create a run; its id. It waits for a worker, or is paused at step 0 (`start=False`).

        With `steps` it pauses after that many, at step 0 for none. `parent` is the (run, step) whose weights it starts
        from.
        """
        created = self._create([config], [name], owner, visibility, start, parent=parent, steps=steps)
        return created[0]

    def create_race(
        self,
        configs: Sequence[Config],
        *,
        names: Sequence[str] = (),
        owner: str = "",
        visibility: str = "public",
        start: bool = True,
        steps: int | None = None,
    ) -> list[str]:
        """Create runs that one worker trains side by side, over the same batches; their ids, all with the same `race`.

        With `steps` they pause after that many.

        Raises:
            RunRefusedError: fewer than two configs, more than four, or ones that would not read the same batches.
        """
        if not 2 <= len(configs) <= 4:
            raise RunRefusedError(f"Two to four models can be compared, not {len(configs)}.")
        if any(config.data != configs[0].data for config in configs):
            raise RunRefusedError(
                "Models that are compared are trained on the same batches: give them the same text and data settings."
            )
        if any(config.training.seed != configs[0].training.seed for config in configs):
            raise RunRefusedError("Models that are compared are trained on the same batches: give them the same seed.")
        return self._create(configs, names or [""] * len(configs), owner, visibility, start, race=new_id(), steps=steps)

    def _create(
        self,
        configs: Sequence[Config],
        names: Sequence[str],
        owner: str,
        visibility: str,
        start: bool,
        parent: tuple[str, int] | None = None,
        race: str | None = None,
        steps: int | None = None,
    ) -> list[str]:
        now = time.time()
        rows = [
            run_values(config, name, owner=owner, visibility=visibility, now=now)
            | {
                "id": new_id(),
                "status": records.QUEUED if start else records.PAUSED,
                "parent_run": parent[0] if parent else None,
                "parent_step": parent[1] if parent else None,
                "race": race,
                "race_place": place,
                "steps_wanted": steps,
            }
            for place, (config, name) in enumerate(zip(configs, names, strict=True))
        ]
        with self.writing() as connection:
            connection.execute(insert(schema.runs), rows)
        return [row["id"] for row in rows]

    def run(self, run_id: str, *, deleted: bool = False) -> Run:
        """The run, also a deleted one that can still be restored if `deleted`.

        Raises:
            RunNotFoundError: there is none, or it was deleted
        """
        if run_id in self.starters:
            return self.starters[run_id].run
        with self.reading() as connection:
            return self._run(connection, run_id, deleted=deleted)

    def _run(self, connection: Connection, run_id: str, *, deleted: bool = False, lock: bool = False) -> Run:
        query = select(schema.runs).where(schema.runs.c.id == run_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None or (row.deleted is not None and not deleted):
            raise not_found(run_id, None if row is None else row.deleted)
        return run_from_row(row)

    def runs(
        self,
        *,
        owner: str | None = None,
        status: Iterable[str] | None = None,
        race: str | None = None,
        viewer: str | None = None,
        starters: bool = True,
        limit: int | None = None,
        deleted: bool = False,
    ) -> list[Run]:
        """Runs, newest first, then the starter runs; one query, which reads no other table.

        `viewer` leaves out what others keep private. `deleted` gives the deleted runs that can still be restored
        instead. Without a usable database there are only the starter runs; `trouble()` says why.
        """
        table = schema.runs
        there = table.c.deleted > PURGED if deleted else table.c.deleted.is_(None)
        query = select(table).where(there).order_by(table.c.created.desc(), table.c.race_place, table.c.id)
        if owner is not None:
            query = query.where(table.c.owner == owner)
        if status is not None:
            query = query.where(table.c.status.in_(list(status)))
        if race is not None:
            query = query.where(table.c.race == race)
        if viewer is not None:
            query = query.where(or_(table.c.visibility == "public", table.c.owner == viewer))
        chosen = deleted or owner is not None or status is not None or race is not None
        starter_runs = list(self.starters.runs()) if starters and not chosen else []
        try:
            with self.reading() as connection:
                return [run_from_row(row) for row in connection.execute(query.limit(limit))] + starter_runs
        except StoreError:
            if not starter_runs:
                raise
            return starter_runs

    def count(self, *, owner: str, status: Iterable[str]) -> int:
        """How many runs of that owner have one of these statuses."""
        table = schema.runs
        chosen = table.c.deleted.is_(None) & (table.c.owner == owner) & table.c.status.in_(list(status))
        with self.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(chosen)) or 0

    def rename(self, run_id: str, name: str, *, by: str | None = None) -> None:
        """Rename a run; an empty name restores its default. `by` as in `delete_run`."""
        self.check_writable(run_id)
        with self.writing() as connection:
            run = self._run(connection, run_id)
            check_owner(run.owner, by)
            columns = {"name": name.strip()[:NAME_LENGTH] or default_name(run.config)}
            self.write_in_transaction(connection, RunWrite(run_id, columns=columns))

    def check_writable(self, run_id: str) -> None:
        """Raise RunRefusedError for a starter run."""
        if run_id in self.starters:
            raise RunRefusedError(f"{run_id!r} is a starter run and read-only: start a branch from it instead.")

    # ---- rows

    def record(self, run_id: str, rows: Sequence[Row] = (), *, claim: int | None = None, **columns: Any) -> None:
        """Write rows and columns of one run in one transaction. Raises RunNotFoundError or ClaimLostError."""
        self.write([RunWrite(run_id, rows, columns, claim)])

    def write(self, writes: Sequence[RunWrite]) -> None:
        """Write to several runs in one transaction.

        A row replaces an earlier one for the same (run, step); changes are appended.
        """
        for write in writes:
            self.check_writable(write.run)
        with self.writing() as connection:
            for write in writes:
                self.write_in_transaction(connection, write)

    def write_in_transaction(self, connection: Connection, write: RunWrite) -> int:
        """Write to one run as part of the caller's transaction; the run's new version."""
        table = schema.runs
        bump = update(table).where(table.c.id == write.run)
        if write.claim is not None:
            bump = bump.where(table.c.claim == write.claim, table.c.trainer.is_not(None))
        version = connection.scalar(
            bump.values(version=table.c.version + 1, **run_columns(write.columns or {})).returning(table.c.version)
        )
        if version is None and write.claim is None:
            raise not_found(write.run)
        if version is None:
            raise ClaimLostError(f"The run {write.run!r} was deleted or given to another worker.")
        by_kind: dict[type, list[dict]] = {}
        for row in write.rows:
            by_kind.setdefault(type(row), []).append(to_row(row, write.run, version))
        for kind, values in by_kind.items():
            into = insert(schema.changes) if kind is RunChange else schema.upsert(self.engine, _TABLES[kind])
            connection.execute(into, values)
        if Metric in by_kind:
            self._update_sparkline(connection, write.run, by_kind[Metric])
        return version

    def _update_sparkline(self, connection: Connection, run_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add new metrics to the run's sparkline."""
        this = schema.runs.c.id == run_id
        before = sparkline_from_text(connection.execute(select(schema.runs.c.spark).where(this)).scalar_one())
        points = sparkline.merged(before, ((row["step"], row["loss"]) for row in rows))
        connection.execute(update(schema.runs).where(this).values(run_columns({"spark": points})))

    def _sparkline_of(self, connection: Connection, run_id: str) -> list[tuple[int, float]]:
        """The sparkline of all metrics that are stored."""
        table = schema.metrics
        found = select(table.c.step, table.c.loss).where(table.c.run == run_id).order_by(table.c.step)
        return sparkline.thinned(
            [(step, math.nan if loss is None else loss) for step, loss in connection.execute(found)]
        )

    def truncate_after(self, run_id: str, step: int, *, claim: int | None = None) -> None:
        """Delete what was recorded and saved after `step`: a run that is resumed from there may train differently."""
        kinds = (schema.metrics, schema.evaluations, schema.samples, schema.checkpoints)
        with self.writing() as connection:
            deleted = 0
            for table in kinds:
                deleted += connection.execute(delete(table).where(table.c.run == run_id, table.c.step > step)).rowcount
            if deleted:
                # `version` is the value before this write: readers that have seen it read all rows again
                columns = {
                    "rewritten": schema.runs.c.version + 1,
                    "spark": self._sparkline_of(connection, run_id),
                }
                self.write_in_transaction(connection, RunWrite(run_id, columns=columns, claim=claim))

    def version(self, run_id: str) -> int:
        """A number that increases with every change to the run."""
        if run_id in self.starters:
            return self.starters[run_id].run.version
        with self.reading() as connection:
            wanted = select(schema.runs.c.version, schema.runs.c.deleted).where(schema.runs.c.id == run_id)
            row = connection.execute(wanted).one_or_none()
        if row is None or row.deleted is not None:
            raise not_found(run_id, None if row is None else row.deleted)
        return row.version

    def delta(self, run_id: str, after: int = 0) -> RunDelta:
        """The run and its rows newer than version `after`, read in one transaction.

        If rows were deleted since then (`run.rewritten > after`), all rows.
        """
        if run_id in self.starters:
            return self.starters[run_id].delta(after)
        with self.reading() as connection:
            run = self._run(connection, run_id)
            if run.version == after:
                return RunDelta(run, [], [], [], [], None)
            if run.rewritten > after:
                after = 0
            kept = self._rows(connection, CheckpointInfo, run_id, 0)
            return RunDelta(
                run=run,
                metrics=self._rows(connection, Metric, run_id, after),
                evaluations=self._rows(connection, Evaluation, run_id, after),
                samples=self._rows(connection, SampleText, run_id, after),
                changes=self._rows(connection, RunChange, run_id, after),
                checkpoints=kept,
                findings=self._rows(connection, Finding, run_id, 0),
            )

    def metrics(self, run_id: str, after: int = 0) -> list[Metric]:
        """Training metrics by step; those written after version `after` of the run."""
        return self._records_of(Metric, run_id, after)

    def evaluations(self, run_id: str, after: int = 0) -> list[Evaluation]:
        """Evaluations by step."""
        return self._records_of(Evaluation, run_id, after)

    def samples(self, run_id: str, after: int = 0) -> list[SampleText]:
        """Samples by step."""
        return self._records_of(SampleText, run_id, after)

    def changes(self, run_id: str, after: int = 0) -> list[RunChange]:
        """Changes of settings and of status, in order."""
        return self._records_of(RunChange, run_id, after)

    def checkpoints(self, run_id: str) -> list[CheckpointInfo]:
        """The stored checkpoints by step, without their bytes."""
        return self._records_of(CheckpointInfo, run_id, 0)

    def _records_of(self, kind: type, run_id: str, after: int) -> list:
        if run_id in self.starters:
            return self.starters[run_id].rows(kind, after)
        with self.reading() as connection:
            return self._rows(connection, kind, run_id, after)

    def _rows(self, connection: Connection, kind: type, run_id: str, after: int) -> list:
        table = _TABLES[kind]
        wanted = [table.c[item.name] for item in fields(kind)]
        order = [table.c[name] for name in _ORDERS.get(kind, ("step",))]
        query = select(*wanted).where(table.c.run == run_id, table.c.version > after).order_by(*order)
        return [from_row(kind, row) for row in connection.execute(query)]
