"""Importing: a checked run archive becomes a run of this store, completely or not at all.

The blobs are written first, then everything else in one transaction. A kill between the two leaves files that no row
refers to, which `Store.purge` sweeps; any other failure is rolled back at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, insert, select

from engine.data.text import first_words
from playground.runs.archive import RunArchive, RunArchiveError
from playground.runs.archive.layout import single_line
from playground.runs.records import (
    ACTIVE,
    FINISHED,
    HELD_UP,
    INTERRUPTED,
    PAUSED,
    RESUMABLE,
    RUNNING,
    CheckpointInfo,
    Row,
    Run,
    RunChange,
    RunWrite,
    StoreError,
)
from playground.runs.store import Store, schema
from playground.runs.store.blobs import TEXTS
from playground.runs.store.database import as_store_errors
from playground.runs.store.findings import finding_row
from playground.runs.store.rows import run_columns, run_values, to_row
from playground.runs.store.run_records import new_id
from playground.text import date

IMPORTED = "imported"
"""Key of the change that marks the import of a run."""


def import_run(store: Store, archive: RunArchive, *, owner: str) -> str:
    """Import a run for `owner`; its new id.

    A run that trained or waited becomes interrupted or paused, and resumes from its newest full checkpoint. It is no
    longer part of a race, nor a branch, unless of a starter run, which every store has.

    Raises:
        RunArchiveError: a branch without weights of its own; LimitError: the store has no room for it
        StoreError: the store cannot be written; nothing of the run is left in it
    """
    parent = _parent(store, archive)
    store.check_capacity(archive.bytes)
    run_id = new_id()
    blobs = {info.step: f"step-{info.step}-{info.sha256[:16]}.safetensors" for info in archive.checkpoints}
    try:
        with as_store_errors():
            for step, blob in blobs.items():
                store.blobs.put(run_id, blob, archive.checkpoint(step), durable=True)
        with store.writing() as connection:
            _write_text(store, connection, archive)
            connection.execute(insert(schema.runs), _columns(archive, run_id, owner, parent))
            rows: list[Row] = [
                *archive.metrics,
                *archive.evaluations,
                *archive.samples,
                *archive.changes,
                _import_change(archive),
            ]
            version = store.write_in_transaction(connection, RunWrite(run_id, rows))
            _write_checkpoints(connection, run_id, archive.checkpoints, blobs, version)
            if archive.findings:
                named = [finding_row(finding, run_id, owner, version) for finding in archive.findings]
                connection.execute(insert(schema.findings), named)
    except BaseException:
        _roll_back(store, run_id, archive)
        raise
    return run_id


def _parent(store: Store, archive: RunArchive) -> tuple[str, int] | None:
    """The run and step that it branched from, if available: only starter runs are."""
    run = archive.run
    if run.parent is None:
        return None
    if run.parent[0] in store.starters:
        with suppress(StoreError):
            store.checkpoint(*run.parent)
            return run.parent
    if archive.resumes_at is None and run.status in ACTIVE | RESUMABLE:
        raise RunArchiveError(
            "The run file was not imported: its run is a branch without a full checkpoint of its own, and its parent "
            "run is not in this store. Train it to its first evaluation, then export it again."
        )
    return None


def _columns(archive: RunArchive, run_id: str, owner: str, parent: tuple[str, int] | None) -> dict[str, Any]:
    run, now = archive.run, time.time()
    status, message = _status_here(archive)
    as_it_was = (
        "started", "ended", "step", "planned_steps", "parameters", "evaluation_steps", "best_step", "best_loss",
        "val_loss", "last_loss", "tokens_per_second", "seconds", "train_seconds", "suggestion", "device",
        "corpus_sha256", "text_facts",
    )  # fmt: skip
    values: Mapping[str, Any] = run_values(
        run.config, run.name, owner=owner, visibility=run.visibility, now=now
    ) | run_columns({name: getattr(run, name) for name in as_it_was})
    return {
        **values,
        "id": run_id,
        "status": status,
        "message": message,
        "why": run.why if run.status == FINISHED else "",
        "queued": None,
        "ended": now if status != run.status and status == INTERRUPTED else run.ended,
        "threads": _threads(run),
        "parent_run": parent[0] if parent else None,
        "parent_step": parent[1] if parent else None,
    }


def _status_here(archive: RunArchive) -> tuple[str, str]:
    """Status and message here, where nobody trains the run, whatever its status was when it was exported."""
    run = archive.run
    held_up = run.status == PAUSED and run.why == HELD_UP
    if run.status not in ACTIVE and not held_up:
        return run.status, run.message
    where = "from step 0" if archive.resumes_at is None else f"from step {archive.resumes_at:,}"
    if held_up:
        return PAUSED, f"At step {run.step:,}, when it was exported, it could not be saved; Resume continues {where}."
    if run.status == RUNNING:
        return INTERRUPTED, f"It was training at step {run.step:,} when it was exported; Resume continues {where}."
    return PAUSED, f"It was queued when it was exported; Resume continues {where}."


def _threads(run: Run) -> int | None:
    """As many threads as it had, so that it continues exactly; None if this machine has fewer cores."""
    return run.threads if run.threads is not None and run.threads <= (os.cpu_count() or 1) else None


def _import_change(archive: RunArchive) -> RunChange:
    text = f"Imported from a file exported by {archive.made_by} on {date(archive.made)}"
    if archive.left_out:
        text += f", without {len(archive.left_out):,} of its checkpoints"
    return RunChange(archive.run.step, IMPORTED, text=single_line(f"{text}.", 2_000), when=time.time())


def _write_text(store: Store, connection: Connection, archive: RunArchive) -> None:
    """Store the run's own text inside the transaction: the removal of unused texts waits until it is used."""
    if archive.text is None:
        return
    digest = archive.run.config.data.corpus.removeprefix("own:")
    store.write_text(connection, digest, archive.text.encode("utf-8"), first_words(archive.text))


def _write_checkpoints(
    connection: Connection, run_id: str, infos: tuple[CheckpointInfo, ...], blobs: Mapping[int, str], version: int
) -> None:
    rows = [to_row(info, run_id, version) | {"blob": blobs[info.step]} for info in infos]
    if rows:
        connection.execute(insert(schema.checkpoints), rows)


def _roll_back(store: Store, run_id: str, archive: RunArchive) -> None:
    """Delete what was written of a run whose import failed."""
    with suppress(StoreError), as_store_errors():
        store.blobs.delete_folder(run_id)
        if archive.text is not None:
            digest = archive.run.config.data.corpus.removeprefix("own:")
            with store.writing() as connection:
                known = select(schema.texts.c.sha256).where(schema.texts.c.sha256 == digest)
                if connection.execute(known).first() is None:
                    store.blobs.delete(TEXTS, [digest])
