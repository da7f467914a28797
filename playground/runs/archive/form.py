"""The form of a run file: its members, its bounds, and how a file that does not keep to it is refused.

A run file is a zip file of

    manifest.json                          format, what made it and when, size and SHA-256 of every other member
    run.json                               the run and its config, and the list of its checkpoints
    metrics.csv, evaluations.csv           one row for each step that has them
    changes.csv                            knobs turned, starts, pauses
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
READABLE = "samples.txt"
TEXT = "text.txt"

LARGEST_FILE = 512_000_000
"""Bytes of a run file, packed and unpacked: it is held in memory."""

FOR_CHECKPOINTS = LARGEST_FILE - 20_000_000
"""Bytes of checkpoints that are taken along at most."""

LARGEST: dict[str, int] = {
    MANIFEST: 1_000_000,
    RUN: 1_000_000,
    METRICS: 40_000_000,
    EVALUATIONS: 1_000_000,
    CHANGES: 20_000_000,
    SAMPLES: 40_000_000,
    READABLE: 40_000_000,
    TEXT: MAX_BYTES,
}
"""Most bytes of each member; a checkpoint is bounded by the model's weights."""

REQUIRED = frozenset({MANIFEST, RUN, METRICS, EVALUATIONS, CHANGES, SAMPLES, READABLE})
MOST_CHECKPOINTS = 64
MOST_MEMBERS = len(LARGEST) + MOST_CHECKPOINTS

MOST_ROWS = 200_000
MOST_EVALUATIONS = 2_000
MOST_SAMPLES = 2_000
MOST_CHANGES = 20_000

LONGEST_NAME = 200
LONGEST_SENTENCE = 2_000
LONGEST_SAMPLE = 1_000_000
LATEST = 1e11
"""A moment in seconds since 1970, or a time span, is at most this."""

AGAIN = "Take the run away again where it came from, and bring in that file."

_CHECKPOINT = re.compile(r"checkpoints/step-(\d{6,9})\.safetensors", re.ASCII)


class ParcelError(StoreError):
    """A run file that is not brought in. The message names the member at fault and says what to do."""


def refused(member: str, what: str, advice: str = AGAIN) -> ParcelError:
    """The error for a member that cannot stand, as two sentences."""
    where = f"{shown(member)} " if member else ""
    return ParcelError(f"This run file was not brought in: {where}{what}. {advice}")


def shown(text: str) -> str:
    """Text from a file, short and with all that cannot be seen written out."""
    return shorten(visible(text[:200]), 60)


def because(error: Exception) -> str:
    """What an error of the engine says, to stand at the end of a sentence of ours."""
    return shorten(visible(str(error)[:500]), 240).rstrip(".")


def too_large(member: str, limit: int) -> ParcelError:
    """The error for a member of more than `limit` bytes."""
    return refused(
        member,
        f"{'' if member else 'it '}holds more than the {size(limit)} it may have",
        "Nothing more of it was unpacked: bring in a file that Unrolled made.",
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


def tidy(text: str, most: int) -> str:
    """`text` as one line of at most `most` characters, control characters and halves of characters as spaces."""
    return "".join(" " if is_control(character) else character for character in text[:most])


def is_control(character: str) -> bool:
    """Whether a name or sentence may not hold it: control characters, line ends among them, and surrogates."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
