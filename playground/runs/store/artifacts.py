"""Artifacts, the large things of a run: checkpoints, live weights, and the texts that visitors bring."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select, update

from engine.data.text import first_words
from playground.runs.records import RunWrite, StoreError, TextLostError
from playground.runs.store import schema
from playground.runs.store.blobs import TEXTS, BlobMissingError
from playground.runs.store.database import as_store_errors
from playground.runs.store.storage_usage import StorageUsage

if TYPE_CHECKING:
    from engine.training.checkpoint import Checkpoint

TEXT_NAME_LENGTH = 60
"""Characters of a text's name."""

log = logging.getLogger("unrolled.store")

FULL_KEPT = 2
"""How many of the newest full checkpoints stay full, besides the best one."""

WATCHED_SECONDS = 5.0
"""How long a run counts as watched after a viewer's last sign."""


@dataclass(frozen=True)
class LiveWeights:
    """The newest weights of a running run: a checkpoint's bytes."""

    step: int
    raw: bytes


class Artifacts(StorageUsage):
    """Checkpoints and live weights by run, texts by hash."""

    # ---- checkpoints

    def put_checkpoint(
        self, run_id: str, checkpoint: Checkpoint, *, claim: int | None = None, durable: bool = False
    ) -> None:
        """Store a checkpoint, and thin out the others: at most 40 stay, the newest two full ones and the best full.

        `durable` waits until it is on the disk. Raises ClaimLostError, StoreFullError.
        """
        self.check_writable(run_id)
        unneeded = self._put(run_id, checkpoint, claim, durable)
        self.blobs.delete(run_id, unneeded)
        if checkpoint.full:
            self._demote(run_id, checkpoint.best.step or None, claim)

    def _put(self, run_id: str, checkpoint: Checkpoint, claim: int | None, durable: bool = False) -> list[str]:
        """Write one checkpoint, replacing another at its step, and thin; the blobs that are no longer needed."""
        raw = checkpoint.to_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        blob = f"step-{checkpoint.step}-{digest[:16]}.safetensors"
        values = {
            "run": run_id,
            "step": checkpoint.step,
            "full": checkpoint.full,
            "bytes": len(raw),
            "sha256": digest,
            "blob": blob,
            "created": time.time(),
        }
        with as_store_errors():
            self.blobs.put(run_id, blob, raw, durable)
        try:
            with self.writing() as connection:
                version = self.write_in_transaction(connection, RunWrite(run_id, claim=claim))
                before = self._blobs_by_step(connection, run_id)
                connection.execute(schema.upsert(self.engine, schema.checkpoints), values | {"version": version})
                self._thin(connection, run_id, checkpoint.best.step or None)
                after = self._blobs_by_step(connection, run_id)
        except StoreError:
            self._delete_orphan(run_id, blob)
            raise
        return sorted(set(before.values()) - set(after.values()))

    def _blobs_by_step(self, connection: Connection, run_id: str) -> dict[int, str]:
        table = schema.checkpoints
        rows = connection.execute(select(table.c.step, table.c.blob).where(table.c.run == run_id))
        return {row.step: row.blob for row in rows}

    def _delete_orphan(self, run_id: str, blob: str) -> None:
        """Delete a blob whose row could not be written, or the whole folder if the run was removed meanwhile."""
        with self.reading() as connection:
            there = connection.execute(select(schema.runs.c.id).where(schema.runs.c.id == run_id)).first()
            needed = (
                blob in self._blobs_by_step(connection, run_id).values()
            )  # an equal checkpoint may be stored already
        if there is None:
            self.blobs.delete_folder(run_id)
        elif not needed:
            self.blobs.delete(run_id, [blob])

    def _thin(self, connection: Connection, run_id: str, best: int | None) -> None:
        """Delete the rows of checkpoints that need not be kept."""
        from engine.training.checkpoint import keep

        table = schema.checkpoints
        rows = connection.execute(select(table.c.step, table.c.full).where(table.c.run == run_id)).all()
        steps = {row.step for row in rows}
        newest_full = sorted(row.step for row in rows if row.full)[-FULL_KEPT:]
        unwanted = steps - keep(steps, max(steps), best, required=newest_full)
        if unwanted:
            connection.execute(delete(table).where(table.c.run == run_id, table.c.step.in_(unwanted)))

    def _demote(self, run_id: str, best: int | None, claim: int | None) -> None:
        """Rewrite full checkpoints that are neither among the newest two nor the best as weights only."""
        from engine.training.checkpoint import Checkpoint, CheckpointError

        full = [info.step for info in self.checkpoints(run_id) if info.full]
        for step in full[:-FULL_KEPT]:
            if step == best:
                continue
            try:
                slim = Checkpoint.from_bytes(self.checkpoint(run_id, step)).weights_only()
            except (StoreError, CheckpointError) as error:
                log.warning("The checkpoint of %s at step %d is deleted: %s", run_id, step, error)
                with self.writing() as connection:
                    table = schema.checkpoints
                    connection.execute(delete(table).where(table.c.run == run_id, table.c.step == step))
            else:
                self.blobs.delete(run_id, self._put(run_id, slim, claim))

    def checkpoint(self, run_id: str, step: int) -> bytes:
        """The bytes of the checkpoint at exactly that step, for `Checkpoint.from_bytes`.

        Raises:
            StoreError: there is none at that step, or its file is missing or damaged.
        """
        if run_id in self.starters:
            return self.starters[run_id].checkpoint(step)
        table = schema.checkpoints
        for _ in range(3):  # it may be rewritten, under another name, between the two reads
            with self.reading() as connection:
                query = select(table.c.blob, table.c.sha256).where(table.c.run == run_id, table.c.step == step)
                row = connection.execute(query).one_or_none()
            if row is None:
                raise StoreError(f"The run {run_id!r} has no checkpoint at step {step}: choose one of its checkpoints.")
            try:
                with as_store_errors():
                    raw = self.blobs.get(run_id, row.blob)
            except BlobMissingError:
                continue
            if hashlib.sha256(raw).hexdigest() != row.sha256:
                raise StoreError(f"The checkpoint of {run_id!r} at step {step} is damaged: choose another step.")
            return raw
        raise BlobMissingError(
            f"The checkpoint of {run_id!r} at step {step} is missing from the store: choose another."
        )

    # ---- the live slot

    def put_live(self, run_id: str, checkpoint: Checkpoint, *, claim: int | None = None) -> None:
        """Overwrite the run's live slot with these weights."""
        blob = f"live-{checkpoint.step}.safetensors"
        table = schema.live
        raw = checkpoint.to_bytes()
        with as_store_errors():
            self.blobs.put(run_id, blob, raw)
        with self.writing() as connection:
            self.write_in_transaction(connection, RunWrite(run_id, claim=claim, columns={"live_step": checkpoint.step}))
            old = connection.scalar(select(table.c.blob).where(table.c.run == run_id))
            values = {"run": run_id, "step": checkpoint.step, "blob": blob, "created": time.time(), "bytes": len(raw)}
            connection.execute(schema.upsert(self.engine, table), values)
        self.blobs.delete(run_id, [old] if old and old != blob else [])

    def drop_live(self, run_id: str) -> None:
        """Empty the live slot: the run has ended, and its last checkpoint has the same weights."""
        table = schema.live
        with self.writing() as connection:
            blob = connection.scalar(select(table.c.blob).where(table.c.run == run_id))
            connection.execute(delete(table).where(table.c.run == run_id))
            connection.execute(update(schema.runs).where(schema.runs.c.id == run_id).values(live_step=None))
        self.blobs.delete(run_id, [blob] if blob else [])

    def live(self, run_id: str) -> LiveWeights | None:
        """The weights in the run's live slot; None if it has not been watched while training."""
        if run_id in self.starters:
            return None
        table = schema.live
        for _ in range(5):  # the slot may be overwritten between the two reads
            with self.reading() as connection:
                row = connection.execute(select(table.c.step, table.c.blob).where(table.c.run == run_id)).one_or_none()
            if row is None:
                return None
            try:
                with as_store_errors():
                    return LiveWeights(row.step, self.blobs.get(run_id, row.blob))
            except BlobMissingError:
                continue
        return None

    def watch(self, run_id: str) -> None:
        """Mark the run as watched, so that its live slot is kept fresh. Cheap; call every 2 s."""
        if run_id not in self.starters:
            with self.writing() as connection:
                connection.execute(schema.upsert(self.engine, schema.watches), {"run": run_id, "seen": time.time()})

    def watched(self, run_id: str) -> bool:
        """Whether the run was marked as watched within the last `WATCHED_SECONDS`."""
        with self.reading() as connection:
            seen = connection.scalar(select(schema.watches.c.seen).where(schema.watches.c.run == run_id))
        return seen is not None and time.time() - seen < WATCHED_SECONDS

    # ---- texts

    def put_text(self, text: str, name: str = "") -> str:
        """Store a visitor's text, once however often it is put; its SHA-256 as in `own:HASH`.

        It is called by its name, or else by its first words. One that no run uses within a day is removed again. Raises
        StoreError where the store is full.
        """
        raw = text.encode()
        digest = hashlib.sha256(raw).hexdigest()
        self.check_capacity(len(raw))
        called = " ".join(name.split())[:TEXT_NAME_LENGTH] or first_words(text)
        with self.writing() as connection:
            self.write_text(connection, digest, raw, called)
        return digest

    def write_text(self, connection: Connection, digest: str, raw: bytes, name: str) -> None:
        """Store a text inside a transaction, so that the removal of unused texts waits until it has its row.

        A text that is there keeps its name: all who have it see the same.
        """
        known = connection.scalar(select(schema.texts.c.name).where(schema.texts.c.sha256 == digest))
        values = {"sha256": digest, "bytes": len(raw), "created": time.time(), "name": known or name}
        connection.execute(schema.upsert(self.engine, schema.texts), values)
        self.blobs.put(TEXTS, digest, raw, durable=True)

    def text_name(self, digest: str) -> str:
        """What the text with that SHA-256 is called. Raises TextLostError if this store does not have it."""
        with self.reading() as connection:
            row = connection.execute(select(schema.texts.c.name).where(schema.texts.c.sha256 == digest)).first()
        return row.name if row is not None and row.name else first_words(self.text(digest))

    def text(self, digest: str) -> str:
        """The text with that SHA-256. Raises TextLostError if this store does not have it, or it is damaged."""
        with self.reading() as connection:
            known = connection.execute(select(schema.texts).where(schema.texts.c.sha256 == digest)).first()
        if known is None:
            raise TextLostError("The text of this run is not in this store: paste or upload it again.")
        with as_store_errors():
            try:
                raw = self.blobs.get(TEXTS, digest)
            except BlobMissingError as error:
                raise TextLostError(str(error)) from None
        if hashlib.sha256(raw).hexdigest() != digest:
            raise TextLostError("The text of this run is damaged in this store: paste or upload it again.")
        return raw.decode()
