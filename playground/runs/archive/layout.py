"""The layout of a run archive: its members, their bounds, and the errors for a file that does not keep to it.

A run archive is a zip file of

    manifest.json                          format, what made it and when, size and SHA-256 of every other member
    run.json                               the run and its config, the lists of its checkpoints and of its named units
    metrics.csv, evaluations.csv           one row for each step that has them
    changes.csv                            changes of settings, starts, pauses
    samples.json, samples.txt              what the model wrote; the text is for reading and is not read back
    text.txt                               the text that the run learns, where a visitor brought it
    checkpoints/step-000123.safetensors    weights, or (full ones) all that continuing takes
"""

from __future__ import annotations

import re
import unicodedata

from engine.data import MAX_BYTES
from playground.runs.records import StoreError
from playground.text import shorten, size, visible

SUFFIX = ".unrolled.zip"
FORMAT = 1

MANIFEST = "manifest.json"
RUN = "run.json"
METRICS = "metrics.csv"
EVALUATIONS = "evaluations.csv"
CHANGES = "changes.csv"
SAMPLES = "samples.json"
SAMPLES_TEXT = "samples.txt"
TEXT = "text.txt"

MAX_FILE_BYTES = 512_000_000
"""Bytes of a run archive, packed and unpacked: it is held in memory."""

MAX_CHECKPOINT_BYTES = MAX_FILE_BYTES - 20_000_000
"""Bytes of checkpoints that are exported at most."""

MAX_BYTES_OF: dict[str, int] = {
    MANIFEST: 1_000_000,
    RUN: 1_000_000,
    METRICS: 40_000_000,
    EVALUATIONS: 1_000_000,
    CHANGES: 20_000_000,
    SAMPLES: 40_000_000,
    SAMPLES_TEXT: 40_000_000,
    TEXT: MAX_BYTES,
}
"""Most bytes of each member; a checkpoint is bounded by the model's weights."""

REQUIRED = frozenset({MANIFEST, RUN, METRICS, EVALUATIONS, CHANGES, SAMPLES, SAMPLES_TEXT})
MAX_CHECKPOINTS = 64
MAX_MEMBERS = len(MAX_BYTES_OF) + MAX_CHECKPOINTS

MAX_ROWS = 200_000
MAX_EVALUATIONS = 2_000
MAX_SAMPLES = 2_000
MAX_CHANGES = 20_000

MAX_NAME = 200
MAX_SENTENCE = 2_000
MAX_SAMPLE = 1_000_000
MAX_SECONDS = 1e11
"""Largest moment, in seconds since 1970, and largest duration."""

EXPORT_AGAIN = "Export it again."

_CHECKPOINT = re.compile(r"checkpoints/step-(\d{6,9})\.safetensors", re.ASCII)


class RunArchiveError(StoreError):
    """A run archive that cannot be exported or imported. The message names the member at fault and says what to do."""


def refused(member: str, what: str, advice: str = EXPORT_AGAIN) -> RunArchiveError:
    """The error for an invalid member ("": the file itself): two sentences, what is wrong and what to do."""
    where = f"{printable(member)} " if member else ""
    return RunArchiveError(f"The run file was not imported: {where}{what}. {advice}")


def printable(text: str) -> str:
    """Text from a file, shortened, with invisible characters written out."""
    return shorten(visible(text[:200]), 60)


def reason_of(error: Exception) -> str:
    """The message of an engine error, to be put at the end of a sentence."""
    return shorten(visible(str(error)[:500]), 240).rstrip(".")


def too_large(member: str, limit: int) -> RunArchiveError:
    """The error for a member of more than `limit` bytes."""
    return refused(
        member,
        f"{'' if member else 'it '}is larger than the {size(limit)} allowed",
        "Import a file that was exported by Unrolled.",
    )


def checkpoint_name(step: int) -> str:
    """The member that holds the checkpoint at a step."""
    return f"checkpoints/step-{step:06d}.safetensors"


def step_of(member: str) -> int | None:
    """The step of a checkpoint's member; None for any other name."""
    found = _CHECKPOINT.fullmatch(member)
    if found is None or checkpoint_name(int(found[1])) != member:
        return None
    return int(found[1])


def single_line(text: str, most: int) -> str:
    """`text` as one line of at most `most` characters; control characters and surrogates become spaces."""
    return "".join(" " if is_control(character) else character for character in text[:most])


def is_control(character: str) -> bool:
    """Whether names and sentences may not contain it: control characters, line ends among them, and surrogates."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
