"""Refusing a model that this machine's memory cannot hold, before it is built."""

from __future__ import annotations

import psutil

from engine.config import Config, ConfigError
from engine.device import choose_device
from engine.training.estimate import memory_bytes

SMALLER = "use fewer units or layers, or lower data.vocabulary_limit, data.chunk or data.streams"


def check_memory(config: Config, vocabulary_size: int, device: str) -> None:
    """Raise ConfigError where a run on the CPU would need more memory than is free; what else a device has, it says."""
    if choose_device(device).type != "cpu":
        return
    needed, free = memory_bytes(config, vocabulary_size), free_bytes()
    if needed > free:
        raise ConfigError(
            f"Training this model needs about {_gigabytes(needed)} of memory, and only {_gigabytes(free)} are free: "
            f"{SMALLER}."
        )


def free_bytes() -> int:
    """Memory that this machine could give now."""
    return int(psutil.virtual_memory().available)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.2g} GB" if size < 1e10 else f"{size / 1e9:,.0f} GB"
