"""The page "Unrolled": the picture of each run, the words beside it, and one drill-down at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.components.unrolled import Picture, chosen, unrolled
from playground.inside import Parts
from playground.inside.view import View
from playground.parts import drill_downs
from playground.text import escape_markdown
from playground.views.unrolled import (
    blocks,
    changes,
    downloads,
    explain,
    losses,
    vanishing,
    weight_gradient,
    whatif,
)
from playground.views.unrolled import claim as claims
from playground.views.unrolled.drill_downs import DRILL_DOWNS, select
from playground.views.unrolled.picture import Scales, picture, scales_of
from playground.views.unrolled.settings import settings

KEYS = (("A", "animate both passes"), ("N", "one step forward"), ("B", "one step back"))
"""The picture's own keys, for the bar's legend."""


def claim(views: Sequence[View]) -> str:
    """The sentence at the top: what a change does, if one stands; else what is expected, and how far back its loss's
    gradient reaches."""
    fitted, other = changes.made(views[0])
    if len(views) == 1 and other is not None:
        return changes.effect(views[0], other, fitted)
    return claims.claim(views, settings.current().of)


def words(view: View) -> None:
    """What stays as it is while a place is chosen: the words beside the picture, and the choice of a drill-down."""
    explain.what_you_see(view)
    drill_downs.selector(DRILL_DOWNS, view, settings)


def draw(views: list[View]) -> None:
    """The pictures, and above them what is to be said of the settings; of several, how their gradients fade."""
    notes = st.container(key="unrolled-notes")  # always there, so that what follows keeps its place
    _fit(views[0])
    of = settings.current().of
    scales = None
    if len(views) > 1:
        targets = [(view, losses.nearest(view, of)) for view in views]
        scales = scales_of([view.gradient(one) for view, one in targets], [view.carried(one) for view, one in targets])
    for view in views:
        _picture(view, views, scales)
    with st.container(key="unrolled-fading"):
        if len(views) > 1:
            vanishing.panel(views, of)
    with notes:
        for note in settings.notes():
            st.caption(f":material/info: {escape_markdown(note)}")


def details(views: list[View]) -> None:
    """The drill-down that was chosen, and the downloads."""
    chosen = drill_downs.resolve(DRILL_DOWNS, views[0], settings)
    with st.container(key=f"unrolled-look-{chosen.name}"):
        chosen.panel(views[0])
    downloads.downloads(views[0], chosen)


def needs() -> Callable[[View], None]:
    """What computes all recordings that a view of this page draws, as the settings are now."""
    of = settings.current().of

    def compute(view: View) -> None:
        view.carried(losses.nearest(view, of))
        claims.reach(view, of)

    return compute


def _fit(view: View) -> None:
    """Have the settings fit this network and probe: the nearest stands in for what does not, which is noted."""
    drill_downs.resolve(DRILL_DOWNS, view, settings)
    blocks.fit(view)
    weight_gradient.fit(view)
    whatif.fit(view)
    losses.fit(view)
    changes.correct(view)


# ---------------------------------------------------------------------- the picture


def _picture(view: View, views: Sequence[View], scales: Scales | None) -> None:
    """The network over the probe, with its name and step; losses and changes are those of the chosen run."""
    key, wanted = f"unrolled.picture.{view.letter}", settings.current()
    if view is views[0]:
        fitted, other = changes.made(view)
        drawn = picture(view, wanted.of, other, fitted.changes, scales)
    else:
        explained = set(views[0].run_cell.state_names) >= set(view.run_cell.state_names) and not wanted.changes
        drawn = picture(view, losses.nearest(view, wanted.of), scales=scales, legend=not explained)
    with st.container(key=f"unrolled-picture-{view.letter or 'A'}"):
        unrolled(
            drawn,
            key=key,
            on_choose=lambda: _chosen_in_picture(key, drawn),
            folded=wanted.folded,
            overview=wanted.overview,
            show=explain.just_started() if view is views[0] else 0,
        )


def _chosen_in_picture(key: str, drawn: Picture) -> None:
    values = chosen(key, drawn)
    select(**{axis: values[axis] for axis in ("t", "layer", "unit") if axis in values})
    if "target" in values:
        settings.change(of=values["target"])
    if "folded" in values:
        settings.change(folded=values["folded"])


PARTS = Parts(claim=claim, draw=draw, words=words, details=details, keys=KEYS, needs=needs)
