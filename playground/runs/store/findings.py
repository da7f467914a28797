"""Findings: the units of a run that somebody has named.

Those of a run belong to whom the run belongs to, and everybody who sees the run sees them. A starter run is read-only
and ships with its own: what a visitor names there is kept for that visitor alone.
"""

from __future__ import annotations

import re
import time
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, delete, func, select

from engine.config import Config
from playground.runs.records import Finding, RunRefusedError, RunWrite
from playground.runs.store import schema
from playground.runs.store.rows import finite, from_row, to_row
from playground.runs.store.run_records import RunRecords, check_owner

MAX_NAME = 60
"""Characters of a unit's name."""

MAX_HYPOTHESIS = 200
"""Characters of what a unit is said to track."""

MAX_FINDINGS = 500
"""Named units of one run, and of one visitor in a starter run."""

OWN_KEPT = 50_000
"""Named units of all visitors in all starter runs; the oldest are removed first."""

QUANTITY = re.compile(r"[a-z][a-z0-9_.]{0,39}", re.ASCII)

_TABLE = schema.findings


class Findings(RunRecords):
    """Named units by run."""

    def name_unit(self, run_id: str, finding: Finding, *, by: str | None = None) -> None:
        """Save a named unit, in place of an earlier name of the same unit; an empty name removes it.

        Args:
            by: the visitor who asks, as in `rename`; in a starter run the one who will see it

        Raises:
            RunNotFoundError: there is no such run
            RunRefusedError: another visitor's run, too many or too long names, or a unit that does not exist
        """
        checked = _checked(self.run(run_id).config, finding)
        if run_id in self.starters and not by:
            self.check_writable(run_id)
        with self.writing() as connection:
            if run_id in self.starters:
                _put(connection, run_id, str(by), checked, 0)
                return
            run = self._run(connection, run_id, lock=True)
            check_owner(run.owner, by)
            version = self.write_in_transaction(connection, RunWrite(run_id))
            _put(connection, run_id, run.owner, checked, version)

    def findings(self, run_id: str) -> list[Finding]:
        """The named units that everybody sees, by layer and unit."""
        return self._records_of(Finding, run_id, 0)

    def own_findings(self, run_id: str, owner: str) -> list[Finding]:
        """What a visitor has named in a starter run, by layer and unit."""
        wanted = [_TABLE.c[item.name] for item in fields(Finding)]
        mine = (_TABLE.c.run == run_id) & (_TABLE.c.owner == owner)
        with self.reading() as connection:
            rows = connection.execute(select(*wanted).where(mine).order_by(_TABLE.c.layer, _TABLE.c.unit))
            return [from_row(Finding, row) for row in rows]

    def _purge_findings(self, kept: int = OWN_KEPT) -> None:
        """Remove the oldest of what visitors have named in starter runs, beyond so many."""
        own = _TABLE.c.run.in_(list(self.starters))
        oldest = select(_TABLE.c.created).where(own).order_by(_TABLE.c.created.desc()).offset(kept).limit(1)
        with self.reading() as connection:
            last = connection.scalar(oldest)
        if last is not None:
            with self.writing() as connection:
                connection.execute(delete(_TABLE).where(own, _TABLE.c.created <= last))


def _put(connection: Connection, run_id: str, owner: str, finding: Finding, version: int) -> None:
    """Write a finding of `owner`, or remove it if it has no name."""
    mine = (_TABLE.c.run == run_id) & (_TABLE.c.owner == owner)
    here = mine & (_TABLE.c.layer == finding.layer) & (_TABLE.c.unit == finding.unit)
    connection.execute(delete(_TABLE).where(here))
    if not finding.name:
        return
    count = connection.scalar(select(func.count()).select_from(_TABLE).where(mine)) or 0
    if count >= MAX_FINDINGS:
        raise RunRefusedError(
            f"This run has {count} named units, as many as it may have: remove the name of one first."
        )
    connection.execute(_TABLE.insert(), finding_row(finding, run_id, owner, version))


def finding_row(finding: Finding, run_id: str, owner: str, version: int) -> dict[str, Any]:
    """A finding as values of the table's columns."""
    return to_row(finding, run_id, version) | {"owner": owner}


def _checked(config: Config, finding: Finding) -> Finding:
    """The finding as it is kept, dated and in one line. Raises RunRefusedError."""
    name, hypothesis = _line(finding.name), _line(finding.hypothesis)
    for what, text, most in (("name", name, MAX_NAME), ("description", hypothesis, MAX_HYPOTHESIS)):
        if len(text) > most:
            raise RunRefusedError(f"A unit's {what} may have {most} characters; this one has {len(text)}: shorten it.")
    model = config.model
    if not (0 <= finding.layer < model.layers and 0 <= finding.unit < model.units):
        raise RunRefusedError(
            f"There is no unit {finding.unit} in layer {finding.layer} of this run, counted from 0: it has "
            f"{model.layers} layer{'s' * (model.layers > 1)} of {model.units} units."
        )
    if not QUANTITY.fullmatch(finding.quantity) or finding.step < 0:
        raise RunRefusedError("A named unit needs a quantity of its cell, such as hidden, and a training step.")
    return replace(
        finding,
        name=name,
        hypothesis=hypothesis,
        score=finite(finding.score),
        baseline=finite(finding.baseline),
        created=finding.created or time.time(),
    )


def _line(text: str) -> str:
    """A text in one line, without what cannot be seen."""
    return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())
