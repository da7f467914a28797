"""The claim about all runs and their table; both are updated while anything trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground import state
from playground.access.run_list import MOST_RUNS, Listing
from playground.access.runs import DEFAULT_RUN
from playground.components.run_table import run_table, ticked_in
from playground.frame import services
from playground.frame.fragments import fragment
from playground.runs.records import STATUSES, Evaluation, Run, RunNotFoundError, StoreError
from playground.text import escape_markdown, size
from playground.views.runs import rows
from playground.views.runs.listing import listing
from playground.views.runs.ticks import tick, ticked_ids

_KEY = "runs.table"

_INTERVAL = 1.0
_IDLE_INTERVAL = 5.0
"""Where nothing trains, a run may still be started in another tab."""


@dataclass(frozen=True)
class _DrawnFor:
    """What the page below the table was drawn for; when it no longer holds, the page is drawn anew."""

    interval: float
    ticked: tuple[str, ...]
    statuses: tuple[str, ...]


def table(claim: DeltaGenerator, runs: Sequence[Run]) -> None:
    """The table of all runs, of which `runs` are ticked; `claim` is the place for the sentence above it."""
    drawn_for = _drawn_for(listing(), tuple(run.id for run in runs))
    fragment(_live_part, key="runs", run_every=drawn_for.interval)(drawn_for, claim)


def _live_part(drawn_for: _DrawnFor, claim: DeltaGenerator) -> None:
    selection = state.current()
    try:
        found = listing()
    except StoreError as error:  # out of reach for the moment
        claim.error(escape_markdown(str(error)), icon=":material/error:")
        return
    # Written in every run of the fragment, the aborted ones too: Streamlit keeps its place by that.
    held = found.storage
    room = f" Storage: {size(held.used)} of {size(held.room)}." if held else ""
    claim.subheader(escape_markdown(rows.claim(found.rows, _evaluation) + room), anchor=False)
    ticked = ticked_ids(selection)
    if _drawn_for(found, ticked) != drawn_for:
        st.rerun()
    run_table(
        found.rows,
        ticked=ticked,
        chosen=selection.run or DEFAULT_RUN,
        statuses=STATUSES,
        key=_KEY,
        on_tick=_hear,
    )
    with st.container():
        if found.cut:
            st.caption(f"Only the newest {MOST_RUNS:,} runs are listed; open an older one by its link.")


def _evaluation(run: str, step: int) -> Evaluation | None:
    """The evaluation of a run at a step; None where there is none, or the run has just gone."""
    try:
        found = services.reader().snapshot(run, watch=False).evaluations
    except RunNotFoundError:
        return None
    return next((evaluation for evaluation in found if evaluation.step == step), None)


def _drawn_for(found: Listing, ticked: tuple[str, ...]) -> _DrawnFor:
    by_id = found.by_id
    return _DrawnFor(
        interval=_INTERVAL if any(run.active for run in found.runs) else _IDLE_INTERVAL,
        ticked=ticked,
        statuses=tuple(by_id[run].status for run in ticked if run in by_id),
    )


def _hear() -> None:
    """Take what the visitor ticked."""
    ids = ticked_in(_KEY)
    if ids is None:
        return
    known = listing().by_id
    tick([run for run in ids if run in known])
