"""What is in a run file once all of it was checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.runs.archive.form import checkpoint_name, refused
from playground.runs.archive.members import Members
from playground.runs.records import Change, CheckpointInfo, Evaluation, Metric, Run, SampleText


@dataclass(frozen=True)
class Parcel:
    """A run that can be brought in. `run` has the id and the status that it had where it was taken away."""

    run: Run
    metrics: tuple[Metric, ...]
    evaluations: tuple[Evaluation, ...]
    samples: tuple[SampleText, ...]
    changes: tuple[Change, ...]
    checkpoints: tuple[CheckpointInfo, ...]
    text: str | None
    """the visitor's own text that the run learns, where it learns one"""
    left_out: tuple[int, ...]
    """steps whose checkpoints were not taken along, for want of room or because they hold no numbers"""
    made_by: str
    made: float
    """when the run was taken away, in seconds since 1970"""
    members: Members = field(repr=False)

    def checkpoint(self, step: int) -> bytes:
        """The bytes of the checkpoint at a step of `checkpoints`. Raises ParcelError."""
        name = checkpoint_name(step)
        if all(info.step != step for info in self.checkpoints):
            raise refused(name, "is missing")
        return self.members.read(name)

    @property
    def bytes(self) -> int:
        """Bytes that the run will take in the store, the small rows left out."""
        return sum(info.bytes for info in self.checkpoints) + len((self.text or "").encode())

    @property
    def resumes_at(self) -> int | None:
        """Step of the newest full checkpoint, from which the run goes on exactly; None where there is none."""
        return max((info.step for info in self.checkpoints if info.full), default=None)
