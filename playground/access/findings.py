"""The named units of a run, as the visitor sees them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import Finding, Run, StoreError


def named_units(snapshot: Snapshot) -> Mapping[tuple[int, int], Finding]:
    """The named units by (layer, unit), counted from 0; in a starter run the visitor's own too, before those it has."""
    found = {finding.place: finding for finding in snapshot.findings}
    if snapshot.run.starter:
        with suppress(StoreError):  # the frame says so
            own = services.store().own_findings(snapshot.run.id, services.visitor())
            found |= {finding.place: finding for finding in own}
    return dict(sorted(found.items()))


def may_name(run: Run) -> bool:
    """Whether the visitor may name units of a run: of their own, of nobody's, and for themselves of a starter run."""
    return run.starter or run.may_be_changed_by(services.visitor())


def name_unit(run: Run, finding: Finding) -> None:
    """Name a unit for the visitor; an empty name removes theirs. Raises StoreError: it says why that cannot be."""
    services.store().name_unit(run.id, finding, by=services.visitor())
