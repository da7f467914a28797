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

_HARDLY = 1e-4
"""A change of the loss that is not worth speaking of."""


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
    _metrics(view, found)
    _samples(found)


def sentence(view: View, found: Mapping[str, Any]) -> str:
    """Where the loss rises more."""
    rises = {part: after - before for part, (before, after) in _losses(view, found).items()}
    inside, outside = rises["loss_inside"], rises["loss_outside"]
    unit = f"unit {view.unit + first_index(view.notation)}"
    at = settings.current().held
    how = f"Without {unit}" if at == 0 else f"With {unit} held at {number(at)}"
    if max(abs(inside), abs(outside)) < _HARDLY:
        return f"{how} the loss hardly changes: the network does not need it."
    more = "more" if inside > outside else "less"
    measure = UNITS[state.current().loss].short
    return (
        f"{how} the loss changes by {_signed(inside)} {measure} {found['where']}, {more} than elsewhere "
        f"({_signed(outside)} {measure})."
    )


def _losses(view: View, found: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Each loss as the model is and with the unit held, in the unit of the loss that is chosen."""
    unit = state.current().loss
    return {
        name: (loss_in(view.run, found[name], unit), loss_in(view.run, found[f"{name}_ablated"], unit))
        for name in ("loss", "loss_inside", "loss_outside")
    }


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{number(value)}"


def _metrics(view: View, found: Mapping[str, Any]) -> None:
    where = found["where"]
    titles = {"loss": "Loss overall", "loss_inside": f"Loss {where}", "loss_outside": "Loss elsewhere"}
    measure = UNITS[state.current().loss].short
    for column, (name, (before, after)) in zip(st.columns(3), _losses(view, found).items(), strict=True):
        with column:
            st.metric(
                f"{titles[name]} ({measure})",
                f"{number(before, digits=True)} → {number(after, digits=True)}",
                _signed(after - before),
                delta_color="inverse",
            )
    st.caption(f"Mean over {found['tokens']:,} predictions of held-out text, {found['inside']:,} of them {where}.")


def _samples(found: Mapping[str, Any]) -> None:
    left, right = st.columns(2, gap="medium")
    for column, title, name in ((left, "As it is", "sample"), (right, "With the unit held", "sample_ablated")):
        with column:
            st.caption(f"{title}: a sample from the same prompt and random numbers")
            st.code(found[name], language=None, wrap_lines=True)
