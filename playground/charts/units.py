"""Units of a loss: nats per token, bits per character, perplexity; and what stands across in charts of a run.

The engine measures nats per token. Bits per character is the one unit in which models that read
characters and models that read words can be compared, since it does not depend on what a token is: it pays for the
whole text, also for what tokens leave open (see `engine.data.facts`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.data import PerCharacter
from playground.text import number


@dataclass(frozen=True)
class Unit:
    """How a loss may be read."""

    key: str
    name: str
    short: str
    """its name where there is little room"""
    axis: str
    """title of an axis that shows it"""
    logarithmic: bool = False
    """whether that axis is logarithmic"""

    def said(self, value: float) -> str:
        """A loss in this unit, with the unit: "2.15 bits per character", "perplexity 4.45"."""
        shown = number(value, digits=True)
        return f"perplexity {shown}" if self.key == "perplexity" else f"{shown} {self.name}"


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        unit.key: unit
        for unit in (
            Unit("bits", "bits per character", "bits/char", "loss (bits per character)"),
            Unit("nats", "nats per token", "nats", "loss (nats per token)"),
            Unit("perplexity", "perplexity", "perplexity", "perplexity (per token)", logarithmic=True),
        )
    }
)

DEFAULT_UNIT = "bits"
"""The unit that everything is shown in until somebody chooses another."""

X_TITLES: Mapping[str, str] = MappingProxyType({"step": "training step", "seconds": "computing time (s)"})
"""Titles of the horizontal axes over which a run can be drawn, by their keys."""


BY_CHARACTERS = PerCharacter()
"""The bits per character of a model that reads every character of its text."""


def uniform(nats: float, value: float, unit: str) -> str:
    """The loss of a uniform guess as it is worked out: "ln 63 = 4.14" nats, "log₂ 63 = 5.98" bits, "63".

    Args:
        nats: the loss, ln V for a vocabulary of V
        value: the same in `unit`; bits per character are log₂ V only where a token is one character
        unit: a key of `UNITS`
    """
    size, shown = number(round(math.exp(nats))), number(value, digits=True)
    if unit == "perplexity":
        return size
    logarithm = "ln" if unit == "nats" else "log₂" if math.isclose(value, nats / math.log(2.0)) else ""
    return f"{logarithm} {size} = {shown}" if logarithm else shown


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
