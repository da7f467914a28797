"""The drill-down "Span search": the units that are on in a stretch of the text, and other places where they are on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from playground.inside.view import View
from playground.notation import first_index
from playground.text import escape_markdown, number, visible
from playground.views.gates import asked, quantities
from playground.views.gates.search import look_at
from playground.views.gates.settings import settings

_NEIGHBOURS = 3
_SHOWN = 8
_ALL = 0.999
"""Share of the units from which on all of them are on throughout."""


def span(view: View) -> tuple[int, int]:
    """The stretch that is selected; by default the chosen timestep and its neighbours."""
    wanted = settings.current().span
    if wanted is not None:
        return wanted
    last = view.trace.length - 1
    return max(0, view.t - _NEIGHBOURS), min(last, view.t + _NEIGHBOURS)


def panel(view: View) -> None:
    """The choice of a span, the units that are on there, and the passages."""
    if view.trace.length < 3:
        st.info("The input text is too short to select a part of it: write a longer one in the sidebar.")
        return
    base, selected = first_index(view.notation), span(view)
    names = view.probe.names
    st.select_slider(
        "Span of the input text",
        list(range(view.trace.length)),
        selected,
        format_func=lambda t: f"{t + base} {names[t]}",
        **settings.widget("span", labels=(view.notation, str(selected), view.probe.text)),
    )
    st.caption(f"Selected: “{escape_markdown(visible(''.join(names[selected[0] : selected[1] + 1])))}”")
    memory = quantities.memory(view.cell)
    found = asked.result(
        view,
        "span_search",
        **asked.read(view),
        first=selected[0],
        last=selected[1],
        layer=view.layer,
        state=memory,
        tokens=asked.TOKENS,
    )
    if found is None:
        return
    st.markdown(f"**{escape_markdown(sentence(view, found))}**")
    _units(view, found["units"], memory)
    _passages(found)


def sentence(view: View, found: Mapping[str, Any]) -> str:
    """How many units, and where else."""
    units = found["units"]
    if not units:
        return "No unit is on throughout this span and off around it: select another stretch."
    names = ", ".join(str(one["unit"] + first_index(view.notation)) for one in units)
    are = "unit is" if len(units) == 1 else "units are"
    said = f"{len(units)} {are} on in this span and off around it: {names}"
    whole = sum(one["share"] >= _ALL for one in found["passages"])
    read = f"{found['tokens']:,} tokens"
    if whole:
        most = " or more" if whole == len(found["passages"]) else ""
        places = "place" if whole == 1 and not most else "places"
        return f"{said}. All of them are on together in {whole}{most} {places} of {read}."
    if found["passages"]:
        best = number(100 * found["passages"][0]["share"])
        return f"{said}. In the place of {read} that is most alike, {best}% of them are on."
    return f"{said}. Nowhere else in {read} are they on."


def _units(view: View, units: Sequence[Mapping[str, Any]], memory: str) -> None:
    base = first_index(view.notation)
    with st.container(horizontal=True):
        for one in units:
            st.button(
                f"Unit {one['unit'] + base}",
                key=f"gates.spans.{one['unit']}",
                help=f"{'High' if one['sign'] > 0 else 'Low'} in the span, by {number(one['contrast'])} standard "
                "deviations against around it.",
                on_click=look_at,
                args=({"layer": view.layer, "unit": one["unit"], "quantity": memory},),
            )


def _passages(found: Mapping[str, Any]) -> None:
    """The best passages, one below the other, with the place itself in bold."""
    for one in found["passages"][:_SHOWN]:
        before, inside, after = (_text(one[part]) for part in ("before", "inside", "after"))
        part = "held-out text" if one["first"] < found["held_out"] else "training text"
        st.markdown(
            f"…{before}:orange-background[{inside}]{after}…  \n:gray[{number(100 * one['share'])}% of the units "
            f"on, {part}, token {one['first'] + 1:,}]"
        )


def _text(pieces: Sequence[str]) -> str:
    gap = " " if any(len(piece) > 1 for piece in pieces) else ""
    return escape_markdown(visible(gap.join(pieces), spaces=False).replace("⏎", " "))
