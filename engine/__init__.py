"""Unrolled's torch engine: small sequence models, trained live and looked into. No pages in it."""

from engine.config import Config, ConfigError, DataConfig, ModelConfig, SamplingConfig, TrainingConfig
from engine.data import Corpus, TextError, prepare
from engine.decoding.sampling import next_distribution, sample
from engine.models.language_model import LanguageModel
from engine.presets import PRESETS
from engine.start import train
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.training.run import Training
from engine.validate import validate

__all__ = [
    "PRESETS",
    "Checkpoint",
    "CheckpointError",
    "Config",
    "ConfigError",
    "Corpus",
    "DataConfig",
    "LanguageModel",
    "ModelConfig",
    "SamplingConfig",
    "TextError",
    "Training",
    "TrainingConfig",
    "next_distribution",
    "prepare",
    "sample",
    "train",
    "validate",
]
