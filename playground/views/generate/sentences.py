"""Two sentences side by side: which is likelier, to the model and to those that count n-grams."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from engine.config import ConfigError
from engine.data import Vocabulary
from engine.models.ngram import NGram
from playground.access import training_text
from playground.access.models import Loaded
from playground.access.training_text import Missing
from playground.access.unread import not_read
from playground.charts.surprise import SENTENCES, factor, sentences_frame, sentences_spec
from playground.components.tokens import FULL_BITS, Strip, token_strip
from playground.frame.charts import draw_chart
from playground.frame.fragments import fragment
from playground.text import escape_markdown
from playground.views.generate import likelihood, words
from playground.views.generate.likelihood import Scored
from playground.views.generate.pieces import hundredths, shown
from playground.views.generate.session import Writer

MOST_CHARACTERS = 500
FIRST, SECOND = "the apple and the pear salad", "the apple and the pair salad"
_TICK = 0.5

Judge = tuple[str, float, float]
"""name, and the bits that each sentence takes"""


def panel(writers: list[Writer]) -> None:
    """Two sentences to type, and who finds which likelier."""
    counted = _counted(writers[0])
    waiting = counted is None
    fragment(_panel, key="generate-sentences", run_every=_TICK if waiting else None)(writers, waiting)


def _counted(writer: Writer) -> dict[int, NGram] | Missing | None:
    return training_text.ngrams(writer.loaded.run)


def _panel(writers: list[Writer], waiting: bool) -> None:
    counted = _counted(writers[0])
    if waiting and counted is not None:
        st.rerun()
    texts = _typed()
    loaded = writers[0].loaded
    try:
        scored = [[likelihood.score(writer.loaded, text) for text in texts] for writer in writers]
    except ConfigError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    if not all(found.tokens for pair in scored for found in pair):
        st.caption("Enter two sentences that the model can read.")
        return
    _unread(texts, writers)
    judges: list[Judge] = [
        (words.who(writer.loaded), pair[0].total, pair[1].total) for writer, pair in zip(writers, scored, strict=True)
    ]
    st.markdown(f"**{escape_markdown(verdict(judges[0]))}**")
    _strips(scored[0], loaded)
    if isinstance(counted, dict):
        judges += count_judges(counted, scored[0], likelihood.fresh_start(loaded), loaded.vocabulary)
    draw_chart(_frame(judges), sentences_spec(len(judges)), key=f"generate.sentences.{len(judges)}")
    if counted is None:
        st.caption("The n-grams of the training text are being counted.")
    elif isinstance(counted, Missing):
        st.caption(escape_markdown(f"No n-gram models for comparison: {counted.why}"))


def _typed() -> list[str]:
    texts = []
    for column, name, text in zip(st.columns(2), SENTENCES, (FIRST, SECOND), strict=True):
        with column:
            typed = st.text_input(
                f"{name.capitalize()} sentence",
                text,
                max_chars=MOST_CHARACTERS,
                key=f"generate.sentence.{name}",
                help=f"Up to {MOST_CHARACTERS} characters.",
            )
            texts.append(typed or "")
    return texts


def _unread(texts: list[str], writers: list[Writer]) -> None:
    """What a model has no symbol for: then it judged other sentences than the ones that were typed."""
    for writer in writers:
        note = not_read(" ".join(texts), writer.loaded.vocabulary)
        if note:
            st.caption(f":material/info: {escape_markdown(f'{words.who(writer.loaded)}: {note}')}")


def _strips(pair: list[Scored], loaded: Loaded) -> None:
    for column, name, found in zip(st.columns(2), SENTENCES, pair, strict=True):
        with column:
            token_strip(
                Strip(
                    text=f"{loaded.key}{found.tokens}",
                    pieces=[shown(piece) for piece in found.pieces],
                    hundredths=hundredths(found.bits.tolist()),
                    full=FULL_BITS[loaded.vocabulary.level],
                    label=f"The {name} sentence, token by token",
                ),
                key=f"generate.sentence.strip.{name}",
                legend=False,
            )


def verdict(judge: Judge) -> str:
    """Which sentence a judge finds likelier, and by what factor."""
    name, first, second = judge
    if not math.isfinite(first - second):
        return f"{name} gives no finite probabilities."
    if abs(first - second) < 0.01:
        return f"{name}: both sentences are equally likely."
    ahead = SENTENCES[0] if first < second else SENTENCES[1]
    return f"{name}: the {ahead} sentence is {factor(abs(first - second))} more likely."


def count_judges(
    counted: dict[int, NGram], pair: list[Scored], start: list[int], vocabulary: Vocabulary
) -> list[Judge]:
    """What the n-gram models make of two sentences, the longest n first."""
    found: list[Judge] = []
    for order, ngram in sorted(counted.items(), reverse=True):
        if ngram.vocabulary_size != len(vocabulary):
            continue  # the text has changed since the run learned it: other symbols
        bits = [float(-ngram.log_probabilities(scored.tokens, start).sum() / np.log(2)) for scored in pair]
        found.append((f"{order}-gram", bits[0], bits[1]))
    return found


def _frame(judges: list[Judge]) -> pd.DataFrame:
    return sentences_frame(judges=judges)
