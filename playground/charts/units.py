"""Units of a loss: nats per token, bits per character, perplexity; and what stands across in charts of a run.

The engine measures nats per token. Bits per character is the one unit in which models that read
characters and models that read words can be compared, since it does not depend on what a token is: it pays for the
whole text, also for what tokens leave open (see `engine.data.facts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.data import PerCharacter


@dataclass(frozen=True)
class Unit:
    """How a loss may be read: its key, the title of an axis that shows it, and whether the axis is logarithmic."""

    key: str
    name: str
    axis: str
    logarithmic: bool = False


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        unit.key: unit
        for unit in (
            Unit("nats", "nats per token", "loss (nats per token)"),
            Unit("bits", "bits per character", "loss (bits per character)"),
            Unit("perplexity", "perplexity", "perplexity (per token)", logarithmic=True),
        )
    }
)

X_TITLES: Mapping[str, str] = MappingProxyType({"step": "training step", "seconds": "computing time (s)"})
"""Titles of the horizontal axes over which a run can be drawn, by their keys."""


BY_CHARACTERS = PerCharacter()
"""The bits per character of a model that reads every character of its text."""


def convert(nats: ArrayLike, unit: str, text: PerCharacter | None = BY_CHARACTERS) -> NDArray[np.float64]:
    """A loss in nats per token, of any shape, in another unit.

    Bits per character are what `text` makes of it; perplexity = e^nats. NaN stays NaN, and a perplexity too large
    for a float is infinity.

    Args:
        nats: losses, in nats per token
        unit: a key of `UNITS`
        text: how losses on the text become bits per character; None where that is unknown, which gives NaN

    Raises:
        ValueError: an unknown unit
    """
    values = np.asarray(nats, dtype=np.float64)
    if unit not in UNITS:
        raise ValueError(f"There is no unit {unit!r} for a loss; choose one of {', '.join(UNITS)}.")
    if unit == "nats":
        return values.copy()
    if unit == "perplexity":
        with np.errstate(over="ignore"):
            return np.exp(values)
    return np.full_like(values, np.nan) if text is None else np.asarray(text.bits(values))
