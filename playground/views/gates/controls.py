"""What the heatmaps show, and in which order: the row of controls above them."""

from __future__ import annotations

import streamlit as st

from playground.inside.view import View
from playground.views.gates import quantities
from playground.views.gates.settings import SHOWN, SORTED, settings


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
