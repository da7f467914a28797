"""What the heatmaps show, and in which order: the row of controls above them."""

from __future__ import annotations

import streamlit as st

from playground.inside.view import View
from playground.notation import first_index
from playground.views.gates import quantities
from playground.views.gates.settings import MOST_UNITS, SHOWN, SORTED, settings


def controls(view: View) -> None:
    """The quantity that colours the text; values or gradients; the order of the units; weighted sums."""
    wanted = settings.current()
    names = quantities.shown(view, wanted.sums)
    quantity = quantities.chosen(view, wanted.quantity)
    st.selectbox(
        "Colour and sort by",
        names,
        names.index(quantity) if quantity in names else 0,
        format_func=lambda name: f"{quantities.named(view, name)} ({quantities.in_words(view, name)})",
        width=230,
        **settings.widget("quantity", labels=(view.notation, view.cell.name, quantity)),
    )
    st.selectbox(
        "Heatmaps show",
        list(SHOWN),
        list(SHOWN).index(wanted.show),
        format_func=lambda name: SHOWN[name],
        width=230,
        **settings.widget("show"),
    )
    st.selectbox(
        "Order of units",
        list(SORTED),
        list(SORTED).index(wanted.sort),
        format_func=lambda name: SORTED[name],
        width=150,
        **settings.widget("sort"),
    )
    st.toggle("Pre-activations", wanted.sums, **settings.widget("sums"))
    _pin(view)


def _pin(view: View) -> None:
    """A button that keeps the chosen unit in sight while others are chosen."""
    pinned, unit = settings.current().units, view.unit
    there = unit in pinned
    st.button(
        f"{'Unpin' if there else 'Pin'} unit {unit + first_index(view.notation)}",
        icon=":material/keep_off:" if there else ":material/keep:",
        key="gates.pin",
        disabled=not there and len(pinned) >= MOST_UNITS,
        help=f"Pinned units, up to {MOST_UNITS}, stay below the text as bands of their own, and in the chart of lines.",
        on_click=_toggle_pin,
        args=(unit,),
    )


def _toggle_pin(unit: int) -> None:
    pinned = settings.current().units
    settings.change(units=tuple(one for one in pinned if one != unit) if unit in pinned else (*pinned, unit))
