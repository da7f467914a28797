"""What the settings of a run are called, beside their widgets and in running text."""

from __future__ import annotations

from engine.config import rename_settings

_LABELS = {
    "corpus": "Text",
    "level": "Tokens",
    "streams": "Batch size",
    "chunk": "Sequence length (truncated BPTT)",
    "optimizer": "Optimiser",
    "embedding": "Embedding (0: one-hot)",
    "dropout": "Dropout",
    "input_dropout": "Input dropout",
    "bias": "Biases",
    "gain": "Initialisation gain",
    "clip": "Gradient clipping",
    "clip_threshold": "Clipping threshold",
    "averaging": "Weight averaging",
    "until_loss": "Stop at validation loss",
    "patience": "Early stopping",
    "initialisation": "Weight initialisation",
    "vocabulary_limit": "Max vocabulary size",
    "learning_rate": "Learning rate",
    "forget_bias": "Forget gate bias",
    "carried_limit": "Carried state limit",
}


def spoken(name: str) -> str:
    """A setting's name in a sentence."""
    return name.replace("_", " ")


def label(name: str) -> str:
    """What stands beside a setting's widget."""
    return _LABELS.get(name, spoken(name).capitalize())


def in_labels(message: str) -> str:
    """A message with the settings in it called as their widgets are."""
    return rename_settings(message, lambda section, name: f"“{label(name)}”")
