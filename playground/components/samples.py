"""Texts a model wrote as it learned: all of them down the page, or one after the other as a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from playground.components.assets import asset


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


_LADDER = st.components.v2.component(
    "unrolled_sample_ladder",
    html='<ol class="ladder" aria-label="Samples by training step"></ol>\n',
    css=asset("samples/samples.css"),
    js=asset("samples/ladder.js"),
)

_FILM = st.components.v2.component(
    "unrolled_sample_film",
    html="""<figure class="film">
  <figcaption><strong class="step"></strong><span class="loss"></span></figcaption>
  <pre class="text" aria-live="off"></pre>
  <div class="controls">
    <button type="button" class="play" aria-label="Play or pause"></button>
    <input type="range" min="0" value="0" step="1" aria-label="Training step">
  </div>
</figure>
""",
    css=asset("samples/samples.css"),
    js=asset("samples/film.js"),
)


def sample_ladder(rows: Sequence[SampleRow], *, prompt: str, key: str, who: str = "") -> None:
    """Samples in the given order, with `who` wrote them before the step; a long one opens on a click."""
    _LADDER(data={"rows": [asdict(row) for row in rows], "prompt": prompt, "who": who}, key=key)


def sample_film(rows: Sequence[SampleRow], *, prompt: str, key: str) -> None:
    """The samples of a run as a film along training, with a scrubber. It stands still where motion is unwanted."""
    _FILM(data={"rows": [asdict(row) for row in rows], "prompt": prompt}, key=key)
