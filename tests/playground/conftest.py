"""Runs to look into: starter runs, and runs in the store of the test with weights that are made for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from playground.access import corpora, models
from playground.access.models import Loaded
from playground.access.runs import snapshot_of
from playground.frame import services

LoadRun = Callable[..., Loaded]
MakeCheckpoint = Callable[..., Checkpoint]


@pytest.fixture
def load_run() -> LoadRun:
    """The newest weights of a run, or those of a step."""
    return lambda run, step=-1: models.load(snapshot_of(run), step)


@pytest.fixture
def make_checkpoint() -> MakeCheckpoint:
    """A checkpoint of a run in the store, with weights that `seed` makes; or all of them NaN."""

    def made(run: str, step: int, seed: int = 0, *, broken: bool = False) -> Checkpoint:
        config = services.store().run(run).config
        vocabulary = corpora.corpus(config.data).vocabulary
        weights = LanguageModel(config.model, len(vocabulary), seed=seed).state_dict()
        return Checkpoint(
            step=step,
            full=False,
            config=config,
            corpus_sha256="0" * 64,
            vocabulary=vocabulary.to_json(),
            planned_steps=100,
            tensors={
                f"model.{name}": torch.full_like(tensor, torch.nan) if broken else tensor
                for name, tensor in weights.items()
            },
        )

    return made


@pytest.fixture
def new_run() -> Callable[[str], str]:
    """A run of three units in the store of the test that waits to be trained; its id."""
    return lambda name: services.store().create_run(services.store().run("hello-rnn").config, name=name)
