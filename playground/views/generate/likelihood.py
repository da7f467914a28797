"""How likely a text is, token by token, for any text that somebody types."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from engine.config import ConfigError
from engine.decoding.scores import log_probabilities, perplexity
from engine.start import prompt_tokens
from playground.access.models import Loaded
from playground.access.unread import not_read
from playground.charts.surprise import surprise_frame, surprise_spec
from playground.components.tokens import FULL_BITS, Strip, token_strip
from playground.frame.charts import draw_chart
from playground.frame.fragments import fragment
from playground.text import escape_markdown, number, visible
from playground.views.generate import words
from playground.views.generate.pieces import hundredths, shown
from playground.views.generate.session import Writer

MOST_CHARACTERS = 5_000
_FIRST_TEXT = "The old man opened the door and said nothing."


@dataclass(frozen=True, eq=False)
class Scored:
    """A text and how surprising each of its tokens is to a model."""

    tokens: list[int]
    pieces: list[str]
    bits: np.ndarray
    """(tokens)"""
    perplexity: float

    @property
    def total(self) -> float:
        """Bits that the whole text takes."""
        return float(self.bits.sum())


def score(loaded: Loaded, text: str) -> Scored:
    """A text as a model finds it, started afresh. Raises ConfigError."""
    return _score(loaded.key, text, loaded)


@st.cache_resource(max_entries=128, show_spinner=False)
def _score(weights: tuple[str, int, str], text: str, _loaded: Loaded) -> Scored:
    tokens = [int(token) for token in _loaded.vocabulary.encode(text, unknown="nearest")]
    if not tokens:
        return Scored([], [], np.zeros(0), math.nan)
    scores = log_probabilities(_loaded.model, tokens, start=fresh_start(_loaded))
    added = _loaded.vocabulary.incremental_decoder()
    pieces = [added(token) for token in tokens]
    return Scored(tokens, pieces, -scores.numpy() / math.log(2), perplexity(scores))


def panel(writer: Writer) -> None:
    """A text to type, how likely it is, and where it surprises."""
    fragment(_panel, key="generate-likelihood")(writer)


def _panel(writer: Writer) -> None:
    loaded = writer.loaded
    text = st.text_area(
        "Text to score",
        _FIRST_TEXT,
        max_chars=MOST_CHARACTERS,
        height=96,
        key="generate.likely",
        help=f"Up to {MOST_CHARACTERS:,} characters.",
    )
    note = not_read(text or "", loaded.vocabulary)
    if note:
        st.caption(f":material/info: {escape_markdown(note)}")
    try:
        found = score(loaded, text or "")
    except ConfigError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    if not found.tokens:
        st.caption("Enter a text that this model can read.")
        return
    st.markdown(f"**{escape_markdown(summary(loaded, found))}**")
    token_strip(
        Strip(
            text=f"{loaded.key}{text}",
            pieces=[shown(piece) for piece in found.pieces],
            hundredths=hundredths(found.bits.tolist()),
            full=FULL_BITS[loaded.vocabulary.level],
            label="The text, token by token",
        ),
        key="generate.likely.strip",
    )
    names = [visible(piece.strip(" ") or piece, spaces=True) for piece in found.pieces]
    draw_chart(surprise_frame(bits=found.bits.tolist(), names=names), surprise_spec(), key="generate.likely.chart")


def summary(loaded: Loaded, found: Scored) -> str:
    """How likely a text is, in one line, and what surprised most."""
    count, one = len(found.tokens), words.one(loaded)
    most = int(np.argmax(np.where(np.isnan(found.bits), -1.0, found.bits)))
    name = visible(found.pieces[most].strip(" ") or found.pieces[most], spaces=True)
    return (
        f"{words.bits_with_perplexity(found.total / count)} bits per {one}, perplexity {number(found.perplexity)}, "
        f"over {count:,} {loaded.tokens if count > 1 else one}. Highest surprisal: “{name}” at position {most + 1:,}, "
        f"{number(float(found.bits[most]))} bits."
    )


def fresh_start(loaded: Loaded) -> list[int]:
    """The tokens a text begins after when nothing stands before it."""
    return prompt_tokens("", loaded.vocabulary)[1]
