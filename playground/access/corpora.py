"""The texts that runs learn from, prepared once for all visitors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from engine.config import Config, ConfigError, DataConfig
from engine.data import SOURCES, Corpus, TextError, check_batches, load_split, prepare, sorted_by_kind
from playground.frame import services
from playground.runs.records import Evaluation, Run, StoreError

Progress = Callable[[int, int], None]


@st.cache_resource(max_entries=4, show_spinner=False)
def _corpus(data_json: str, _progress: Progress | None) -> Corpus:
    config = Config.from_json(data_json)
    return prepare(config.data, services.own_text, _progress)


def check_source(data: DataConfig) -> None:
    """Refuse a text that no visitor may see: `file:` names any file of the server.

    Raises:
        ConfigError: says what to do instead
    """
    if data.corpus.startswith("file:"):
        raise ConfigError("A page does not read files of its server: upload or paste the text instead.")


def corpus(data: DataConfig, progress: Progress | None = None) -> Corpus:
    """The prepared text that `data` names; the last four stay in memory. `progress` hears of (done, total) bytes.

    Raises:
        TextError, ConfigError: says why it cannot be used
    """
    check_source(data)
    # Streams and chunk do not change the text, but they are checked against its length.
    found = _corpus(Config(data=replace(data, streams=1, chunk=1)).to_json(), progress)
    check_batches(len(found.train), data.streams, data.chunk)
    return found


def text_name(corpus: str) -> str:
    """What a text is called, by the name of its corpus."""
    if corpus in SOURCES:
        return SOURCES[corpus].title
    try:
        return services.store().text_name(corpus.removeprefix("own:"))
    except StoreError:
        return "own text"


@st.cache_resource(max_entries=16, show_spinner=False)
def is_sorted(corpus: str) -> bool:
    """Whether the lines of a visitor's text seem to be sorted by kind; its validation part is then unlike the rest."""
    return corpus.startswith("own:") and sorted_by_kind(load_split(corpus, services.own_text).text)


def characters_per_token(run: Run, evaluations: Sequence[Evaluation]) -> float:
    """Mean characters that a token of the run's validation text stands for; NaN where its text is gone.

    Before the first evaluation the text itself is asked, which takes longer.
    """
    measured = evaluated_characters_per_token(run, evaluations)
    if not math.isnan(measured):
        return measured
    try:
        found = corpus(run.config.data)
    except (TextError, ConfigError):
        return math.nan
    return found.validation_characters / max(1, len(found.validation))


def evaluated_characters_per_token(run: Run, evaluations: Sequence[Evaluation]) -> float:
    """Mean characters that a token of the run's validation text stands for, as its evaluations tell; NaN before one.

    An evaluation holds one loss in both units: bits per character = nats per token / ln 2 / characters per token.
    """
    if run.config.data.level == "char":
        return 1.0
    for evaluation in evaluations:
        if math.isfinite(evaluation.val_loss) and evaluation.bits_per_character > 0:
            return evaluation.val_loss / (math.log(2.0) * evaluation.bits_per_character)
    return math.nan
