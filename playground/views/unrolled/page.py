"""The page "Unrolled": the picture of each run, the words beside it, and one drill-down at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from engine.trace import Target, Trace
from playground import state
from playground.components import arithmetic as arithmetic_component
from playground.components import cell_flow as cell_component
from playground.components.shapes import shape_gallery
from playground.components.unrolled import said, unrolled
from playground.inside import Parts
from playground.inside.view import View
from playground.parts import drill_downs
from playground.text import escape_markdown
from playground.views.unrolled import (
    activations,
    blocks,
    changes,
    downloads,
    explain,
    losses,
    settings,
    weight_shares,
    whatif,
)
from playground.views.unrolled import claim as claims
from playground.views.unrolled.arithmetic import arithmetic
from playground.views.unrolled.cell_flow import cell_flow
from playground.views.unrolled.changes import Fitted
from playground.views.unrolled.picture import picture
from playground.views.unrolled.shapes import shapes

KEYS = (("A", "animate both passes"), ("N", "one single step on"), ("B", "one single step back"))
"""The picture's own keys, for the bar's legend."""


@dataclass(frozen=True)
class _Scene:
    """What is drawn of the chosen run, beside its view."""

    of: Target
    fitted: Fitted
    other: Trace | None


def claim(views: Sequence[View]) -> str:
    """The sentence at the top: what a change does, if one stands; else what is expected and how far a loss is felt."""
    view = views[0]
    fitted = changes.fit(view, settings.current())
    if len(views) == 1 and (fitted.changes or fitted.tokens):
        return changes.effect(view, changes.applied(view, fitted), fitted)
    return claims.claim(views, settings.current().of)


def words(view: View) -> None:
    """What stays as it is while a place is chosen: the words beside the picture, and the choice of a drill-down."""
    explain.what_you_see(view)
    drill_downs.choose(settings.LOOKS, settings.current().look, key=settings.key("look"), on_change=settings.edit)


def draw(views: list[View]) -> None:
    """The pictures, and above them what is to be said of the settings."""
    notes = st.container(key="unrolled-notes")  # always there, so that what follows keeps its place
    scene = _fitted(views[0])
    for view in views:
        _picture(view, scene)
    with notes:
        for sentence in settings.said_now():
            st.caption(f":material/info: {escape_markdown(sentence)}")


def closer(views: list[View]) -> None:
    """The drill-down that was chosen, and the downloads."""
    scene = _fitted(views[0])
    _look_closer(views[0], scene)
    downloads.downloads(views[0], scene.of, scene.fitted, scene.other)


def needs() -> Callable[[View], None]:
    """What computes all recordings that a view of this page draws, as the settings are now."""
    of = settings.current().of

    def compute(view: View) -> None:
        view.gradient(losses.nearest(view, of))
        claims.reach(view, of)

    return compute


def _fitted(view: View) -> _Scene:
    """The settings as far as they fit this network and probe; what does not is said."""
    blocks.fit(view)
    weight_shares.fit(view)
    whatif.fit(view)
    of = losses.fit(view, settings.current().of)
    fitted = changes.fit(view, settings.current())
    if fitted.problems:
        settings.refuse(*fitted.problems, changes=fitted.changes, tokens=fitted.tokens)
    return _Scene(of, fitted, changes.applied(view, fitted) if fitted.changes or fitted.tokens else None)


# ---------------------------------------------------------------------- the picture


def _picture(view: View, scene: _Scene) -> None:
    """The network over the probe, with its name and step; losses and changes are those of the chosen run."""
    chosen = view.letter in ("", "A")
    key = f"unrolled.picture.{view.letter}"
    drawn = picture(
        view,
        scene.of if chosen else losses.nearest(view, scene.of),
        scene.other if chosen else None,
        scene.fitted.changes if chosen else (),
    )
    with st.container(key=f"unrolled-picture-{view.letter or 'A'}"):
        unrolled(drawn, key=key, on_choose=lambda: _chosen_in_picture(key), folded=settings.current().folded)


def _chosen_in_picture(key: str) -> None:
    word = said(key)
    if word is None:
        return
    place = {name: value for name in ("t", "layer", "unit") if (value := getattr(word, name)) is not None}
    _select(**place)
    if word.target is not None:
        settings.change(of=word.target)
    if word.folded is not None:
        settings.change(folded=word.folded)


# ---------------------------------------------------------------------- drill-downs


def _look_closer(view: View, scene: _Scene) -> None:
    """The drill-down that was chosen; no other is computed."""
    look = settings.current().look
    with st.container(key=f"unrolled-look-{look}"):
        if look == "arithmetic":
            _arithmetic(view)
        elif look == "cell":
            _cell(view)
        elif look == "activations":
            activations.panel(view)
        elif look == "shares":
            weight_shares.panel(view, scene.of)
        elif look == "whatif":
            whatif.panel(view, scene.fitted, scene.other)
        else:
            shape_gallery(shapes(view), key="unrolled.shapes")


def _arithmetic(view: View) -> None:
    key, data = "unrolled.arithmetic", arithmetic(view)
    arithmetic_component.arithmetic_panel(
        data, key=key, on_choose=lambda: _select(**arithmetic_component.told(key, data))
    )


def _cell(view: View) -> None:
    key, flow = "unrolled.cell", cell_flow(view)
    cell_component.cell_flow_panel(flow, key=key, on_choose=lambda: _select(**cell_component.told(key, flow)))


def _select(**place: int) -> None:
    if place:
        state.select(**place)


PARTS = Parts(claim=claim, draw=draw, words=words, closer=closer, keys=KEYS, needs=needs)
