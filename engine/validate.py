"""Checks of a config that need the registries: do its names exist, and do they go together."""

from __future__ import annotations

from engine.cells import CELLS
from engine.config import Config, ConfigError
from engine.data import SOURCES
from engine.models.language_model import check_reads_forward
from engine.training.optimizers import OPTIMIZERS


def validate(config: Config) -> Config:
    """The same config, if every name in it exists and the settings go together.

    Raises:
        ConfigError: says which setting is invalid and what to choose instead
    """
    data, model, training = config.data, config.model, config.training
    if not data.corpus.startswith(("file:", "own:")):
        _check_name("data.corpus", data.corpus, SOURCES)
        levels = SOURCES[data.corpus].levels
        if data.level not in levels:
            raise ConfigError(
                f"The corpus {data.corpus!r} cannot be read as {data.level}s: set data.level to {' or '.join(levels)}."
            )
    _check_name("model.cell", model.cell, CELLS)
    CELLS[model.cell].check_options(model.options)
    check_reads_forward(model)
    _check_name("training.optimizer", training.optimizer, OPTIMIZERS)
    return config


def _check_name(setting: str, name: str, registry) -> None:
    if name not in registry:
        raise ConfigError(f"{setting} is {name!r}; choose one of {', '.join(registry)}.")
