"""What the settings of a run are called, beside their widgets and in running text."""

from __future__ import annotations

from engine.config import rename_settings

_LABELS = {
    "corpus": "Text",
    "level": "Tokens",
    "vocabulary_limit": "Max vocabulary size",
    "streams": "Batch size",
    "chunk": "Sequence length (truncated BPTT)",
    "embedding": "Embedding (0: one-hot)",
    "initialisation": "Weight initialisation",
    "gain": "Initialisation gain",
    "forget_bias": "Initial forget bias",
    "output_bias": "Initial output bias",
    "bias": "Biases",
    "optimizer": "Optimiser",
    "warmup": "Warm-up (steps)",
    "clip": "Gradient clipping",
    "clip_threshold": "Clipping threshold",
    "carried_limit": "Carried state limit",
    "averaging": "Weight averaging",
    "seconds": "Time limit (s)",
    "until_loss": "Stop at validation loss",
    "patience": "Early stopping",
    "length": "Sample length",
    "output_sees": "Output gate sees cell state",
    "output_tanh": "Tanh before output gate",
    "peephole_forget": "Peephole to forget gate",
    "peephole_output": "Peephole to output gate",
    "peephole_update": "Peephole to update gate",
}


def label(name: str) -> str:
    """What stands beside a setting's widget."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def spoken(name: str) -> str:
    """A setting's name in running text: its label without what stands in brackets."""
    return label(name).partition(" (")[0].lower()


def in_labels(message: str) -> str:
    """A message with the settings in it called as their widgets are."""
    return rename_settings(message, lambda section, name: f"“{label(name)}”")
