"""The words below the picture: experiments that start with one click, and what one sees, in the chosen notation."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground import notation
from playground.inside.view import View
from playground.state import link
from playground.views.gates import quantities
from playground.views.gates.settings import settings


def what_you_see(view: View) -> None:
    """Experiments that start with one click; what the pictures show, and how the state is kept, as an equation."""
    with st.container(key="gates-try"):
        _experiments(view)
    words, formulas = st.columns([0.6, 0.4], gap="large", vertical_alignment="center")
    with words:
        st.caption(_words(view))
    with formulas:
        st.latex(equation(view))
        note = notation.course_note(view.run_cell, view.notation, bias=view.model.config.bias)
        if note:
            st.caption(f":material/info: {note}")


def _words(view: View) -> str:
    if not quantities.gates(view.cell):
        return (
            f"**What you see:** {view.cell.title} has no gates, so its hidden state stands alone: a row for each unit, "
            "a column for each token. The whole state is computed anew at every timestep, and what a unit holds now is "
            "soon overwritten. Compare it with an LSTM or a GRU in the sidebar."
        )
    return (
        "**What you see:** a panel for each gate and state, with a row for each unit and a column for each token. A "
        "gate near 1 is open, near 0 closed. A unit whose forget gate stays open (or whose update gate stays closed) "
        "keeps what it holds: it can *remember* that a quotation has begun. The text above is coloured by the chosen "
        "unit. Select a cell, or go through the units with the arrow keys."
    )


def equation(view: View) -> str:
    """How the cell's state follows from the last, in the notation."""
    kept = quantities.memory(view.cell)
    written = notation.formulas(view.cell, view.notation, bias=view.model.config.bias)
    return next(formula.latex for formula in written if formula.left == kept)


def _experiments(view: View) -> None:
    first, second, third = st.columns(3, gap="medium")
    with first:
        _try(
            "quotes",
            "Find the unit for quotation marks",
            "All units are ranked by how well they tell the inside of a quotation from the outside.",
            lambda: _set_up(look="search", hypothesis="quotes"),
        )
    with second:
        _try(
            "off",
            "Switch the unit off",
            "Holds the chosen unit at 0. Where does the loss rise, and what becomes of the sampled text?",
            lambda: _set_up(look="off"),
        )
    with third:
        _try(
            "saturation",
            "Watch gates saturate during training",
            "Gates start half open. Which of them learn to stay closed, or open, and when?",
            lambda: _set_up(look="saturation"),
        )


def _try(name: str, label: str, look_for: str, act: Callable[[], None]) -> None:
    """A button that sets an experiment up, and what to look for in it."""
    with st.container(gap="xsmall"):
        st.button(label, icon=":material/science:", key=f"gates.try.{name}", on_click=act)
        st.caption(look_for)


def _set_up(**asked: str) -> None:
    """An experiment is one place in the browser's history."""
    with link.one_change():
        settings.change(renew=True, **asked)
