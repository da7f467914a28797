"""The texts that runs learn from, prepared once for all visitors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from engine.analysis.text_facts import text_facts
from engine.config import Config, ConfigError, DataConfig
from engine.data import (
    SOURCES,
    Corpus,
    PerCharacter,
    TextError,
    TextFacts,
    check_batches,
    prepare,
    sorted_by_kind,
)
from playground.frame import services
from playground.runs.records import StoreError

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
        raise ConfigError("Pages cannot read files on the server: upload or paste the text instead.")


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
    if corpus.startswith("file:"):
        return "a file"
    try:
        return services.store().text_name(corpus.removeprefix("own:"))
    except StoreError:
        return "own text"


def is_sorted(found: Corpus) -> bool:
    """Whether the lines of a visitor's text seem to be sorted by kind; its validation part is then unlike the rest."""
    return found.name.startswith("own:") and _is_sorted(found.sha256, found)


@st.cache_data(max_entries=64, show_spinner=False)
def _is_sorted(sha256: str, _corpus: Corpus) -> bool:
    return sorted_by_kind(_corpus.train_text + _corpus.validation_text)


def facts(data: DataConfig) -> TextFacts:
    """The facts on the prepared text that `data` names; those of the last texts stay in memory.

    Raises:
        TextError, ConfigError: says why it cannot be used
    """
    found = corpus(data)
    return _facts(found.sha256, found)


@st.cache_resource(max_entries=64, show_spinner=False)
def _facts(sha256: str, _corpus: Corpus) -> TextFacts:
    return text_facts(_corpus)


def per_character_of(data: DataConfig) -> PerCharacter | None:
    """How losses on a text that nothing has been trained on yet become bits per character; None where it is unknown."""
    try:
        return facts(data).per_character
    except (TextError, ConfigError):
        return None
