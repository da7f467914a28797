"""The frame of an inside page: what is looked at is chosen in the sidebar and in the bar, and drawn below.

Only the fragment runs again when a place is chosen in the bar or in a picture, and while a run trains. What stays as it
is then is drawn outside the fragment: the browser takes in every element of a fragment anew, changed or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground import state
from playground.access.losses import loss_in
from playground.charts.units import UNITS
from playground.components.selection_bar import LABELS, Bar, chosen, selection_bar
from playground.frame.fragments import fragment
from playground.frame.presenter import present_inside
from playground.inside.prefetch import Needs, prefetch
from playground.inside.scene import Seen, scene
from playground.inside.sidebar import sidebar
from playground.inside.view import View
from playground.notation import NOTATIONS, first_index
from playground.runs.records import RunNotFoundError, StoreError
from playground.text import escape_markdown, shorten, visible

_BAR, _CAME = "inside.bar", "inside.came"

HEAD_START_SECONDS = 0.4
"""Head start of the picture over all below it and over the sidebar's controls, when a visitor comes."""

Draw = Callable[[list[View]], None]
Words = Callable[[View], None]
Claim = Callable[[list[View]], str]
Keys = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Parts:
    """What an inside page is made of, from top to bottom, but for `needs`. Views stand in order: the chosen run's
    first, then those of the runs it is compared with.

    Attributes:
        claim: one sentence with the views' numbers
        draw: draws the picture, below the selection bar
        words: draws what stays as it is while a place is chosen. It gets the chosen run's view when the whole page was
            drawn: what a button of it starts asks for `chosen_view` anew
        details: draws what changes with the chosen place too, and stands below the words
        keys: keys that the page's own pictures have, with what they do, for the bar's legend
        needs: gives what computes all that the page draws of a view, as it is set now: for the steps beside the one
            that is looked at. It is called on another thread, where nothing of Streamlit is at hand
        passage: whether it shows a few sentences where the visitor has given no input text, rather than a few words
    """

    claim: Claim
    draw: Draw
    words: Words | None = None
    details: Draw | None = None
    keys: Keys = ()
    needs: Callable[[], Needs] | None = None
    passage: bool = False


def frame(parts: Parts) -> None:
    """An inside page, with the sidebar's controls and the selection bar.

    A component that is clicked calls `state.select(...)` in its callback; then the fragment alone runs again.
    """
    now = scene(passage=parts.passage)
    moving, still, below = (st.container(key=f"inside-{part}") for part in ("moving", "words", "below"))
    with moving:
        fragment(_moving_part, key="inside", run_every=now.seen.pace)(now.seen, parts, below)
    _give_the_picture_a_head_start()
    if parts.words is not None and now.views:
        with still:
            parts.words(now.views[0])
    sidebar(now.chosen.run, now.views)


def _give_the_picture_a_head_start() -> None:
    """When a visitor comes, the browser first gets the picture alone.

    What loads late it shows 0.3 s after whatever else began to load at the earliest (React's throttle of Suspense): the
    sidebar's controls, sent at the same moment, would hold the picture back, and would not be there sooner themselves.
    """
    if not st.session_state.get(_CAME):
        st.session_state[_CAME] = True
        time.sleep(HEAD_START_SECONDS)


def _moving_part(seen: Seen, parts: Parts, below: DeltaGenerator) -> None:
    try:
        now = scene(passage=parts.passage)
    except RunNotFoundError:  # deleted elsewhere: the frame around the page says so, and has another stand in
        st.rerun()
    except StoreError as error:  # the store is out of reach for now
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    if now.seen != seen:
        st.rerun()
    present_inside(state.current().present)
    if not now.views:
        st.info(escape_markdown(now.missing), icon=":material/hourglass_empty:")
        return
    view = now.views[0]
    # Each has its place before any is drawn: the picture goes to the browser first, which draws it while the rest is
    # made here.
    line, sentence, bar, notes, picture = (
        st.container(key=f"inside-{part}") for part in ("line", "claim", "bar", "notes", "picture")
    )
    with picture:
        parts.draw(now.views)
    with bar:  # it stays in sight: see `frame.presenter`
        _bar(view, parts)
    with sentence:
        st.subheader(escape_markdown(parts.claim(now.views)), anchor=False)
    with line:
        if len(now.views) == 1:  # else each picture says whose it is, and the space is needed
            st.caption(escape_markdown(_line(view)))
    with notes:
        if now.notes:
            st.caption("  \n".join(f":material/info: {escape_markdown(note)}" for note in now.notes))
    if parts.details is not None:
        _give_the_picture_a_head_start()
        with below:
            parts.details(now.views)
    prefetch(now.views, parts.needs() if parts.needs is not None else None, passage=parts.passage)


def _line(view: View) -> str:
    """The selection in one line, for where the sidebar is folded away."""
    name, probe = shorten(visible(view.run.name), 40), shorten(visible(view.probe.text), 40)
    return f"{name} · step {view.step:,} · “{probe}”"


def _bar(view: View, parts: Parts) -> None:
    selection = state.current()
    unit = selection.loss

    def shown(nats: float | None) -> float | None:
        return nats if nats is None or view.snapshot is None else loss_in(view.snapshot.run, nats, unit)

    bar = Bar(
        steps=view.steps,
        losses=[shown(loss) for loss in view.losses],
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
        loss_unit=UNITS[unit].short,
        measured=[(step, shown(loss) or 0.0) for step, loss in view.measured],
        training=[shown(loss) for loss in view.training_losses],
        unit_names={f"{layer}:{unit}": found.name for (layer, unit), found in view.findings.items()},
        keys=parts.keys,
    )
    selection_bar(bar, key=_BAR, on_choose=lambda: select_in(view, **chosen(_BAR, bar)))


def select_in(view: View, **place: Any) -> None:
    """Look at what was chosen of a view; at the same where nothing was.

    A timestep is one of the text that is read there: on a page whose default is a passage, the text is chosen with it,
    so that the timestep means the same on all pages.
    """
    selection = state.current()
    if not place:
        return
    if "t" in place and not selection.probe and view.passage:
        place = {"probe": view.probe.text, **place}
    state.select(**place)
