"""Runs that come from elsewhere: a checked run file becomes a run of this store, whole or not at all.

The blobs are written first, then everything else in one transaction. A kill between the two leaves files
that no row names, which `Store.purge` sweeps away; any other failure is tidied up at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, insert, select

from playground.runs import schema
from playground.runs.archive import Parcel, ParcelError
from playground.runs.archive.form import tidy
from playground.runs.database import sentences
from playground.runs.records import (
    ACTIVE,
    FINISHED,
    HELD_UP,
    INTERRUPTED,
    PAUSED,
    RESUMABLE,
    RUNNING,
    Change,
    CheckpointInfo,
    Row,
    Run,
    StoreError,
)
from playground.runs.rows import run_columns, run_values
from playground.runs.run_records import TEXTS, Entry, new_id
from playground.runs.store import Store
from playground.text import date

IMPORTED = "imported"
"""The change that marks where a run was brought in."""


def bring_in(store: Store, parcel: Parcel, *, owner: str) -> str:
    """Make a checked run file a run of `owner`'s; its new id.

    What trained or waited is paused or interrupted here, and resumes from its newest full checkpoint. A race is left
    behind, and so is the run it branched from, unless that is a starter run, which is everywhere.

    Raises:
        ParcelError: a branch without weights of its own; LimitError: the store has no room for it
        StoreError: the store cannot be written; nothing of the run is left in it
    """
    parent = _parent(store, parcel)
    store.refuse_full(parcel.bytes)
    run_id = new_id()
    blobs = {info.step: f"step-{info.step}-{info.sha256[:16]}.safetensors" for info in parcel.checkpoints}
    try:
        with sentences():
            for step, blob in blobs.items():
                store.blobs.put(run_id, blob, parcel.checkpoint(step), durable=True)
        with store.writing() as connection:
            _write_text(store, connection, parcel)
            connection.execute(insert(schema.runs), _columns(parcel, run_id, owner, parent))
            rows: list[Row] = [*parcel.metrics, *parcel.evaluations, *parcel.samples, *parcel.changes, _mark(parcel)]
            version = store.write_within(connection, Entry(run_id, rows))
            _write_checkpoints(connection, run_id, parcel.checkpoints, blobs, version)
    except BaseException:
        _take_back(store, run_id, parcel)
        raise
    return run_id


def _parent(store: Store, parcel: Parcel) -> tuple[str, int] | None:
    """Where the run branched from, if that is at hand: another store's runs are not."""
    run = parcel.run
    if run.parent is None:
        return None
    if run.parent[0] in store.shipped:
        with suppress(StoreError):
            store.checkpoint(*run.parent)
            return run.parent
    if parcel.resumes_at is None and run.status in ACTIVE | RESUMABLE:
        raise ParcelError(
            "This run file was not brought in: its run is a branch without a full checkpoint of its own, and the run "
            "that it branched from is not here. Let it train to its first evaluation, then take it away again."
        )
    return None


def _columns(parcel: Parcel, run_id: str, owner: str, parent: tuple[str, int] | None) -> dict[str, Any]:
    run, now = parcel.run, time.time()
    status, message = _standing(parcel)
    as_it_was = (
        "started", "ended", "step", "planned_steps", "parameters", "evaluation_steps", "best_step", "best_loss",
        "val_loss", "last_loss", "tokens_per_second", "seconds", "train_seconds", "suggestion", "device",
        "corpus_sha256",
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


def _standing(parcel: Parcel) -> tuple[str, str]:
    """Status and message here: nobody trains the run, whatever it did where it was taken away."""
    run = parcel.run
    held_up = run.status == PAUSED and run.why == HELD_UP
    if run.status not in ACTIVE and not held_up:
        return run.status, run.message
    where = "from its beginning" if parcel.resumes_at is None else f"from step {parcel.resumes_at:,}"
    if held_up:
        return PAUSED, f"It could not be saved at step {run.step:,} when it was taken away; Resume goes on {where}."
    if run.status == RUNNING:
        return INTERRUPTED, f"It was training at step {run.step:,} when it was taken away; Resume goes on {where}."
    return PAUSED, f"It was waiting for a worker when it was taken away; Resume goes on {where}."


def _threads(run: Run) -> int | None:
    """As many threads as it had, with which its sums come out the same; none said where the machine has fewer cores."""
    return run.threads if run.threads is not None and run.threads <= (os.cpu_count() or 1) else None


def _mark(parcel: Parcel) -> Change:
    text = f"Brought in from a file that {parcel.made_by} made on {date(parcel.made)}"
    if parcel.left_out:
        text += f", without {len(parcel.left_out):,} of its checkpoints"
    return Change(parcel.run.step, IMPORTED, text=tidy(f"{text}.", 2_000), when=time.time())


def _write_text(store: Store, connection: Connection, parcel: Parcel) -> None:
    """Keep the run's own text, inside the transaction: whoever removes unused texts waits until it has a run."""
    if parcel.text is None:
        return
    raw, digest = parcel.text.encode("utf-8"), parcel.run.config.data.corpus.removeprefix("own:")
    store.blobs.put(TEXTS, digest, raw, durable=True)
    values = {"sha256": digest, "bytes": len(raw), "created": time.time()}
    connection.execute(schema.upsert(store.engine, schema.texts), values)


def _write_checkpoints(
    connection: Connection, run_id: str, infos: tuple[CheckpointInfo, ...], blobs: Mapping[int, str], version: int
) -> None:
    rows = [
        {
            "run": run_id,
            "step": info.step,
            "full": info.full,
            "bytes": info.bytes,
            "sha256": info.sha256,
            "created": info.created,
            "blob": blobs[info.step],
            "version": version,
        }
        for info in infos
    ]
    if rows:
        connection.execute(insert(schema.checkpoints), rows)


def _take_back(store: Store, run_id: str, parcel: Parcel) -> None:
    """Remove what was written of a run that could not be brought in whole."""
    with suppress(StoreError), sentences():
        store.blobs.delete_folder(run_id)
        if parcel.text is not None:
            digest = parcel.run.config.data.corpus.removeprefix("own:")
            with store.writing() as connection:
                known = select(schema.texts.c.sha256).where(schema.texts.c.sha256 == digest)
                if connection.execute(known).first() is None:
                    store.blobs.delete(TEXTS, [digest])
