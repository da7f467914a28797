"""A run saved in a folder: its config, its events as JSON lines, and its checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

from engine.config import Config
from engine.training.checkpoint import Checkpoint, CheckpointError, keep

FULL_KEPT = 2
"""This many of the newest checkpoints stay full, and the best one."""


STARTER = "starter:"
_STARTERS = Path(__file__).resolve().parents[2] / "playground" / "runs" / "starter_runs"
"""The runs that ship with the app. The engine knows where their files are, and nothing else of the app."""


def saved_run(name: str) -> RunDirectory | StarterDirectory:
    """The run in a folder, or by "starter:NAME" one that ships with the code.

    Raises:
        CheckpointError: no such starter run
    """
    if not name.startswith(STARTER):
        return RunDirectory(name)
    return StarterDirectory(name.removeprefix(STARTER))


class RunDirectory:
    """A folder with `config.json`, `events.jsonl` and `checkpoints/STEP.safetensors`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._checkpoints = self.path / "checkpoints"

    def create(self, config: Config) -> None:
        """Make the folder for a new run.

        Raises:
            CheckpointError: the folder already holds a run
        """
        if self.steps():
            raise CheckpointError(
                f"{self.path} already contains a run: continue it with --resume, or save to another folder."
            )
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        (self.path / "config.json").write_text(config.to_json(indent=2) + "\n", encoding="utf-8")

    def note(self, line: str) -> None:
        """Append one JSON line to the record of events."""
        with open(self.path / "events.jsonl", "a", encoding="utf-8") as record:
            record.write(line + "\n")

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, thin the older ones, and keep only the newest two and the best full."""
        existing = self._file(checkpoint.step)
        if existing.exists() and not checkpoint.full and self._is_full(checkpoint.step):
            return
        self._write(checkpoint)
        best = checkpoint.best.step or None
        steps = self.steps()
        full = [step for step in steps if self._is_full(step)]
        stay_full = {*full[-FULL_KEPT:], *([best] if best is not None else [])}
        for step in full:
            if step not in stay_full:
                self._write(self.load(step).weights_only())
        for step in set(steps) - keep(steps, newest=steps[-1], best=best, required=stay_full):
            self._file(step).unlink()

    def steps(self) -> list[int]:
        """Steps of the saved checkpoints, in order."""
        return sorted(int(file.stem) for file in self._checkpoints.glob("*.safetensors") if file.stem.isdigit())

    def load(self, step: int | None = None) -> Checkpoint:
        """The checkpoint at `step`, or the newest.

        Raises:
            CheckpointError: no such checkpoint, or a damaged one
        """
        steps = self.steps()
        if not steps:
            raise CheckpointError(
                f"{self.path} contains no checkpoints: give the folder of a run, as saved by `train --save`."
            )
        return Checkpoint.from_bytes(self._file(_step_of(steps, step, str(self.path))).read_bytes())

    def newest_full(self) -> Checkpoint:
        """The newest checkpoint that a run can go on from.

        Raises:
            CheckpointError: there is none, or it is damaged
        """
        full = [step for step in self.steps() if self._is_full(step)]
        if self.steps() and not full:
            raise CheckpointError(
                f"{self.path} contains no full checkpoint, so its run cannot be continued: start a new run."
            )
        return self.load(full[-1] if full else None)

    def _file(self, step: int) -> Path:
        return self._checkpoints / f"{step:07d}.safetensors"

    def _marker(self, step: int) -> Path:
        return self._checkpoints / f"{step:07d}.full"

    def _is_full(self, step: int) -> bool:
        return self._marker(step).exists()

    def _write(self, checkpoint: Checkpoint) -> None:
        target = self._file(checkpoint.step)
        target.parent.mkdir(parents=True, exist_ok=True)
        half_written = target.with_suffix(".part")
        with open(half_written, "wb") as file:
            file.write(checkpoint.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        if not checkpoint.full:  # first, so that whatever happens nothing is marked full that is not
            self._marker(checkpoint.step).unlink(missing_ok=True)
        half_written.replace(target)  # either the old file or the whole new one, whatever happens
        if checkpoint.full:
            self._marker(checkpoint.step).touch()


class StarterDirectory:
    """A run that ships with the code: checkpoints to be read, in `step-NNNNNN.safetensors`.

    Raises:
        CheckpointError: there is none of that name
    """

    def __init__(self, name: str) -> None:
        there = sorted(path.name for path in _STARTERS.glob("*") if path.is_dir())
        if name not in there:
            raise CheckpointError(f"There is no starter run {name[:40]!r}; there are {', '.join(there) or 'none'}.")
        self.name = name
        self._files = {
            int(path.stem.removeprefix("step-")): path for path in sorted((_STARTERS / name).glob("step-*.safetensors"))
        }

    def load(self, step: int | None = None) -> Checkpoint:
        """As `RunDirectory.load`."""
        return Checkpoint.from_bytes(self._files[_step_of([*self._files], step, self.name)].read_bytes())


def _step_of(steps: list[int], wanted: int | None, run: str) -> int:
    """The step that is meant: the newest where none is named. Raises CheckpointError for one that is not there."""
    step = steps[-1] if wanted is None else wanted
    if step not in steps:
        raise CheckpointError(f"{run} has no checkpoint at step {step}; it has {_listed(steps)}.")
    return step


def _listed(steps: list[int]) -> str:
    shown = ", ".join(map(str, steps[:12]))
    return shown if len(steps) <= 12 else f"{shown}, ... up to {steps[-1]}"
