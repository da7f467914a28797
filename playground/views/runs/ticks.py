"""Which runs are ticked in the table. Two to four of them are the comparison, and stand in the link."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground import state
from playground.frame import services
from playground.runs.records import Run, StoreError
from playground.views.runs.listing import Listing, RunList

FEWEST_COMPARED, MOST_COMPARED = 2, 4

_TICKED = "runs.ticked"


@st.cache_resource(max_entries=4, show_spinner=False)
def _run_list(url: str) -> RunList:
    return RunList(services.store())


def listing(*, fresh: bool = False) -> Listing:
    """The runs that this visitor sees; `fresh` where something was just done to them."""
    return _run_list(services.settings().store).listing(services.visitor(), fresh=fresh)


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
            state.problem(str(error))
    if len(found) < len(wanted):
        tick([run.id for run in found])
    return found
