"""Which weights a selection means, for all pages: the one shelf of models of an app process, and what is put there.

What several visitors look at is read once for all of them.
"""

from __future__ import annotations

import streamlit as st

from playground import state
from playground.access import lens, weights
from playground.access.weights import LIVE, Loaded, ModelError, Place, Shelf
from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import Run


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """The models that were used last."""
    return Shelf()


def snapshot(run_id: str, *, watch: bool = True) -> Snapshot:
    """What is known of the run that is looked at; of the first starter run if none is.

    `watch` says that its newest weights are wanted: while it trains, its live slot is then kept fresh.
    """
    return services.reader().snapshot(run_id or lens.DEFAULT_RUN, watch=watch)


def load(run: Snapshot, step: int) -> Loaded:
    """The model of a run at one of its steps, or at its newest.

    A run that trains is asked for the weights in its live slot, if they are newer than all it has saved.

    Raises:
        ModelError: it has saved nothing yet, or what it saved cannot be used
        StoreError: the store cannot be read
    """
    kept = weights.steps(run)
    if step == state.NEWEST:
        live = _live(run.run, max(kept, default=-1))
        if live is not None:
            return live
    if not kept:
        raise ModelError(
            f"{run.run.name} has saved no weights yet ({run.run.status}): there is something to see as soon as its "
            "first checkpoint is there. Wait a moment, or choose another run."
        )
    place = weights.place_of(run, max(kept) if step == state.NEWEST else step)
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
