"""The contents of a run archive, all of them checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.runs.archive.layout import checkpoint_name, refused
from playground.runs.archive.members import Members
from playground.runs.records import CheckpointInfo, Evaluation, Finding, Metric, Run, RunChange, SampleText


@dataclass(frozen=True)
class RunArchive:
    """A run that can be imported. `run` has the id and the status that it had when it was exported."""

    run: Run
    metrics: tuple[Metric, ...]
    evaluations: tuple[Evaluation, ...]
    samples: tuple[SampleText, ...]
    changes: tuple[RunChange, ...]
    checkpoints: tuple[CheckpointInfo, ...]
    findings: tuple[Finding, ...]
    text: str | None
    """the visitor's own text that the run learns, if it does"""
    left_out: tuple[int, ...]
    """steps whose checkpoints were not exported, for lack of room or because they hold NaN or infinity"""
    made_by: str
    made: float
    """when the run was exported, in seconds since 1970"""
    members: Members = field(repr=False)

    def checkpoint(self, step: int) -> bytes:
        """The bytes of the checkpoint at a step of `checkpoints`. Raises RunArchiveError."""
        name = checkpoint_name(step)
        if all(info.step != step for info in self.checkpoints):
            raise refused(name, "is missing")
        return self.members.read(name)

    @property
    def bytes(self) -> int:
        """Bytes that the run will take in the store, without its small rows."""
        return sum(info.bytes for info in self.checkpoints) + len((self.text or "").encode())

    @property
    def resumes_at(self) -> int | None:
        """Step of the newest full checkpoint, from which the run resumes exactly; None if there is none."""
        return max((info.step for info in self.checkpoints if info.full), default=None)
