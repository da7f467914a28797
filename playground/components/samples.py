"""Texts a model wrote as it learned: all of them down the page, or one after the other as a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.components.component import Component
from playground.components.packing import plain


@dataclass(frozen=True)
class SampleRow:
    """One sample as it is shown: when it was written, how good the model was, what it wrote."""

    step: int
    loss: str
    """validation loss with its unit, or empty"""
    text: str
    note: str = ""
    """how much of it stands in the training text"""
    best: bool = False


_LADDER = Component("sample_ladder/ladder")
_FILM = Component("sample_film/film", style=("shared/range", "sample_film/film"))


def sample_ladder(rows: Sequence[SampleRow], *, prompt: str, key: str, who: str = "") -> None:
    """Samples in the given order, with `who` wrote them before the step; a long one opens on a click."""
    _LADDER({"rows": plain(rows), "prompt": prompt, "who": who}, key=key)


def sample_film(rows: Sequence[SampleRow], *, prompt: str, key: str) -> None:
    """The samples of a run as a film along training, with a scrubber. It stands still where motion is unwanted."""
    _FILM({"rows": plain(rows), "prompt": prompt}, key=key)
