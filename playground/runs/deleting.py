"""Runs go in two moves: deleted, and for a while brought back as they were; then removed, with all they had."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, update

from playground.runs import schema
from playground.runs.dispatch import Dispatch
from playground.runs.records import UNDO_SECONDS
from playground.runs.run_records import GONE, TEXTS, Entry, not_found, refuse_stranger
from playground.runs.weighing import Weighing

OWN = "own:"
"""What the name of a visitor's own text begins with; its SHA-256 follows."""

AT_ONCE = 20
"""Runs removed in one transaction: others may write between two of them."""

UNUSED_TEXT_SECONDS = 86_400.0
"""How long a text is kept that no run has been made from."""

SWEEP_SECONDS = 3_600.0
"""Time between two looks for files that no row names, and how old such a file must be to be one left behind."""


_LIKE_AN_ID = re.compile(r"[0-9a-z]{10}")


class Deleting(Dispatch, Weighing):
    """Deleting, bringing back and removing runs."""

    _sweep_due = 0.0

    def delete_run(self, run_id: str, *, by: str | None = None) -> None:
        """Take a run out of sight; one that trains is saved and stopped, with the other runs of its race.

        For `UNDO_SECONDS` it can be restored; after that, `purge` removes it. Deleting it again is no error.

        Args:
            by: the visitor who asks; None for the house itself, which may always

        Raises:
            RunNotFoundError: there is no such run
            RunRefusedError: a starter run, or another visitor's
        """
        self.refuse_starter(run_id)
        with self.writing() as connection:
            run = self._run(connection, run_id, deleted=True, lock=True)
            refuse_stranger(run, by)
            if run.deleted is not None:
                return
            members = self._members(connection, run_id)
            if any(row.trainer is not None and row.id == run_id for row in members):
                self._add_command(connection, run_id, "stop", None)
            elif run.active:
                self._carry_out(connection, [row for row in members if row.id == run_id], "stop", None)
            self.write_within(connection, Entry(run_id, columns={"deleted": time.time()}))

    def restore_run(self, run_id: str, *, by: str | None = None) -> None:
        """Bring a deleted run back as it was; one that trained is stopped, and goes on when asked.

        Raises:
            RunNotFoundError: there is no such run, or it has been removed for good
            RunRefusedError: another visitor's
        """
        self.refuse_starter(run_id)
        with self.writing() as connection:
            run = self._run(connection, run_id, deleted=True, lock=True)
            refuse_stranger(run, by)
            if run.deleted == GONE:
                raise not_found(run_id, GONE)
            if run.deleted is not None:
                self.write_within(connection, Entry(run_id, columns={"deleted": None}))

    def purge(self, older_than: float = UNDO_SECONDS, *, owner: str | None = None) -> list[str]:
        """Remove runs that were deleted more than `older_than` seconds ago; their ids.

        Their rows, their checkpoints, and texts of visitors' own that no run names any more go, and space is
        given back to the disk. It may be killed at any moment and goes on when called again.

        Args:
            older_than: 0 removes at once what could still be brought back
            owner: only runs that this visitor may delete
        """
        gone = self._marked_gone(older_than, owner)
        for start in range(0, len(gone), AT_ONCE):
            self._remove(gone[start : start + AT_ONCE])
        self._remove_texts(time.time() - UNUSED_TEXT_SECONDS)
        if time.monotonic() >= self._sweep_due:
            self._sweep_due = time.monotonic() + SWEEP_SECONDS
            self._sweep()
        if gone:
            self._give_space_back()
        return gone

    def _marked_gone(self, older_than: float, owner: str | None) -> list[str]:
        """Runs that are to be removed; from now on nobody brings them back, and a worker has lost its claim."""
        table = schema.runs
        due = table.c.deleted <= time.time() - older_than
        if owner is not None:
            due &= or_(table.c.owner == owner, table.c.owner == "")
        with self.reading() as connection:
            if connection.execute(select(table.c.id).where(due).limit(1)).first() is None:
                return []
        with self.writing() as connection:
            marked = update(table).where(due).values(deleted=GONE, trainer=None, version=table.c.version + 1)
            return list(connection.scalars(marked.returning(table.c.id)))

    def _remove(self, run_ids: Sequence[str]) -> None:
        """Remove these runs with all they have, and their own texts where no other run names them."""
        for run_id in run_ids:
            self.blobs.delete_folder(run_id)  # before the rows: what a kill leaves over still has a name
        runs = schema.runs
        with self.writing() as connection:
            corpora = set(connection.scalars(select(runs.c.corpus).where(runs.c.id.in_(run_ids))))
            for table in schema.OF_A_RUN:
                connection.execute(delete(table).where(table.c.run.in_(run_ids)))
            connection.execute(delete(runs).where(runs.c.id.in_(run_ids)))
            self._forget_texts(connection, {corpus[len(OWN) :] for corpus in corpora if corpus.startswith(OWN)})

    def _remove_texts(self, before: float) -> None:
        """Remove texts that came before that time and that no run was made from."""
        table = schema.texts
        query = select(table.c.sha256).where(table.c.created < before)
        with self.reading() as connection:
            if not self._unnamed(connection, set(connection.scalars(query))):
                return
        with self.writing() as connection:  # looked at again: one may have come back meanwhile
            self._forget_texts(connection, set(connection.scalars(query)))

    def _unnamed(self, connection: Connection, digests: set[str]) -> set[str]:
        """Those of the texts that no run names, deleted ones included."""
        corpus = schema.runs.c.corpus
        named = connection.scalars(select(corpus).where(corpus.startswith(OWN)).distinct())
        return digests - {name[len(OWN) :] for name in named}

    def _forget_texts(self, connection: Connection, digests: set[str]) -> None:
        """Remove those that no run names, inside a transaction that keeps `put_text` waiting."""
        unneeded = sorted(self._unnamed(connection, digests))
        if unneeded:
            connection.execute(delete(schema.texts).where(schema.texts.c.sha256.in_(unneeded)))
            self.blobs.delete(TEXTS, unneeded)

    def _sweep(self) -> None:
        """Delete files that no row names: what a writer was about to name when it was killed."""
        old = self.blobs.older_than(SWEEP_SECONDS)
        if not old:
            return
        with self.reading() as connection:
            named = {(TEXTS, digest) for digest in connection.scalars(select(schema.texts.c.sha256))}
            for table in (schema.checkpoints, schema.live):
                named |= {(row.run, row.blob) for row in connection.execute(select(table.c.run, table.c.blob))}
            known = {TEXTS, *connection.scalars(select(schema.runs.c.id))}
        for folder, name in old:
            if folder not in known and _LIKE_AN_ID.fullmatch(folder):
                self.blobs.delete_folder(folder)
            elif folder not in known or not name:
                continue  # not a place of ours, or empty because its run has saved nothing yet
            elif (folder, name) not in named:
                self.blobs.delete(folder, [name])
