"""The page "Gates": the text coloured by a unit, the heatmaps of every gate and state, and one drill-down at a time."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.components.heatmap import chosen as chosen_cell
from playground.components.heatmap import heatmaps
from playground.components.unit_text import chosen as chosen_token
from playground.components.unit_text import unit_text
from playground.inside import Parts, select_in
from playground.inside.view import View
from playground.parts import drill_downs
from playground.text import escape_markdown, visible
from playground.views.gates import claim, controls, downloads, explain, fit, naming
from playground.views.gates.drill_downs import DRILL_DOWNS
from playground.views.gates.panels import panels
from playground.views.gates.settings import settings
from playground.views.gates.text import text

KEYS = (("↑ ↓", "in the heatmaps: the unit above or below, as they are sorted"),)
"""The page's own keys, for the bar's legend."""


def words(view: View) -> None:
    """What stays as it is while a place is chosen: the words beside the picture, and the choice of a drill-down."""
    explain.what_you_see(view)
    drill_downs.selector(DRILL_DOWNS, view, settings)


def draw(views: list[View]) -> None:
    """Of each run the text, coloured by the chosen unit, and the heatmaps of its gates and states."""
    notes = st.container(key="gates-notes")  # always there, so that what follows keeps its place
    fit.fit(views[0])
    for view in views:
        _picture(view, alone=len(views) == 1)
    with notes:
        for note in settings.notes():
            st.caption(f":material/info: {escape_markdown(note)}")


def _picture(view: View, *, alone: bool) -> None:
    letter = view.letter or "A"
    text_key, key = f"gates.text.{view.letter}", f"gates.heatmaps.{view.letter}"
    coloured, drawn = text(view), panels(view)
    if not alone:
        st.markdown(f"**{view.letter}: {escape_markdown(visible(view.run.name))}**, step {view.step:,}")
    with st.container(key=f"gates-text-{letter}"):
        unit_text(coloured, key=text_key, on_choose=lambda: select_in(view, **chosen_token(text_key, coloured)))
    if view.letter in ("", "A"):
        with st.container(key="gates-controls", horizontal=True, vertical_alignment="center"):
            controls.controls(view)
            naming.popover(view)
    with st.container(key=f"gates-heatmaps-{letter}"):
        heatmaps(drawn, key=key, on_choose=lambda: select_in(view, **chosen_cell(key, drawn)))


def details(views: list[View]) -> None:
    """The drill-down that was chosen, and the downloads."""
    chosen = drill_downs.resolve(DRILL_DOWNS, views[0], settings)
    with st.container(key=f"gates-look-{chosen.name}"):
        chosen.panel(views[0])
    downloads.downloads(views[0], chosen)


def needs() -> Callable[[View], None]:
    """What computes all recordings that a view of this page draws, as the settings are now."""
    show = settings.current().show

    def compute(view: View) -> None:
        if show == "sum":
            view.gradient("sum")

    return compute


PARTS = Parts(claim=claim.claim, draw=draw, words=words, details=details, keys=KEYS, needs=needs, passage=True)
