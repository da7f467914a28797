"""The drill-down "Switch off": what breaks when the chosen unit is held at a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from playground import state
from playground.access.losses import loss_in
from playground.charts.units import UNITS
from playground.inside.view import View
from playground.notation import first_index
from playground.text import escape_markdown, number
from playground.views.gates import asked, hypotheses
from playground.views.gates.settings import MOST_VALUE, settings

_STATE = "hidden"


def panel(view: View) -> None:
    """The value, the hypothesis whose places are told apart, the losses, and the text that the model then writes."""
    base = first_index(view.notation)
    st.number_input(
        f"Hold the hidden state of unit {view.unit + base} at (0 switches it off)",
        -MOST_VALUE,
        MOST_VALUE,
        settings.current().held,
        step=0.5,
        width=420,
        **settings.widget("held"),
    )
    name = hypotheses.choose("off")
    if name is None:
        return
    found = asked.result(
        view,
        "ablation",
        hypothesis=name,
        tokens=asked.TOKENS,
        quantity=_STATE,
        layer=view.layer,
        unit=view.unit,
        value=settings.current().held,
    )
    if found is None:
        return
    st.markdown(f"**{escape_markdown(sentence(view, found))}**")
    _losses(view, found)
    _samples(found)


def sentence(view: View, found: Mapping[str, Any]) -> str:
    """Where the loss rises more."""
    inside = found["loss_inside_ablated"] - found["loss_inside"]
    outside = found["loss_outside_ablated"] - found["loss_outside"]
    unit = f"unit {view.unit + first_index(view.notation)}"
    at = settings.current().held
    how = "Without" if at == 0 else f"With the hidden state held at {number(at)} in"
    if max(abs(inside), abs(outside)) < 1e-4:
        return f"{how} {unit} the loss hardly changes: the network does not need it."
    more = "more" if inside > outside else "less"
    return (
        f"{how} {unit} the loss changes by {_signed(inside)} nats per token where it is {found['title']}, "
        f"{more} than the {_signed(outside)} elsewhere."
    )


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{number(value)}"


def _losses(view: View, found: Mapping[str, Any]) -> None:
    unit = state.current().loss
    shown = (("Loss overall", "loss"), (f"Where it is {found['title']}", "loss_inside"), ("Elsewhere", "loss_outside"))
    for column, (title, name) in zip(st.columns(3), shown, strict=True):
        before = loss_in(view.run, found[name], unit)
        after = loss_in(view.run, found[f"{name}_ablated"], unit)
        with column:
            st.metric(
                f"{title} ({UNITS[unit].short})",
                f"{number(before, digits=True)} → {number(after, digits=True)}",
                f"{_signed(after - before)}",
                delta_color="inverse",
            )
    st.caption(
        f"Mean over {found['tokens']:,} predictions of held-out text, {found['inside']:,} of them where the hypothesis "
        "holds."
    )


def _samples(found: Mapping[str, Any]) -> None:
    left, right = st.columns(2, gap="medium")
    for column, title, name in ((left, "As it is", "sample"), (right, "With the unit held", "sample_ablated")):
        with column:
            st.caption(f"{title}: a sample from the same prompt and random numbers")
            st.code(found[name], language=None, wrap_lines=True)
