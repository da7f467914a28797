"""What the heatmaps show, and in which order: the row of controls above them."""

from __future__ import annotations

from collections.abc import Mapping

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
    titles = {name: f"{quantities.named(view, name)} ({quantities.in_words(view, name)})" for name in names}
    _list("quantity", "Colour and sort by", titles, quantity, 190, view.notation, view.cell.name, quantity)
    _list("show", "Heatmaps show", SHOWN, wanted.show, 180)
    _list("sort", "Order of units", SORTED, wanted.sort, 135)
    st.toggle("Pre-activations", wanted.sums, **settings.widget("sums"))
    _pin(view)


def _list(name: str, title: str, options: Mapping[str, str], chosen: str, width: int, *labels: str) -> None:
    """The list from which a setting is chosen; `options` has what each is called."""
    st.selectbox(
        title,
        list(options),
        list(options).index(chosen) if chosen in options else 0,
        format_func=lambda one: options[one],
        width=width,
        **settings.widget(name, labels=labels),
    )


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
