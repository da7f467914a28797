"""The named units of a run in its archive: a list in `run.json`, which files of an older Unrolled do not have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from engine.config import Config
from playground.runs.archive.json_reader import JsonObject
from playground.runs.archive.layout import MAX_SECONDS, RUN, refused, single_line
from playground.runs.records import Finding
from playground.runs.store.findings import MAX_FINDINGS, MAX_HYPOTHESIS, MAX_NAME, QUANTITY
from playground.runs.store.rows import finite

NAME = "findings"
"""The list's name in `run.json`."""


def plain_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as values that JSON can represent."""
    return [
        asdict(finding)
        | {
            "name": single_line(finding.name, MAX_NAME),
            "hypothesis": single_line(finding.hypothesis, MAX_HYPOTHESIS),
            "score": finite(finding.score),
            "baseline": finite(finding.baseline),
        }
        for finding in findings
    ]


def read_findings(stored: JsonObject, config: Config, last_step: int) -> tuple[Finding, ...]:
    """The named units that `run.json` lists, each of a unit that the config has.

    Raises:
        RunArchiveError: says which value is invalid
    """
    if NAME not in stored:
        return ()
    found: list[Finding] = []
    for row in stored.items(NAME, MAX_FINDINGS):
        found.append(_finding(JsonObject(RUN, row, "a named unit's "), config, last_step))
        if len(found) > 1 and found[-1].place <= found[-2].place:
            raise refused(RUN, "has named units that are not in order, or one of them twice")
    return tuple(found)


def _finding(stored: JsonObject, config: Config, last_step: int) -> Finding:
    quantity = stored.line("quantity", 40)
    if not QUANTITY.fullmatch(quantity):
        raise stored.wrong("quantity", "the name of a quantity")
    name = stored.line("name", MAX_NAME)
    if not name.strip():
        raise stored.wrong("name", "a name")
    return Finding(
        layer=stored.count("layer", config.model.layers - 1),
        unit=stored.count("unit", config.model.units - 1),
        quantity=quantity,
        name=name,
        hypothesis=stored.line("hypothesis", MAX_HYPOTHESIS),
        score=stored.optional(stored.number, "score"),
        baseline=stored.optional(stored.number, "baseline"),
        step=stored.count("step", last_step),
        created=stored.number("created", MAX_SECONDS, 0.0),
    )
