"""Naming the chosen unit: what it was found to track, kept with the run."""

from __future__ import annotations

import streamlit as st

from engine.analysis.hypotheses import REGEX
from playground import state
from playground.access import findings, jobs
from playground.inside.view import View
from playground.notation import first_index
from playground.runs.records import Finding, StoreError
from playground.runs.store.findings import MAX_NAME
from playground.views.gates import quantities
from playground.views.gates.asked import TOKENS
from playground.views.gates.settings import OWN, settings


def popover(view: View) -> None:
    """A button that opens the field for the unit's name, on runs whose units the visitor may name."""
    if not findings.may_name(view.run):
        return
    unit, known = view.unit + first_index(view.notation), view.finding
    key = f"gates.name.{view.run.id}.{view.layer}.{view.unit}"
    with st.popover(
        f"Rename unit {unit}" if known else f"Name unit {unit}", icon=":material/label:", key=f"{key}.open"
    ):
        st.text_input(
            f"What unit {unit} tracks",
            known.name if known else "",
            max_chars=MAX_NAME,
            key=state.labelled(key, known.name if known else ""),
            placeholder="inside quotation marks",
            on_change=_name,
            args=(view, state.labelled(key, known.name if known else "")),
            help="The name stands beside the unit's number on every page, and goes along in the run's file. Press "
            "Enter to save it; an empty name removes it.",
        )
        own = ", for you alone: a starter run belongs to nobody" if view.run.starter else ""
        st.caption(f"Kept with the run{own}.")


def _name(view: View, key: str) -> None:
    """Save what was written, with the score of the hypothesis that is searched for, if this unit was scored."""
    name = str(st.session_state[key]).strip()
    wanted = settings.current()
    hypothesis = REGEX + wanted.pattern if wanted.hypothesis == OWN else wanted.hypothesis
    score, baseline, quantity = _scored(view, hypothesis)
    finding = Finding(
        view.layer,
        view.unit,
        quantity or quantities.chosen(view, wanted.quantity),
        name,
        hypothesis if score is not None else "",
        score,
        baseline,
        view.step,
    )
    try:
        findings.name_unit(view.run, finding)
    except StoreError as error:
        state.note_problem(str(error))


def _scored(view: View, hypothesis: str) -> tuple[float | None, float | None, str]:
    """Score, baseline and state of the unit for a hypothesis, where that search is done; nothing is begun for it."""
    found = jobs.finished(view.loaded, "unit_search", {"hypothesis": hypothesis, "tokens": TOKENS})
    if found is not None:
        for one in found["scores"]:
            if (one["layer"], one["unit"]) == (view.layer, view.unit):
                return one["score"], found["baseline"], one["quantity"]
    return None, None, ""
