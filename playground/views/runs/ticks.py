"""Which runs are ticked in the table. Two to four of them are compared, and their ids are in the link."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground import state
from playground.frame import services
from playground.runs.records import Run, StoreError
from playground.views.runs.listing import listing

FEWEST_COMPARED, MOST_COMPARED = 2, 4

_TICKED = "runs.ticked"


def comparable(count: int) -> bool:
    """Whether so many runs can be compared."""
    return FEWEST_COMPARED <= count <= MOST_COMPARED


def ticked_ids(selection: state.Selection) -> tuple[str, ...]:
    """Ids of the ticked runs, in the order of ticking: those of the link, else as the visitor left them."""
    if selection.compare:
        return tuple(selection.compare.split(","))
    kept: tuple[str, ...] = st.session_state.get(_TICKED, ())
    return () if comparable(len(kept)) else kept


def tick(ids: Sequence[str]) -> None:
    """Tick these runs and no others."""
    st.session_state[_TICKED] = tuple(ids)
    state.select(compare=",".join(ids) if comparable(len(ids)) else "")


def ticked(selection: state.Selection) -> list[Run]:
    """The ticked runs as they stand now. One that is gone gets a sentence and loses its tick."""
    known = listing(fresh=True).by_id
    found, wanted = [], ticked_ids(selection)
    for run_id in wanted:
        try:
            found.append(known.get(run_id) or services.store().run(run_id))
        except StoreError as error:
            state.note_problem(str(error))
    if len(found) < len(wanted):
        tick([run.id for run in found])
    return found
