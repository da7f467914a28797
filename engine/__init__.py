"""Unrolled's torch engine: small sequence models, trained live and looked into. No pages in it."""

from engine.analysis.unit_search import find_units
from engine.config import Config, ConfigError, DataConfig, ModelConfig, SamplingConfig, TrainingConfig
from engine.data import Corpus, TextError, prepare
from engine.decoding.sampling import next_distribution, sample
from engine.models.language_model import LanguageModel
from engine.models.recording import Tape, record, record_stack, tape, warm
from engine.presets import PRESETS
from engine.start import restored, train
from engine.trace import LONGEST_PROBE, UNKNOWN, Change, Direction, StackTrace, Target, Trace
from engine.training.checkpoint import Checkpoint, CheckpointError
from engine.training.run import Training
from engine.validate import validate

__all__ = [
    "LONGEST_PROBE",
    "PRESETS",
    "UNKNOWN",
    "Change",
    "Checkpoint",
    "CheckpointError",
    "Config",
    "ConfigError",
    "Corpus",
    "DataConfig",
    "Direction",
    "LanguageModel",
    "ModelConfig",
    "SamplingConfig",
    "StackTrace",
    "Tape",
    "Target",
    "TextError",
    "Trace",
    "Training",
    "TrainingConfig",
    "find_units",
    "next_distribution",
    "prepare",
    "record",
    "record_stack",
    "restored",
    "sample",
    "tape",
    "train",
    "validate",
    "warm",
]
