"""Checkpoints of every kind of model, with weights that were drawn rather than learned."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch

from engine.cells import CELLS
from engine.config import Config
from engine.data import CharVocabulary, Vocabulary, WordVocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint
from engine.training.restore import load_weights

TEXT = "The cat, \"my cat\", sat (well-fed) by 3.14 doors.\n\nIt said: don't! And then -- it's true -- it left.\n"
VOCABULARIES = {
    "characters": CharVocabulary.build(TEXT, 100),
    "characters with <unk>": CharVocabulary.build(TEXT, 12),
    "characters without a line's end": CharVocabulary.build("abcdef", 100),
    "words": WordVocabulary.build(TEXT, 100),
    "few words": WordVocabulary.build(TEXT, 9),
    "separated words": WordVocabulary.build(" = The cat = \n the cat sat @-@ down \n", 100, separated=True),
}


def variants() -> Iterator[tuple[str, dict[str, bool | str]]]:
    """Every cell with every choice of its options."""
    for name, cell in CELLS.items():
        for values in product(*(option.choices for option in cell.options.values())):
            yield name, dict(zip(cell.options, values, strict=True))


def make_checkpoint(vocabulary: Vocabulary | str = "characters", *, seed: int = 0, **values) -> Checkpoint:
    """A checkpoint of a model with these settings whose every weight is random, peepholes too."""
    symbols = VOCABULARIES[vocabulary] if isinstance(vocabulary, str) else vocabulary
    config = Config().with_values(**{"units": 5, "embedding": 4, "level": symbols.level} | values)
    shapes = LanguageModel(config.model, len(symbols), seed=0).state_dict()
    draw = torch.Generator().manual_seed(seed)
    weights = {
        f"model.{name}": torch.empty_like(weight).uniform_(-0.8, 0.8, generator=draw) for name, weight in shapes.items()
    }
    return Checkpoint(
        step=7,
        full=False,
        config=config,
        corpus_sha256="",
        vocabulary=symbols.to_json(),
        planned_steps=7,
        tensors=weights,
    )


def model_of(checkpoint: Checkpoint) -> LanguageModel:
    """The engine's model with a checkpoint's weights."""
    model = LanguageModel(checkpoint.config.model, len(Vocabulary.from_json(checkpoint.vocabulary)), seed=0)
    load_weights(model, checkpoint.weights())
    return model
