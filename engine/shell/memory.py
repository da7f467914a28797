"""Refusing a model that this machine's memory cannot hold, before it is built."""

from __future__ import annotations

import psutil

from engine.config import Config, ConfigError
from engine.device import choose_device
from engine.numbers import number
from engine.training.estimate import memory_bytes

SMALLER = "use fewer units or layers, or lower data.vocabulary_limit, data.chunk or data.streams"


def check_memory(config: Config, vocabulary_size: int, device: str) -> None:
    """Raise ConfigError where a run on the CPU would need more memory than is free; what else a device has, it says."""
    if choose_device(device).type != "cpu":
        return
    needed, free = memory_bytes(config, vocabulary_size), free_bytes()
    if needed > free:
        raise ConfigError(
            f"Training this model needs about {number(needed)}B of memory, but only {number(free)}B is free: {SMALLER}."
        )


def free_bytes() -> int:
    """Memory that this machine could give now."""
    return int(psutil.virtual_memory().available)
