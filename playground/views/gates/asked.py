"""What this page asks the trainer to work out: a job, with its progress while it is under way."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import streamlit as st

from playground.access import jobs
from playground.inside.view import View
from playground.parts.jobs import waiting
from playground.runs.jobs.records import Job
from playground.runs.records import StoreError

log = logging.getLogger("unrolled.gates")

_LAST = "gates.asked"

TOKENS = 100_000
"""Tokens that a search reads."""


def result(view: View, kind: str, **arguments: Any) -> Mapping[str, Any] | None:
    """What an analysis of the view's run found; until it has, its progress is drawn here, and None is given."""
    job = jobs.ask(view.loaded, kind, arguments)
    _give_up_the_last(kind, job)
    found: Mapping[str, Any] | None = None if waiting(job, key=f"gates.{kind}") else job.result
    return found


def _give_up_the_last(kind: str, job: Job) -> None:
    """Cancel what the visitor asked for before and has moved on from: who goes through training asks at every step."""
    asked: dict[str, Job] = st.session_state.setdefault(_LAST, {})
    last, asked[kind] = asked.get(kind), job
    if last is None or last.id == job.id or not last.open:
        return
    try:
        jobs.cancel(last)
    except StoreError as error:  # another visitor's, or the store is out of reach
        log.debug("A job stays: %s", error)


def read(view: View) -> dict[str, list[int]]:
    """The probe and its context as a job takes them."""
    return {"probe": view.probe.tokens.tolist(), "context": view.context.tokens.tolist()}
