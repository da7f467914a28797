"""A run of the store as one file to take away: a zip file in the form of `playground.runs.archive.form`."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from engine.config import ConfigError
from engine.training.checkpoint import keep
from engine.validate import validate
from playground.runs.archive import form
from playground.runs.archive.form import ParcelError, checkpoint_name, tidy
from playground.runs.archive.tables import to_csv
from playground.runs.archive.weights import is_sound, read_checkpoint
from playground.runs.records import (
    ACTIVE,
    RESUMABLE,
    Change,
    CheckpointInfo,
    Evaluation,
    Metric,
    Run,
    SampleText,
    StoreError,
)
from playground.runs.rows import finite
from playground.runs.run_records import Update
from playground.runs.store import Store

TRIES = 5
"""How often a run that is trained meanwhile is read anew before what is missing is left out."""

_AS_IT_IS = (
    "id", "status", "visibility", "created", "started", "ended", "step", "planned_steps", "parameters", "best_step",
    "best_loss", "val_loss", "last_loss", "tokens_per_second", "seconds", "train_seconds", "parent", "threads",
)  # fmt: skip


class _ChangedError(Exception):
    """The run's checkpoints have changed since they were listed."""


def pack(store: Store, run_id: str) -> bytes:
    """The run as a file, to be brought in again with `unpack` and `playground.runs.arrivals.bring_in`.

    A run that is trained meanwhile is taken as it is at one moment. Checkpoints that hold NaN or infinity, that are
    damaged, or for which the file has no room, are left out; the file says which.

    Raises:
        ParcelError: the run cannot be carried off; StoreError: there is no such run
    """
    for attempt in range(1, TRIES + 1):
        update = store.update(run_id)
        _check_portable(store, update)
        try:
            return _packed(store, update, patient=attempt < TRIES)
        except _ChangedError:
            continue
    raise ParcelError(f"The run {run_id[:40]!r} changes too fast to be taken away: pause it first.")


def _check_portable(store: Store, update: Update) -> None:
    """Refuse what could not be brought in anywhere. Raises ParcelError."""
    run = update.run
    try:
        validate(run.config)
    except ConfigError as error:
        raise ParcelError(f"This run cannot be taken away: {error}") from None
    if run.config.data.corpus.startswith("file:"):
        raise ParcelError("This run learns a text by its path on this machine: train on an uploaded text instead.")
    branched = run.parent is not None and run.parent[0] not in store.shipped and run.status in ACTIVE | RESUMABLE
    if branched and not any(info.full for info in update.checkpoints or ()):
        raise ParcelError(
            "This branch has no full checkpoint yet and would start from its parent's weights: pause it first, or let "
            "it train to its first evaluation."
        )
    if len(update.metrics) > form.MOST_ROWS or len(update.changes) > form.MOST_CHANGES:
        raise ParcelError(
            f"This run has {len(update.metrics):,} rows of metrics and {len(update.changes):,} changes; a run file "
            f"holds {form.MOST_ROWS:,} and {form.MOST_CHANGES:,}."
        )


def _packed(store: Store, update: Update, patient: bool) -> bytes:
    wanted = _that_fit(update.checkpoints or [])
    listed = {info.step for info in update.checkpoints or []}
    buffer = io.BytesIO()
    packed: list[CheckpointInfo] = []
    with zipfile.ZipFile(buffer, "w") as archive:
        entries: dict[str, dict[str, Any]] = {}
        for info in wanted:
            raw = _sound(store, update.run.id, info, patient)
            if raw is not None:
                packed.append(info)
                # weights look like noise: squeezing them takes long and gains little
                entries[checkpoint_name(info.step)] = _add(archive, checkpoint_name(info.step), raw, zipfile.ZIP_STORED)
        left_out = sorted(listed - {info.step for info in packed})
        for name, raw in _small_members(store, update, packed, left_out):
            entries[name] = _add(archive, name, raw, zipfile.ZIP_DEFLATED)
        manifest = {"format": form.FORMAT, "made_by": _maker(), "made": time.time(), "members": entries}
        _add(archive, form.MANIFEST, _json(manifest), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, raw: bytes, method: int) -> dict[str, Any]:
    """Put a member in; its entry in the manifest."""
    if len(raw) > form.LARGEST.get(name, form.LARGEST_FILE):
        raise ParcelError(f"This run cannot be taken away: its {name} would have more than a run file may hold.")
    info = zipfile.ZipInfo(name)  # its moment is zip's first, so that the same run makes the same members
    info.compress_type = method
    info.external_attr = 0o644 << 16
    archive.writestr(info, raw)
    return {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def _that_fit(infos: Sequence[CheckpointInfo]) -> list[CheckpointInfo]:
    """The checkpoints that a run file has room for: all, or the full ones and log-spaced others."""
    room = form.FOR_CHECKPOINTS
    by_step = {info.step: info for info in infos}
    full = [info.step for info in infos if info.full]
    kept = set(by_step)
    for most in range(min(len(by_step), form.MOST_CHECKPOINTS), 0, -1):
        kept = keep(by_step, max(by_step), None, most, required=full)
        if sum(by_step[step].bytes for step in kept) <= room:
            break
    while kept and sum(by_step[step].bytes for step in kept) > room:
        kept.discard(min(kept, key=lambda step: (by_step[step].full, step)))
    if by_step and not kept:
        raise ParcelError("This run's checkpoints are larger than a run file may be: it cannot be taken away.")
    return [by_step[step] for step in sorted(kept)]


def _sound(store: Store, run_id: str, info: CheckpointInfo, patient: bool) -> bytes | None:
    """A checkpoint's bytes; None where they are damaged or hold no numbers. `patient`: look again first."""
    try:
        raw = store.checkpoint(run_id, info.step)
    except StoreError:
        raw = b""
    if hashlib.sha256(raw).hexdigest() != info.sha256:
        if patient:
            raise _ChangedError
        return None
    try:
        return raw if is_sound(read_checkpoint(checkpoint_name(info.step), raw)) else None
    except ParcelError:
        return None


# ---------------------------------------------------------------------- members


def _small_members(
    store: Store, update: Update, packed: Sequence[CheckpointInfo], left_out: Sequence[int]
) -> Iterator[tuple[str, bytes]]:
    run = update.run
    described = {
        "run": _plain_run(run),
        "checkpoints": [{"step": info.step, "full": info.full, "created": info.created} for info in packed],
        "left_out": list(left_out),
    }
    yield form.RUN, _json(described)
    yield form.METRICS, to_csv(Metric, update.metrics)
    yield form.EVALUATIONS, to_csv(Evaluation, update.evaluations)
    yield form.CHANGES, to_csv(Change, update.changes)
    yield form.SAMPLES, _json([_plain_sample(sample) for sample in update.samples])
    yield form.READABLE, "".join(map(_readable, update.samples)).encode("utf-8")
    corpus = run.config.data.corpus
    if corpus.startswith("own:"):
        try:
            yield form.TEXT, store.text(corpus.removeprefix("own:")).encode("utf-8")
        except StoreError:
            return  # it is gone here as well: the run can be looked at, and says so when it is to go on


def _plain_run(run: Run) -> dict[str, Any]:
    """The run as JSON can hold it. Whose it is stays here."""
    plain = {name: getattr(run, name) for name in _AS_IT_IS}
    plain = {name: finite(value) if isinstance(value, float) else value for name, value in plain.items()}
    lines = {
        "name": tidy(run.name, form.LONGEST_NAME),
        "message": tidy(run.message, form.LONGEST_SENTENCE),
        "device": tidy(run.device, 64),
        "why": run.why,
        "corpus_sha256": run.corpus_sha256,
    }
    return {
        **plain,
        **lines,
        "evaluation_steps": list(run.evaluation_steps),
        "suggestion": dict(run.suggestion),
        "config": run.config.to_dict(),
    }


def _plain_sample(sample: SampleText) -> dict[str, Any]:
    return asdict(sample) | {"verbatim_share": finite(sample.verbatim_share)}


def _readable(sample: SampleText) -> str:
    return f"---- step {sample.step:,} ----\n{sample.prompt}{sample.text}\n\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode("utf-8")


def _maker() -> str:
    try:
        return f"Unrolled {version('unrolled')}"
    except PackageNotFoundError:  # run from its folder, not installed
        return "Unrolled"
