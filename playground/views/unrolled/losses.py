"""Which loss is meant: the sum of all, or that at one timestep."""

from __future__ import annotations

import streamlit as st

from engine.trace import Target
from playground.inside.view import View
from playground.notation import first_index
from playground.state import link
from playground.views.unrolled.settings import settings


def nearest(view: View, asked: Target) -> Target:
    """The loss that is asked for, or the nearest that this probe has."""
    if asked == "sum":
        return asked
    there = view.trace.nearest_loss(asked)
    return "sum" if there is None else there


def fit(view: View) -> None:
    """Say so where the settings name a loss that this probe does not have."""
    asked = settings.current().of
    found = nearest(view, asked)
    if found == asked or asked == "sum":
        return
    base = first_index(view.notation)
    stands = "the sum stands" if found == "sum" else f"that at t = {found + base} stands"
    where = f"t = {asked + base}{link.zero_based_note('of', asked, base)}"
    settings.correct(f"There is no loss at {where}: no next token is known there; {stands} in.", of=found)


def choose(view: View, of: Target) -> None:
    """The choice between the sum of all losses and the loss at the chosen timestep."""
    base = first_index(view.notation)
    here = view.trace.nearest_loss(view.t)
    options: list[Target] = ["sum", *sorted({time for time in (here, of) if isinstance(time, int)})]
    st.segmented_control(
        "Loss",
        options,
        default=of,
        required=True,
        format_func=lambda time: "the sum" if time == "sum" else f"at t = {time + base}",
        **settings.widget("of"),
        help="Whose gradient flows back: that of all losses, or of one. A click on a loss in the picture chooses it.",
    )
