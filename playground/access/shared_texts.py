"""What all visitors of one app process share to generate: the desks, the training texts.

Every cache here has a bound; what several visitors ask for is computed once.
"""

from __future__ import annotations

import streamlit as st

from engine.analysis.verbatim import VerbatimIndex
from engine.config import DataConfig
from engine.models.ngram import NGram
from playground.access import lens, training_text
from playground.access.training_text import Behind, Copied, Missing
from playground.access.writing import Desk, Job
from playground.runs.records import Run


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """Writes the texts that visitors look at."""
    return Desk()


@st.cache_resource(show_spinner=False)
def film_desk() -> Desk:
    """Writes the short texts of every step, behind those that somebody waits for."""
    return Desk(workers=1, waiting=512, kept=1_024)


@st.cache_resource(show_spinner=False)
def _indices() -> Behind[VerbatimIndex]:
    return Behind(bound=3)


@st.cache_resource(show_spinner=False)
def _ngrams() -> Behind[dict[int, NGram]]:
    return Behind(bound=4)


def _key(data: DataConfig) -> str:
    return f"{data.corpus}/{data.level}/{data.vocabulary_limit}"


def ngrams(run: Run) -> dict[int, NGram] | Missing | None:
    """n-gram models of the text a run learns from; None until they are counted."""
    return _ngrams().get(_key(run.config.data), lambda: training_text.ngrams_of(lambda: lens.corpus(run.config.data)))


def copied(run: Run, job: Job) -> Copied | Missing | None:
    """What of a finished text stands in its run's training text; None until the training text is there."""
    found = _indices().get(_key(run.config.data), lambda: training_text.index_of(lambda: lens.corpus(run.config.data)))
    if isinstance(found, VerbatimIndex):
        return _copied(job.request, job.written, found, job)
    return found


@st.cache_resource(max_entries=64, show_spinner=False)
def _copied(request: object, written: int, _index: VerbatimIndex, _job: Job) -> Copied:
    return training_text.copied(_index, _job.text(written))
