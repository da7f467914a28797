"""What all visitors of one app process share to generate: the shelf of models, the desks, the training texts.

Every cache here has a bound; what several visitors ask for is computed once.
"""

from __future__ import annotations

import streamlit as st

from engine.analysis.verbatim import VerbatimIndex
from engine.config import DataConfig
from engine.models.ngram import NGram
from playground import lens, services, state
from playground.generating import models, reference
from playground.generating.jobs import Desk, Job
from playground.generating.models import Loaded, ModelError, Place, Shelf
from playground.generating.reference import Behind, Copied, Missing
from playground.runs.reader import Snapshot
from playground.runs.records import Run

LIVE = "live"
"""version of the weights in a run's live slot: those of the newest step, overwritten while it trains"""


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """The models that were used last."""
    return Shelf()


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


def snapshot(run_id: str) -> Snapshot:
    """What is known of the run that is looked at; of the first starter run if none is."""
    return services.reader().snapshot(run_id or lens.DEFAULT_RUN)


def load(run: Snapshot, step: int) -> Loaded:
    """The model of a run at one of its steps, or at its newest.

    A run that trains is asked for the weights in its live slot, if they are newer than all it has saved.

    Raises:
        ModelError: it has saved nothing yet, or what it saved cannot be used
        StoreError: the store cannot be read
    """
    kept = models.steps(run)
    if step == state.NEWEST:
        live = _live(run.run, max(kept, default=-1))
        if live is not None:
            return live
    if not kept:
        raise ModelError(
            f"{run.run.name} has saved no weights yet ({run.run.status}): it writes as soon as its first checkpoint is "
            "there, or choose another run."
        )
    place = models.place_of(run, max(kept) if step == state.NEWEST else step)
    return shelf().take(place, lambda: services.store().checkpoint(run.run.id, place.step))


def _live(run: Run, saved: int) -> Loaded | None:
    """The live weights of a run that trains, if they are newer than what is saved."""
    if not run.active or run.live_step is None or run.live_step <= saved:
        return None
    known = shelf().known(run.id, run.live_step, LIVE)
    if known is not None:
        return known
    found = services.store().live(run.id)
    if found is None or found.step <= saved:
        return None
    return shelf().take(Place(run, found.step, LIVE), lambda: found.raw)


def ngrams(run: Run) -> dict[int, NGram] | Missing | None:
    """n-gram models of the text a run learns from; None until they are counted."""
    return _ngrams().get(_key(run.config.data), lambda: reference.ngrams_of(lambda: lens.corpus(run.config.data)))


def copied(run: Run, job: Job) -> Copied | Missing | None:
    """What of a finished text stands in its run's training text; None until the training text is there."""
    found = _indices().get(_key(run.config.data), lambda: reference.index_of(lambda: lens.corpus(run.config.data)))
    if isinstance(found, VerbatimIndex):
        return _copied(job.request, job.written, found, job)
    return found


@st.cache_resource(max_entries=64, show_spinner=False)
def _copied(request: object, written: int, _index: VerbatimIndex, _job: Job) -> Copied:
    return reference.copied(_index, _job.text(written))
