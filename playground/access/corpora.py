"""The texts that runs learn from, prepared once for all visitors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import streamlit as st

from engine.config import Config, ConfigError, DataConfig
from engine.data import Corpus, TextError, prepare
from playground.frame import services
from playground.runs.records import Evaluation, Run

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
    return _corpus(Config(data=data).to_json(), progress)


def characters_per_token(run: Run, evaluations: Sequence[Evaluation]) -> float:
    """Mean characters that a token of the run's validation text stands for; NaN where its text is gone.

    Before the first evaluation the text itself is asked, which takes longer.
    """
    measured = evaluated_characters_per_token(run, evaluations)
    return characters_per_token_of(run.config.data) if math.isnan(measured) else measured


def characters_per_token_of(data: DataConfig) -> float:
    """The same for a text that nothing has been trained on yet."""
    if data.level == "char":
        return 1.0
    try:
        found = corpus(data)
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
