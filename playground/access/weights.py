"""Models ready to be used: which checkpoint is meant, read once for all visitors, and forgotten when space is short.

Nothing here imports Streamlit; `playground.access.loading` holds the one shelf of an app process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from engine.config import ConfigError
from engine.data import TextError, Vocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.training.restore import load_weights
from engine.validate import validate
from playground.runs.reader import Snapshot
from playground.runs.records import Run, StoreError

SHELF_BYTES = 256_000_000
"""Weights kept in memory; the model not asked for longest goes first."""

LIVE = "live"
"""version of the weights in a run's live slot: those of the newest step, overwritten while it trains"""

LIVE_SHARE = 0.25
"""Share of the shelf for live versions: up to four a second come, and must not push all other models off it."""

Read = Callable[[], bytes]


class ModelError(StoreError):
    """There is no model to look at or to write with. The message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model at one step of a run."""

    run: Run
    step: int
    version: str
    """hash of its checkpoint; "live" for the newest weights of a run that trains"""
    model: LanguageModel
    vocabulary: Vocabulary
    bytes: int

    @property
    def key(self) -> tuple[str, int, str]:
        """Which weights these are: equal keys write equal texts."""
        return self.run.id, self.step, self.version

    @property
    def tokens(self) -> str:
        """What this model reads: "characters" or "words"."""
        return "characters" if self.vocabulary.level == "char" else "words"

    @cached_property
    def finite(self) -> bool:
        """Whether every weight is a number: those of a run that came apart may not be."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters())


@dataclass(frozen=True)
class Place:
    """Where the weights of one step are to be had."""

    run: Run
    step: int
    version: str


class Shelf:
    """The models that were used last, up to a number of bytes; one too large for the bound is kept alone."""

    def __init__(self, limit: int = SHELF_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._reading: dict[tuple[str, int, str], threading.Lock] = {}
        self._kept: OrderedDict[tuple[str, int, str], Loaded] = OrderedDict()

    def known(self, run_id: str, step: int, version: str) -> Loaded | None:
        """The model, if it is on the shelf."""
        with self._lock:
            found = self._kept.get((run_id, step, version))
            if found is not None:
                self._kept.move_to_end(found.key)
            return found

    def take(self, place: Place, read: Read) -> Loaded:
        """The model of a step: from the shelf, or from the checkpoint's bytes that `read` gives.

        Whoever asks while another thread reads the same weights takes what that thread finds.

        Raises:
            ModelError: the checkpoint is damaged, or does not belong to its config
            StoreError: as `read` raises
        """
        key = place.run.id, place.step, place.version
        with self._lock:
            turn = self._reading.setdefault(key, threading.Lock())
        with turn:
            found = self.known(*key)
            if found is None:
                found = _built(place, read())
                self._put(found)
        with self._lock:
            self._reading.pop(key, None)
        return found

    def bytes(self) -> int:
        """Bytes of weights on the shelf."""
        with self._lock:
            return sum(loaded.bytes for loaded in self._kept.values())

    def _put(self, loaded: Loaded) -> None:
        with self._lock:
            self._kept[loaded.key] = loaded
            self._drop([key for key in self._kept if key[2] == LIVE], self._limit * LIVE_SHARE)
            self._drop([*self._kept], self._limit)

    def _drop(self, keys: Sequence[tuple[str, int, str]], limit: float) -> None:
        """Let models go, the first of `keys` first, until they fit; the last stays in any case."""
        size = sum(self._kept[key].bytes for key in keys)
        for key in keys[:-1]:
            if size <= limit:
                return
            size -= self._kept.pop(key).bytes


def _built(place: Place, raw: bytes) -> Loaded:
    try:
        checkpoint = Checkpoint.from_bytes(raw)
        validate(checkpoint.config)
        vocabulary = Vocabulary.from_json(checkpoint.vocabulary)
        model = LanguageModel(checkpoint.config.model, len(vocabulary), seed=0)
        load_weights(model, checkpoint.weights())
    except (CheckpointError, TextError, ConfigError) as error:
        raise ModelError(f"The weights of {place.run.name} at step {place.step:,} cannot be used: {error}") from None
    model.eval()
    model.requires_grad_(False)
    size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    return Loaded(place.run, checkpoint.step, place.version, model, vocabulary, size)


def steps(snapshot: Snapshot) -> list[int]:
    """The steps at which a run has saved its weights, in order."""
    return [checkpoint.step for checkpoint in snapshot.checkpoints]


def nearest(step: int, kept: Sequence[int]) -> int:
    """The kept step nearest to the one wanted. Raises ValueError if nothing is kept."""
    return min(kept, key=lambda other: (abs(other - step), other))


def place_of(snapshot: Snapshot, step: int) -> Place:
    """Where the checkpoint at a kept step lies.

    Raises:
        ModelError: the run keeps none at that step
    """
    for checkpoint in snapshot.checkpoints:
        if checkpoint.step == step:
            return Place(snapshot.run, step, checkpoint.sha256)
    raise ModelError(f"{snapshot.run.name} keeps no weights at step {step:,}: choose another step.")
