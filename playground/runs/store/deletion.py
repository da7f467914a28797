"""Runs are removed in two steps: deleted, when they can still be restored, and later purged with all their data."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, update

from playground.runs.records import UNDO_SECONDS, RunWrite
from playground.runs.store import schema
from playground.runs.store.blobs import TEXTS
from playground.runs.store.dispatch import actor_of
from playground.runs.store.findings import Findings
from playground.runs.store.jobs import JobQueue
from playground.runs.store.run_records import PURGED, check_owner, not_found
from playground.runs.store.storage_usage import StorageUsage

OWN = "own:"
"""Prefix of the corpus name of a visitor's own text; its SHA-256 follows."""

PURGE_BATCH = 20
"""Runs removed in one transaction: others can write between two of them."""

UNUSED_TEXT_SECONDS = 86_400.0
"""How long a text is kept that no run uses."""

SWEEP_SECONDS = 3_600.0
"""Time between two sweeps for files that no row refers to, and the least age of a file that is swept."""


_RUN_ID = re.compile(r"[0-9a-z]{10}")


class Deletion(JobQueue, Findings, StorageUsage):
    """Deleting, restoring and purging runs."""

    _sweep_due = 0.0

    def delete_run(self, run_id: str, *, by: str | None = None) -> None:
        """Delete a run; one that trains is saved and stopped, with the other runs of its race.

        For `UNDO_SECONDS` it can be restored; after that, `purge` removes it. Deleting it again is no error.

        Args:
            by: the visitor who asks; None for the app itself, which always may

        Raises:
            RunNotFoundError: there is no such run
            RunRefusedError: a starter run, or another visitor's
        """
        self.check_writable(run_id)
        with self.writing() as connection:
            run = self._run(connection, run_id, deleted=True, lock=True)
            check_owner(run.owner, by)
            if run.deleted is not None:
                return
            members = self._race_rows(connection, run_id)
            if any(row.trainer is not None and row.id == run_id for row in members):
                self._add_command(connection, run_id, "stop", None, actor_of(run.owner, by))
            elif run.active:
                mine = [row for row in members if row.id == run_id]
                self._apply_command(connection, mine, "stop", None, actor_of(run.owner, by))
            self._cancel_jobs_of(connection, run_id)
            self.write_in_transaction(connection, RunWrite(run_id, columns={"deleted": time.time()}))

    def restore_run(self, run_id: str, *, by: str | None = None) -> None:
        """Restore a deleted run; one that was training is stopped, and can be resumed.

        Raises:
            RunNotFoundError: there is no such run, or it has been purged
            RunRefusedError: another visitor's
        """
        self.check_writable(run_id)
        with self.writing() as connection:
            run = self._run(connection, run_id, deleted=True, lock=True)
            check_owner(run.owner, by)
            if run.deleted == PURGED:
                raise not_found(run_id, PURGED)
            if run.deleted is not None:
                self.write_in_transaction(connection, RunWrite(run_id, columns={"deleted": None}))

    def purge(self, older_than: float = UNDO_SECONDS, *, owner: str | None = None) -> list[str]:
        """Remove runs that were deleted more than `older_than` seconds ago; their ids.

        Their rows, checkpoints, and visitors' texts that no run uses any more are deleted, as are the oldest results of
        jobs beyond their bound, and the space is returned to the disk. It may be killed at any moment; the next call
        finishes the work.

        Args:
            older_than: 0 also removes runs that could still be restored
            owner: only runs that this visitor may delete
        """
        purged = self._mark_purged(older_than, owner)
        for start in range(0, len(purged), PURGE_BATCH):
            self._remove(purged[start : start + PURGE_BATCH])
        self._remove_unused_texts(time.time() - UNUSED_TEXT_SECONDS)
        if time.monotonic() >= self._sweep_due:
            self._sweep_due = time.monotonic() + SWEEP_SECONDS
            self._sweep()
        self._purge_findings()
        jobs = self._purge_jobs()
        if purged or jobs:
            self._return_space()
        return purged

    def _mark_purged(self, older_than: float, owner: str | None) -> list[str]:
        """Mark the runs to be removed: they cannot be restored any more, and their workers have lost their claims."""
        table = schema.runs
        due = table.c.deleted <= time.time() - older_than
        if owner is not None:
            due &= or_(table.c.owner == owner, table.c.owner == "")
        with self.reading() as connection:
            if connection.execute(select(table.c.id).where(due).limit(1)).first() is None:
                return []
        with self.writing() as connection:
            marked = update(table).where(due).values(deleted=PURGED, trainer=None, version=table.c.version + 1)
            return list(connection.scalars(marked.returning(table.c.id)))

    def _remove(self, run_ids: Sequence[str]) -> None:
        """Delete these runs with all their data, and their texts if no other run uses them."""
        for run_id in run_ids:
            self.blobs.delete_folder(run_id)  # before the rows: after a kill the rows still refer to what is left
        runs = schema.runs
        with self.writing() as connection:
            corpora = set(connection.scalars(select(runs.c.corpus).where(runs.c.id.in_(run_ids))))
            for table in schema.OF_A_RUN:
                connection.execute(delete(table).where(table.c.run.in_(run_ids)))
            connection.execute(delete(runs).where(runs.c.id.in_(run_ids)))
            self._delete_unreferenced(connection, {corpus[len(OWN) :] for corpus in corpora if corpus.startswith(OWN)})

    def _remove_unused_texts(self, before: float) -> None:
        """Delete texts that were stored before that time and that no run uses."""
        table = schema.texts
        query = select(table.c.sha256).where(table.c.created < before)
        with self.reading() as connection:
            if not self._unreferenced(connection, set(connection.scalars(query))):
                return
        with self.writing() as connection:  # queried again: one may be in use meanwhile
            self._delete_unreferenced(connection, set(connection.scalars(query)))

    def _unreferenced(self, connection: Connection, digests: set[str]) -> set[str]:
        """Those of the texts that no run uses, deleted runs included."""
        corpus = schema.runs.c.corpus
        named = connection.scalars(select(corpus).where(corpus.startswith(OWN)).distinct())
        return digests - {name[len(OWN) :] for name in named}

    def _delete_unreferenced(self, connection: Connection, digests: set[str]) -> None:
        """Delete those that no run uses, inside a transaction that `put_text` waits for."""
        unneeded = sorted(self._unreferenced(connection, digests))
        if unneeded:
            connection.execute(delete(schema.texts).where(schema.texts.c.sha256.in_(unneeded)))
            self.blobs.delete(TEXTS, unneeded)

    def _sweep(self) -> None:
        """Delete files that no row refers to: those of a writer that was killed before it wrote the row."""
        old = self.blobs.older_than(SWEEP_SECONDS)
        if not old:
            return
        with self.reading() as connection:
            named = {(TEXTS, digest) for digest in connection.scalars(select(schema.texts.c.sha256))}
            for table in (schema.checkpoints, schema.live):
                named |= {(row.run, row.blob) for row in connection.execute(select(table.c.run, table.c.blob))}
            known = {TEXTS, *connection.scalars(select(schema.runs.c.id))}
        for folder, name in old:
            if folder not in known and _RUN_ID.fullmatch(folder):
                self.blobs.delete_folder(folder)
            elif folder not in known or not name:
                continue  # not a folder of ours, or empty because its run has saved nothing yet
            elif (folder, name) not in named:
                self.blobs.delete(folder, [name])
