"""Exporting a run of the store as one file, as `playground.runs.archive.layout` describes it."""

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
from playground.runs.archive import findings, layout
from playground.runs.archive.checkpoint_check import is_finite, read_checkpoint
from playground.runs.archive.csv_rows import to_csv
from playground.runs.archive.layout import RunArchiveError, checkpoint_name, single_line
from playground.runs.records import (
    ACTIVE,
    RESUMABLE,
    CheckpointInfo,
    Evaluation,
    Metric,
    Run,
    RunChange,
    RunDelta,
    SampleText,
    StoreError,
)
from playground.runs.store import Store
from playground.runs.store.rows import finite

ATTEMPTS = 5
"""How often a run that trains meanwhile is read before missing checkpoints are left out."""

_COPIED = (
    "id", "status", "visibility", "created", "started", "ended", "step", "planned_steps", "parameters", "best_step",
    "best_loss", "val_loss", "last_loss", "tokens_per_second", "seconds", "train_seconds", "parent", "threads",
    "why", "corpus_sha256",
)  # fmt: skip


class _ChangedError(Exception):
    """The run's checkpoints have changed since they were listed."""


def pack(store: Store, run_id: str) -> bytes:
    """The run as a file, to be imported again with `unpack` and `playground.runs.archive.importing.import_run`.

    A run that trains meanwhile is exported as of one moment. Checkpoints that hold NaN or infinity, that are damaged,
    or for which the file has no room, are left out; the file lists them.

    Raises:
        RunArchiveError: the run cannot be exported; StoreError: there is no such run
    """
    for attempt in range(1, ATTEMPTS + 1):
        update = store.delta(run_id)
        _check_portable(store, update)
        try:
            return _packed(store, update, retry=attempt < ATTEMPTS)
        except _ChangedError:
            continue
    raise RunArchiveError(f"The run {run_id[:40]!r} changes too fast to be exported: pause it first.")


def _check_portable(store: Store, update: RunDelta) -> None:
    """Refuse a run that could not be imported anywhere. Raises RunArchiveError."""
    run = update.run
    try:
        validate(run.config)
    except ConfigError as error:
        raise RunArchiveError(f"This run cannot be exported: {error}") from None
    if run.config.data.corpus.startswith("file:"):
        raise RunArchiveError("This run reads its text from a path on this machine: train on an uploaded text instead.")
    branched = run.parent is not None and run.parent[0] not in store.starters and run.status in ACTIVE | RESUMABLE
    if branched and not any(info.full for info in update.checkpoints or ()):
        raise RunArchiveError(
            "This branch has no full checkpoint yet and would start from its parent's weights: pause it first, or let "
            "it train to its first evaluation."
        )
    if len(update.metrics) > layout.MAX_ROWS or len(update.changes) > layout.MAX_CHANGES:
        raise RunArchiveError(
            f"This run has {len(update.metrics):,} rows of metrics and {len(update.changes):,} changes; a run file can "
            f"hold {layout.MAX_ROWS:,} and {layout.MAX_CHANGES:,}."
        )


def _packed(store: Store, update: RunDelta, retry: bool) -> bytes:
    wanted = _checkpoints_that_fit(update.checkpoints or [])
    listed = {info.step for info in update.checkpoints or []}
    buffer = io.BytesIO()
    packed: list[CheckpointInfo] = []
    with zipfile.ZipFile(buffer, "w") as archive:
        entries: dict[str, dict[str, Any]] = {}
        for info in wanted:
            raw = _checked_bytes(store, update.run.id, info, retry)
            if raw is not None:
                packed.append(info)
                # compressing weights takes long and saves little
                entries[checkpoint_name(info.step)] = _add(archive, checkpoint_name(info.step), raw, zipfile.ZIP_STORED)
        left_out = sorted(listed - {info.step for info in packed})
        for name, raw in _small_members(store, update, packed, left_out):
            entries[name] = _add(archive, name, raw, zipfile.ZIP_DEFLATED)
        manifest = {"format": layout.FORMAT, "made_by": _maker(), "made": time.time(), "members": entries}
        _add(archive, layout.MANIFEST, _json(manifest), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, raw: bytes, method: int) -> dict[str, Any]:
    """Add a member; its entry in the manifest."""
    if len(raw) > layout.MAX_BYTES_OF.get(name, layout.MAX_FILE_BYTES):
        raise RunArchiveError(f"This run cannot be exported: its {name} would be larger than a run file allows.")
    info = zipfile.ZipInfo(name)  # dated with zip's earliest time, so that the same run makes the same members
    info.compress_type = method
    info.external_attr = 0o644 << 16
    archive.writestr(info, raw)
    return {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def _checkpoints_that_fit(infos: Sequence[CheckpointInfo]) -> list[CheckpointInfo]:
    """The checkpoints that fit into a run archive: all, or the full ones and log-spaced others."""
    room = layout.MAX_CHECKPOINT_BYTES
    by_step = {info.step: info for info in infos}
    full = [info.step for info in infos if info.full]
    chosen = set(by_step)
    for most in range(min(len(by_step), layout.MAX_CHECKPOINTS), 0, -1):
        chosen = keep(by_step, max(by_step), None, most, required=full)
        if sum(by_step[step].bytes for step in chosen) <= room:
            break
    while chosen and sum(by_step[step].bytes for step in chosen) > room:
        chosen.discard(min(chosen, key=lambda step: (by_step[step].full, step)))
    if by_step and not chosen:
        raise RunArchiveError("This run cannot be exported: its checkpoints are larger than a run file may be.")
    return [by_step[step] for step in sorted(chosen)]


def _checked_bytes(store: Store, run_id: str, info: CheckpointInfo, retry: bool) -> bytes | None:
    """A checkpoint's bytes; None if they are damaged or not finite. With `retry`, missing ones raise _ChangedError."""
    try:
        raw = store.checkpoint(run_id, info.step)
    except StoreError:
        raw = b""
    if hashlib.sha256(raw).hexdigest() != info.sha256:
        if retry:
            raise _ChangedError
        return None
    try:
        return raw if is_finite(read_checkpoint(checkpoint_name(info.step), raw)) else None
    except RunArchiveError:
        return None


# ---------------------------------------------------------------------- members


def _small_members(
    store: Store, update: RunDelta, packed: Sequence[CheckpointInfo], left_out: Sequence[int]
) -> Iterator[tuple[str, bytes]]:
    run = update.run
    described = {
        "run": _plain_run(run),
        "checkpoints": [{"step": info.step, "full": info.full, "created": info.created} for info in packed],
        "left_out": list(left_out),
        findings.NAME: findings.plain_findings(update.findings or ()),
    }
    yield layout.RUN, _json(described)
    yield layout.METRICS, to_csv(Metric, update.metrics)
    yield layout.EVALUATIONS, to_csv(Evaluation, update.evaluations)
    yield layout.CHANGES, to_csv(RunChange, update.changes)
    yield layout.SAMPLES, _json([_plain_sample(sample) for sample in update.samples])
    yield layout.SAMPLES_TEXT, "".join(map(_readable, update.samples)).encode("utf-8")
    corpus = run.config.data.corpus
    if corpus.startswith("own:"):
        try:
            yield layout.TEXT, store.text(corpus.removeprefix("own:")).encode("utf-8")
        except StoreError:
            return  # missing here too: the imported run can be viewed, and says so when it is resumed


def _plain_run(run: Run) -> dict[str, Any]:
    """The run as values that JSON can represent, without its owner."""
    copied = {name: getattr(run, name) for name in _COPIED}
    return {
        **{name: finite(value) if isinstance(value, float) else value for name, value in copied.items()},
        "name": single_line(run.name, layout.MAX_NAME),
        "message": single_line(run.message, layout.MAX_SENTENCE),
        "device": single_line(run.device, 64),
        "evaluation_steps": list(run.evaluation_steps),
        "suggestion": dict(run.suggestion),
        "config": run.config.to_dict(),
        "text_facts": None if run.text_facts is None else run.text_facts.to_dict(),
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
