"""What a run's training text tells: the lines to beat, n-gram models, and what of a text is copied from it.

All take a while for a long text, so they are computed behind the page; the last few are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from engine.analysis.verbatim import VerbatimIndex
from engine.config import ConfigError, DataConfig
from engine.data import TextError, prepare
from engine.models.ngram import ORDERS, NGram, baselines
from playground.access.background import BackgroundCache
from playground.access.corpora import corpus
from playground.frame import services
from playground.runs.records import Run, StoreError

log = logging.getLogger("unrolled.training_text")

Key = TypeVar("Key")
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


@dataclass(frozen=True)
class Counted(Generic[Key, Value]):
    """What was counted of a text, by name or order, and the hash of the text and its vocabulary."""

    sha256: str
    values: dict[Key, Value]


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
def _baselines() -> BackgroundCache[Counted[str, float] | Missing]:
    return BackgroundCache("baselines", bound=32)


@st.cache_resource(show_spinner=False)
def _ngrams() -> BackgroundCache[Counted[int, NGram] | Missing]:
    return BackgroundCache("n-grams", bound=4)


@st.cache_resource(show_spinner=False)
def _indices() -> BackgroundCache[VerbatimIndex | Missing]:
    return BackgroundCache("training texts", bound=3)


def lines_to_beat(run: Run) -> dict[str, float] | None:
    """Loss of a uniform guess and of smoothed 1-, 2- and 3-gram models, in nats per token; None until computed.

    Empty where the text cannot be had any more.
    """
    found = _lines(run.config.data)
    if found is None:
        return None
    return {} if isinstance(found, Missing) or _other_words(run, found.sha256) else found.values


def lines_to_beat_on(data: DataConfig) -> dict[str, float] | None:
    """The same for a text that nothing has been trained on yet."""
    found = _lines(data)
    return found.values if isinstance(found, Counted) else None if found is None else {}


def _lines(data: DataConfig) -> Counted[str, float] | Missing | None:
    def compute() -> Counted[str, float]:
        found = prepare(data, services.own_text)
        return Counted(found.sha256, baselines(found.train, found.validation, len(found.vocabulary)))

    return _baselines().get(_key(data), lambda: _or_missing(compute))


def ngrams(run: Run) -> dict[int, NGram] | Missing | None:
    """Smoothed 1-, 2- and 3-gram models of the text a run learns from, by their order; None until they are counted."""
    data = run.config.data

    def compute() -> Counted[int, NGram]:
        found = corpus(data)
        models = {order: NGram.fit(found.train, order, len(found.vocabulary)) for order in ORDERS}
        return Counted(found.sha256, models)

    found = _ngrams().get(_key(data), lambda: _or_missing(compute))
    if not isinstance(found, Counted):
        return found
    return Missing(_OTHER_WORDS) if _other_words(run, found.sha256) else found.values


def copied(run: Run, text: str) -> Copied | Missing | None:
    """What of a text stands in a run's training text; None until that is there."""
    data = run.config.data
    found = _indices().get(_key(data), lambda: _or_missing(lambda: VerbatimIndex(corpus(data).train_text)))
    return _copied(_key(data), text, found) if isinstance(found, VerbatimIndex) else found


@st.cache_resource(max_entries=64, show_spinner=False)
def _copied(key: str, text: str, _index: VerbatimIndex) -> Copied:
    match = _index.match(text)
    return Copied(tuple(_index.stretches(text)), match.share, text[match.start : match.end])


_OTHER_WORDS = (
    "The vocabulary of this run differs from the one its text gives now: train it again to compare it with n-gram "
    "models."
)


def _other_words(run: Run, sha256: str) -> bool:
    """Whether the words of a run are not those of its text: a vocabulary was once made from all of it."""
    return run.config.data.level == "word" and run.corpus_sha256 not in ("", sha256)


def _key(data: DataConfig) -> str:
    return f"{data.corpus}/{data.level}/{data.vocabulary_limit}"
