"""What a run's training text tells: the lines to beat, n-gram models, and what of a text is copied from it.

All take a while for a long text, so they are computed behind the page; the last few are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from engine.analysis.verbatim import VerbatimIndex
from engine.config import ConfigError, DataConfig
from engine.data import Corpus, TextError, prepare
from engine.models.ngram import ORDERS, NGram, baselines
from playground.access.background import BackgroundCache
from playground.access.corpora import corpus
from playground.frame import services
from playground.runs.records import Run, StoreError

log = logging.getLogger("unrolled.training_text")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Copied:
    """What of a text stands word for word in the training text.

    Attributes:
        stretches: (start, end) of every such stretch, in characters.
        share: of the text's characters that lie in them, in [0, 1].
        longest: the longest stretch that stands there in one piece; empty if none is long enough to count.
    """

    stretches: Sequence[tuple[int, int]]
    share: float
    longest: str


@dataclass(frozen=True)
class Missing:
    """A value that cannot be had, and why."""

    why: str


def _or_missing(compute: Callable[[], Value]) -> Value | Missing:
    """What `compute` gives; why it cannot be had, if its text cannot be read. Where it is the store that cannot be
    read, that is raised: it is over before long, and is not to be kept."""
    try:
        return compute()
    except StoreError:
        raise
    except (TextError, ConfigError) as error:
        return Missing(str(error))
    except Exception:
        log.exception("The baselines of a text could not be computed.")
        return Missing("The training text could not be read: see the log of the app.")


@st.cache_resource(show_spinner=False)
def _baselines() -> BackgroundCache[dict[str, float] | Missing]:
    return BackgroundCache("baselines", bound=32)


@st.cache_resource(show_spinner=False)
def _ngrams() -> BackgroundCache[dict[int, NGram] | Missing]:
    return BackgroundCache("n-grams", bound=4)


@st.cache_resource(show_spinner=False)
def _indices() -> BackgroundCache[VerbatimIndex | Missing]:
    return BackgroundCache("training texts", bound=3)


def lines_to_beat(run: Run) -> dict[str, float] | None:
    """Loss of a uniform guess and of smoothed 1-, 2- and 3-gram models, in nats per token; None until computed.

    Empty where the text cannot be had any more.
    """
    return _lines(run.config.data, _key_of_tokens(run), lambda found: _check_vocabulary(run, found))


def lines_to_beat_on(data: DataConfig) -> dict[str, float] | None:
    """The same for a text that nothing has been trained on yet."""
    return _lines(data, f"{_key(data)}/", lambda found: None)


def _lines(data: DataConfig, key: str, check: Callable[[Corpus], None]) -> dict[str, float] | None:
    def compute() -> dict[str, float]:
        found = prepare(data, services.own_text)
        check(found)
        return baselines(found.train, found.validation, len(found.vocabulary))

    found = _baselines().get(key, lambda: _or_missing(compute))
    return {} if isinstance(found, Missing) else found


def ngrams(run: Run) -> dict[int, NGram] | Missing | None:
    """Smoothed 1-, 2- and 3-gram models of the text a run learns from, by their order; None until they are counted."""
    data = run.config.data

    def compute() -> dict[int, NGram]:
        found = corpus(data)
        _check_vocabulary(run, found)
        return {order: NGram.fit(found.train, order, len(found.vocabulary)) for order in ORDERS}

    return _ngrams().get(_key_of_tokens(run), lambda: _or_missing(compute))


def copied(run: Run, text: str) -> Copied | Missing | None:
    """What of a text stands in a run's training text; None until that is there."""
    data = run.config.data
    found = _indices().get(_key(data), lambda: _or_missing(lambda: VerbatimIndex(corpus(data).train_text)))
    return _copied(_key(data), text, found) if isinstance(found, VerbatimIndex) else found


@st.cache_resource(max_entries=64, show_spinner=False)
def _copied(key: str, text: str, _index: VerbatimIndex) -> Copied:
    match = _index.match(text)
    return Copied(tuple(_index.stretches(text)), match.share, text[match.start : match.end])


def _check_vocabulary(run: Run, found: Corpus) -> None:
    """Refuse a text whose tokens are not those of the run: the words of a vocabulary were once those of all of it.

    Raises:
        TextError: says what to do
    """
    if run.config.data.level == "word" and run.corpus_sha256 not in ("", found.sha256):
        raise TextError(
            "The vocabulary of this run differs from the one its text gives now: train it again to compare it with "
            "n-gram models."
        )


def _key_of_tokens(run: Run) -> str:
    return f"{_key(run.config.data)}/{run.corpus_sha256 if run.config.data.level == 'word' else ''}"


def _key(data: DataConfig) -> str:
    return f"{data.corpus}/{data.level}/{data.vocabulary_limit}"
