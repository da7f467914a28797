"""The weights of a checkpoint, under the names that the exported model gives them."""

from __future__ import annotations

import json
from dataclasses import replace

from safetensors.torch import save
from torch import Tensor

from engine.data import Vocabulary
from engine.models.language_model import LanguageModel
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.training.restore import load_weights
from engine.validate import validate

WEIGHTS = "model.safetensors"
_NAMES = {"head_weight": "output.weight", "head_bias": "output.bias"}
_PARTS = {"weight_ih": "weight_input", "weight_hh": "weight_hidden"}


def weights(checkpoint: Checkpoint) -> bytes:
    """The weights as a safetensors file: float32, with names such as `layers.0.weight_input`.

    They are the running average where the run keeps one. The metadata's "vocabulary" lists the text of every
    token by its id, as JSON.

    Raises:
        ConfigError: a cell, option or other name in the config that does not exist
        CheckpointError: weights that do not fit the config, or are not finite
        TextError: an invalid vocabulary
    """
    validate(checkpoint.config)
    vocabulary = Vocabulary.from_json(checkpoint.vocabulary)
    # Filled with the checkpoint's weights at once: how it is initialised does not matter, only how long it takes.
    quickly = replace(checkpoint.config.model, initialisation="pytorch")
    model = LanguageModel(quickly, len(vocabulary), seed=0)
    load_weights(model, checkpoint.weights())
    tensors = {_exported_name(name): tensor.float().contiguous() for name, tensor in model.state_dict().items()}
    _check_finite(tensors, checkpoint.step)
    # One entry of metadata alone: safetensors writes several in no fixed order.
    return save(tensors, metadata={"vocabulary": json.dumps(vocabulary.symbols)})


def _exported_name(name: str) -> str:
    """`stack.layers.0.weight_ih` becomes `layers.0.weight_input`, `head_bias` becomes `output.bias`."""
    *path, last = name.removeprefix("stack.").split(".")
    return ".".join([*path, _PARTS.get(last, _NAMES.get(last, last))])


def _check_finite(tensors: dict[str, Tensor], step: int) -> None:
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise CheckpointError(
                f"The weights {name} at step {step:,} are not all finite numbers: the run has diverged. "
                "Export an earlier step."
            )
