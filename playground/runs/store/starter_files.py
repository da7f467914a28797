"""The starter runs that ship with the code, read from their files. They are read-only and always available.

Each is a folder `starter_runs/ID/` with `run.json` (the run, its metrics, evaluations, samples, named units and the
list of its checkpoints; rows as columns, so that the file stays small) and one safetensors file for
each checkpoint. `python -m playground.runs.starters` makes them.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from engine.config import Config
from engine.data import TextFacts
from playground.runs.records import (
    FINISHED,
    CheckpointInfo,
    Evaluation,
    Finding,
    Metric,
    Run,
    RunChange,
    RunDelta,
    SampleText,
    StoreError,
)
from playground.runs.store import sparkline

FOLDER = Path(__file__).parents[1] / "starter_runs"

ORDER = ("tales-lstm", "tales-gru", "tales-rnn", "hello-rnn", "tales-words")
"""The starter runs; every page opens on the first."""

_KINDS: Mapping[str, type] = {
    "metrics": Metric,
    "evaluations": Evaluation,
    "samples": SampleText,
    "changes": RunChange,
    "checkpoints": CheckpointInfo,
    "findings": Finding,
}


def checkpoint_name(step: int) -> str:
    """The file of a starter run's checkpoint."""
    return f"step-{step:06d}.safetensors"


class StarterRun:
    """One starter run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        plain = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self._rows = {kind: _from_columns(kind, plain.get(name, {})) for name, kind in _KINDS.items()}
        points = sparkline.thinned([(row.step, row.loss) for row in self._rows[Metric]])
        self.run = replace(_run(folder.name, plain["run"]), spark=tuple(points))

    def rows(self, kind: type, after: int = 0) -> list:
        """Its records of that kind; a starter run has one version, and nothing is newer."""
        return [] if after >= self.run.version else list(self._rows[kind])

    def delta(self, after: int = 0) -> RunDelta:
        """As `Store.delta`."""
        return RunDelta(
            run=self.run,
            metrics=self.rows(Metric, after),
            evaluations=self.rows(Evaluation, after),
            samples=self.rows(SampleText, after),
            changes=self.rows(RunChange, after),
            checkpoints=self.rows(CheckpointInfo, after) or None,
            findings=self.rows(Finding, after),
        )

    def checkpoint(self, step: int) -> bytes:
        """The bytes of its checkpoint at that step. Raises StoreError."""
        info = next((info for info in self._rows[CheckpointInfo] if info.step == step), None)
        if info is None:
            raise StoreError(
                f"The run {self.run.id!r} has no checkpoint at step {step}: choose one of its checkpoints."
            )
        try:
            raw = (self.folder / checkpoint_name(step)).read_bytes()
        except OSError as error:
            raise StoreError(f"A starter run's file cannot be read ({error}): reinstall Unrolled.") from error
        if hashlib.sha256(raw).hexdigest() != info.sha256:
            raise StoreError(f"The file {checkpoint_name(step)} of {self.run.id!r} is damaged: reinstall Unrolled.")
        return raw


class StarterRuns(Mapping[str, StarterRun]):
    """The starter runs in a folder, by id; each is read on first use."""

    def __init__(self, folder: Path) -> None:
        found = {path.parent.name: path.parent for path in folder.glob("*/run.json")}
        known = [name for name in ORDER if name in found]
        self._folders = {name: found[name] for name in [*known, *sorted(set(found) - set(known))]}
        self._read: dict[str, StarterRun] = {}

    @classmethod
    def default(cls) -> StarterRuns:
        """Those in this repository."""
        return _default()

    def __getitem__(self, run_id: str) -> StarterRun:
        if run_id not in self._read:
            self._read[run_id] = StarterRun(self._folders[run_id])
        return self._read[run_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._folders

    def runs(self) -> Iterator[Run]:
        """Their runs, in order."""
        return (self[name].run for name in self)


@functools.cache
def _default() -> StarterRuns:
    return StarterRuns(FOLDER)


def to_columns(records: Sequence[Any]) -> dict[str, list]:
    """Records of one kind as columns by field name, floats rounded to 7 digits."""
    if not records:
        return {}
    names = [item.name for item in fields(records[0])]
    return {name: [_rounded(getattr(record, name)) for record in records] for name in names}


def run_to_plain(run: Run) -> dict[str, Any]:
    """A run as values that JSON can represent."""
    plain = {item.name: getattr(run, item.name) for item in fields(Run)}
    facts = None if run.text_facts is None else run.text_facts.to_dict()
    return plain | {"config": run.config.to_dict(), "suggestion": dict(run.suggestion), "text_facts": facts}


def _rounded(value: Any) -> Any:
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _from_columns(kind: type, columns: Mapping[str, Sequence]) -> list:
    names = list(columns)
    return [kind(**dict(zip(names, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def _run(run_id: str, plain: dict[str, Any]) -> Run:
    special = {
        "id": run_id,
        "config": Config.from_dict(plain["config"]),
        "status": FINISHED,
        "starter": True,
        "visibility": "public",
        "version": 1,
        "evaluation_steps": tuple(plain.get("evaluation_steps", ())),
        "text_facts": TextFacts.from_dict(plain["text_facts"]) if plain.get("text_facts") else None,
        "parent": None,
    }
    return Run(**(plain | special))
