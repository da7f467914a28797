"""What this page asks the trainer to work out: a job, with its progress while it is under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.access import jobs
from playground.inside.view import View
from playground.parts.jobs import waiting

TOKENS = 100_000
"""Tokens that a search reads."""


def result(view: View, kind: str, **arguments: Any) -> Mapping[str, Any] | None:
    """What an analysis of the view's run found; until it has, its progress is drawn here, and None is given."""
    job = jobs.ask(view.loaded, kind, arguments)
    found: Mapping[str, Any] | None = None if waiting(job, key=f"gates.{kind}") else job.result
    return found


def read(view: View) -> dict[str, list[int]]:
    """The probe and its context as a job takes them."""
    return {"probe": view.probe.tokens.tolist(), "context": view.context.tokens.tolist()}
