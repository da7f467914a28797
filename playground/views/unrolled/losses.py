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
    instead = "the sum of all losses" if found == "sum" else f"the loss at t = {found + base}"
    where = f"t = {asked + base}{link.zero_based_note('of', asked, base)}"
    settings.correct(f"There is no loss at {where}, as its next token is unknown: {instead} is used.", of=found)


def choose(view: View, of: Target) -> None:
    """The choice between the sum of all losses and the loss at the chosen timestep."""
    base = first_index(view.notation)
    here = view.trace.nearest_loss(view.t)
    options: list[Target] = ["sum", *sorted({time for time in (here, of) if isinstance(time, int)})]

    def says(time: Target) -> str:
        return "all losses" if time == "sum" else f"at t = {time + base}"

    st.segmented_control(
        "Loss",
        options,
        default=of,
        required=True,
        format_func=says,
        **settings.widget("of", labels=(says(of),)),
        help="The loss to backpropagate: the sum over all timesteps, or the loss at one. Click a loss in the picture "
        "to select it.",
    )
