"""From a checkpoint's bytes to a model that can be looked into."""

from __future__ import annotations

from dataclasses import dataclass

import engine
from engine.data import Vocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class Weights:
    """The model in a checkpoint, in evaluation mode and without gradients, and what its tokens mean."""

    step: int
    model: LanguageModel
    vocabulary: Vocabulary


def read_weights(raw: bytes) -> Weights:
    """The model in a checkpoint's bytes.

    Raises:
        CheckpointError, TextError, ConfigError: it is damaged, or does not belong to its config
    """
    checkpoint = Checkpoint.from_bytes(raw)
    model, vocabulary = engine.restored(checkpoint)
    model.eval()
    model.requires_grad_(False)
    return Weights(checkpoint.step, model, vocabulary)
