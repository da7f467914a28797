"""The frame of an inside page: what is looked at is chosen in the sidebar and in the bar, and drawn below.

Only the fragment runs again when a place is chosen in the bar or in a picture, and while a run trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground import frame as page_frame
from playground import state
from playground.components.selection_bar import LABELS, Bar, selection_bar, told
from playground.inside.scene import Seen, scene
from playground.inside.sidebar import sidebar
from playground.inside.view import View
from playground.notation import NOTATIONS, first_index
from playground.runs.records import RunNotFoundError, StoreError
from playground.text import escape_markdown, shorten, visible

_BAR = "inside.bar"

Draw = Callable[[list[View]], None]
Claim = Callable[[list[View]], str]
Keys = Sequence[tuple[str, str]]


def frame(draw: Draw, claim: Claim | None = None, keys: Keys = ()) -> None:
    """An inside page: the sidebar's controls, and one fragment with the claim, the selection bar and the picture.

    A component that is clicked calls `state.select(...)` in its callback; then the fragment alone runs again.

    Args:
        draw: draws the views: the chosen run first, then those it is compared with
        claim: one sentence with the views' numbers, for the top of the page
        keys: keys that the page's own pictures have, with what they do, for the bar's legend
    """
    now = scene()
    sidebar(now.chosen.run, now.views)
    with st.container(key="inside"):  # a fragment's place on the page must not move between two runs of the script
        st.fragment(_moving_part, run_every=now.seen.pace)(now.seen, draw, claim, keys)


def _moving_part(seen: Seen, draw: Draw, claim: Claim | None, keys: Keys) -> None:
    try:
        now = scene()
    except RunNotFoundError:  # deleted elsewhere: the frame around the page says so, and has another stand in
        st.rerun()
    except StoreError as error:  # the store is out of reach for now
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    if now.seen != seen:
        st.rerun()
    page_frame.present(state.current().present)
    if not now.views:
        st.info(escape_markdown(now.missing), icon=":material/hourglass_empty:")
        return
    view = now.views[0]
    with st.container(key="inside-line"):
        st.caption(escape_markdown(_line(view)))
    if claim is not None:
        st.subheader(escape_markdown(claim(now.views)), anchor=False)
    _bar(view, keys)
    with st.container(key="inside-notes"):  # always there, so that what follows keeps its place
        if now.notes:
            st.caption("  \n".join(f":material/info: {escape_markdown(note)}" for note in now.notes))
    draw(now.views)


def _line(view: View) -> str:
    """The selection in one line, for where the sidebar is folded away."""
    name, probe = shorten(visible(view.run.name), 40), shorten(visible(view.probe.text), 40)
    return f"{name} · step {view.step:,} · “{probe}”"


def _bar(view: View, keys: Keys) -> None:
    selection = state.current()
    bar = Bar(
        steps=view.steps,
        losses=view.losses,
        step=view.step,
        newest=selection.step == state.NEWEST,
        live=view.run.active,
        t=view.t,
        names=view.probe.names,
        first=first_index(view.notation),
        layer=view.layer,
        layers=view.trace.layers,
        unit=view.unit,
        units=view.trace.units,
        labels=LABELS[view.notation],
        present=selection.present,
        notations=(NOTATIONS, view.notation),
        measured=view.measured,
        training=view.training_losses,
        keys=keys,
    )
    with st.container(key="inside-bar"):  # it stays in sight: see `frame.present`
        selection_bar(bar, key=_BAR, on_choose=lambda: _chosen(bar))


def _chosen(bar: Bar) -> None:
    chosen = told(_BAR, bar)
    if chosen:
        state.select(**chosen)
