"""Losses of a run in the unit that is looked at, with that unit."""

from __future__ import annotations

from playground.access.corpora import characters_per_token
from playground.charts.units import UNITS, convert
from playground.runs.reader import Snapshot


def loss_in(snapshot: Snapshot, nats: float, unit: str) -> float:
    """A loss of this run, given in nats per token, in `unit` (a key of `UNITS`)."""
    each = characters_per_token(snapshot.run, snapshot.evaluations) if unit == "bits" else 1.0
    return float(convert(nats, unit, each))


def said_loss(snapshot: Snapshot, nats: float, unit: str) -> str:
    """The same in words: "2.15 bits per character"."""
    return UNITS[unit].said(loss_in(snapshot, nats, unit))
