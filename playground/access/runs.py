"""The runs that are looked at: the chosen one and those it races against, as everybody sees them at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import RunChange, RunNotFoundError

DEFAULT_RUN = "tales-lstm"
"""What is looked at as long as nobody has chosen a run."""


def snapshot_of(run_id: str, *, watch: bool = True) -> Snapshot:
    """What is known of a run now; of the default one where none is named.

    `watch` says that its newest weights are wanted: while it trains, its live slot is then kept fresh.
    """
    return services.reader().snapshot(run_id or DEFAULT_RUN, watch=watch)


def watched(run_id: str) -> list[Snapshot]:
    """What is known of a run now, and of those it races against, in the order of the race."""
    first = snapshot_of(run_id)
    if first.run.race is None:
        return [first]
    if first.run.id not in _racers(first.run.race):  # deleted when the race was first looked at, and back now
        _racers.clear()
    found = []
    for racer in _racers(first.run.race):
        with suppress(RunNotFoundError):  # deleted: the others go on without it
            found.append(first if racer == first.run.id else snapshot_of(racer))
    return found


@st.cache_resource(max_entries=256, show_spinner=False)
def _racers(race: str) -> list[str]:
    """Ids of a race's runs, in its order; they are made together and stay the same."""
    return [run.id for run in services.store().runs(race=race, starters=False)]


def any_active(snapshots: Sequence[Snapshot]) -> bool:
    """Whether a run still trains, so that the page must keep looking."""
    return any(snapshot.run.active for snapshot in snapshots)


def setting_changes(snapshot: Snapshot) -> list[RunChange]:
    """The settings that were changed while the run trained, in order."""
    return [change for change in snapshot.changes if change.value is not None]
