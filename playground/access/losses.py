"""Losses of a run in the unit that is looked at, with that unit."""

from __future__ import annotations

from playground.charts.units import UNITS, convert
from playground.runs.records import Run


def unit_of(run: Run, unit: str) -> str:
    """The unit in which losses of a run are shown where `unit` is asked for: nats where its bits are unknown."""
    return "nats" if unit == "bits" and run.per_character is None else unit


def loss_in(run: Run, nats: float, unit: str) -> float:
    """A loss of this run, given in nats per token, in `unit` (a key of `UNITS`); NaN for bits that are unknown."""
    return float(convert(nats, unit, run.per_character if unit == "bits" else None))


def said_loss(run: Run, nats: float, unit: str) -> str:
    """The same in words: "2.15 bits per character"; in nats where bits are unknown."""
    shown = unit_of(run, unit)
    return UNITS[shown].said(loss_in(run, nats, shown))
