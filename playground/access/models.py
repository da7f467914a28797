"""Which weights a selection means, and the models made of them: read once for all visitors, kept up to a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from engine.config import ConfigError
from engine.data import TextError, Vocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import CheckpointError
from playground import state
from playground.access.cache import BoundedCache
from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import Run, StoreError
from playground.runs.weights import read_weights

LIVE = "live"
"""version of the weights in a run's live slot: those of the newest step, overwritten while it trains"""

SAVED_BYTES = 192_000_000
LIVE_BYTES = 64_000_000
"""Weights kept in memory. Live versions have a room of their own: up to four a second come, and must not push all
other models out."""


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
class WeightsSource:
    """Where the weights of one step are to be had."""

    run: Run
    step: int
    version: str

    @property
    def key(self) -> tuple[str, int, str]:
        """As `Loaded.key`."""
        return self.run.id, self.step, self.version


saved_models: BoundedCache[Loaded] = BoundedCache(SAVED_BYTES, lambda loaded: loaded.bytes)
live_models: BoundedCache[Loaded] = BoundedCache(LIVE_BYTES, lambda loaded: loaded.bytes)


def load(run: Snapshot, step: int) -> Loaded:
    """The model of a run at one of its steps, or at its newest.

    A run that trains is asked for the weights in its live slot, if they are newer than all it has saved.

    Raises:
        ModelError: it has saved nothing yet, or what it saved cannot be used
        StoreError: the store cannot be read
    """
    kept = kept_steps(run)
    if step == state.NEWEST:
        live = _live(run.run, max(kept, default=-1))
        if live is not None:
            return live
    if not kept:
        raise ModelError(
            f"{run.run.name} has no checkpoint yet ({run.run.status}). Wait until the first one is saved, or choose "
            "another run."
        )
    return load_saved(weights_source(run, max(kept) if step == state.NEWEST else step))


def load_saved(source: WeightsSource) -> Loaded:
    """The model in a checkpoint. Raises ModelError and StoreError as `load` does."""
    return saved_models.get(source.key, lambda: build(source, services.store().checkpoint(source.run.id, source.step)))


def in_memory(key: tuple[str, int, str]) -> Loaded | None:
    """The model of these weights, if it is kept; what was in a live slot can be had in no other way."""
    return (live_models if key[2] == LIVE else saved_models).peek(key)


def _live(run: Run, saved: int) -> Loaded | None:
    """The live weights of a run that trains, if they are newer than what is saved."""
    if not run.active or run.live_step is None or run.live_step <= saved:
        return None
    known = in_memory((run.id, run.live_step, LIVE))
    if known is not None:
        return known
    found = services.store().live(run.id)
    if found is None or found.step <= saved:
        return None
    source = WeightsSource(run, found.step, LIVE)
    return live_models.get(source.key, lambda: build(source, found.raw))


def build(source: WeightsSource, raw: bytes) -> Loaded:
    """The model in a checkpoint's bytes.

    Raises:
        ModelError: the checkpoint is damaged, or does not belong to its config
    """
    try:
        found = read_weights(raw)
    except (CheckpointError, TextError, ConfigError) as error:
        raise ModelError(f"The weights of {source.run.name} at step {source.step:,} cannot be used: {error}") from None
    size = sum(parameter.numel() * parameter.element_size() for parameter in found.model.parameters())
    return Loaded(source.run, found.step, source.version, found.model, found.vocabulary, size)


def kept_steps(snapshot: Snapshot) -> list[int]:
    """The steps at which a run has saved its weights, in order."""
    return [checkpoint.step for checkpoint in snapshot.checkpoints]


def nearest_step(step: int, kept: Sequence[int]) -> int:
    """The kept step nearest to the one wanted. Raises ValueError if nothing is kept."""
    return min(kept, key=lambda other: (abs(other - step), other))


def weights_source(snapshot: Snapshot, step: int) -> WeightsSource:
    """Where the checkpoint at a kept step lies.

    Raises:
        ModelError: the run keeps none at that step
    """
    for checkpoint in snapshot.checkpoints:
        if checkpoint.step == step:
            return WeightsSource(snapshot.run, step, checkpoint.sha256)
    raise ModelError(f"{snapshot.run.name} has no checkpoint at step {step:,}: choose another step.")
