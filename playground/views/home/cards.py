"""What Home is made of: a starter run as a film, a first training, and a card for every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from engine.analysis import activity
from playground import state
from playground.access.losses import loss_in
from playground.access.runs import DEFAULT_RUN, snapshot_of, watched
from playground.charts.fading import VANISHED, Curve, fading_frame, fading_spec
from playground.charts.spark import spark
from playground.charts.units import DEFAULT_UNIT, UNITS
from playground.components.heatmap import Axis
from playground.components.samples import sample_film
from playground.components.unit_text import Line, UnitText, unit_text
from playground.frame import navigation
from playground.frame.charts import draw_chart
from playground.inside.view import look
from playground.parts import launch, lessons
from playground.parts.samples import sample_rows
from playground.state import draft as drafts
from playground.text import escape_markdown, number

_FIRST = "first-words"
_CARDS_BESIDE = 2
"""Cards in a row; on a phone each has its own."""

_COMPARED = ("tales-lstm", "tales-gru", "tales-rnn")
_FADING_HEIGHT = 170
_TRACKED = 100
"""Characters of the text on the card of Gates."""


def film_of_a_starter_run() -> None:
    """A claim with the starter run's numbers, and its samples from noise to sentences."""
    snapshot = watched(DEFAULT_RUN)[0]
    rows = sample_rows(snapshot)
    run = snapshot.run
    st.markdown(
        escape_markdown(
            f"Training {run.parameters or 0:,} parameters for {run.step:,} steps cut the validation loss from "
            f"{number(run.bits(snapshot.evaluations[0].val_loss) or 0.0)} to {number(run.bits(run.best_loss) or 0.0)} "
            "bits per character. Below: samples from this character model during training."
        )
    )
    sample_film(rows, prompt=snapshot.samples[-1].prompt, key="home.film")


def first_training() -> None:
    """One button that starts a training of the visitor's own and goes to watch it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Train your own", type="primary", icon=":material/play_arrow:", key="home.train"):
            drafts.keep(drafts.from_preset(_FIRST))
            launch.start()
            navigation.go_to("train")
        st.caption(
            "Trains an LSTM on short stories; the first words appear within seconds. You can change every setting."
        )


def pages() -> None:
    """A card for every other page, with a real picture of what it shows."""
    st.subheader("Explore")
    others = [page for page in navigation.PAGES if page.name != navigation.HOME]
    for first in range(0, len(others), _CARDS_BESIDE):
        row = others[first : first + _CARDS_BESIDE]  # a last card that is alone takes the whole row
        for place, page in zip(st.columns(len(row)), row, strict=True):
            with place, st.container(border=True, height="stretch"):
                navigation.link(page.name, f"**{page.title}**")
                if picture := _PICTURES.get(page.name):
                    picture()
                st.caption(page.about)


@st.cache_resource(max_entries=64, show_spinner=False)
def _line(run_id: str, version: int, what: str) -> dict[str, Any]:
    """A spark line of a run as it stood at that version, as a Vega-Lite specification: making one takes a while."""
    snapshot = watched(run_id)[0]
    cell = snapshot.run.config.model.cell
    losses = snapshot.evaluations_frame["val_loss"]
    unit = UNITS["perplexity" if what == "perplexity" else DEFAULT_UNIT]
    values = [loss_in(snapshot.run, loss, unit.key) for loss in losses]
    words = {"before": unit.name} if unit.key == "perplexity" else {"unit": unit.short}
    return spark(values=values, cell=cell, name=unit.name, **words).to_dict()


def _spark(run_id: str, what: str = "loss") -> None:
    run = watched(run_id)[0].run
    draw_chart(None, _line(run.id, run.version, what), key=f"home.spark.{what}.{run.id}")


def _train() -> None:
    run = watched(state.current().run)[0].run
    draw_chart(None, _line(run.id, run.version, "loss"), key="home.spark")


def _unrolled() -> None:
    """How a loss's gradient vanishes in two untrained networks, and the way to the lesson on it."""
    rows, last = _fading()
    draw_chart(rows, fading_spec(VANISHED, _FADING_HEIGHT), key="home.fading")
    if st.button(lessons.VANISHING_TITLE, icon=":material/science:", key="home.vanishing"):
        lessons.ask(lessons.VANISHING)
        # What the lesson sets up on the text that the runs are shown with; on another the page itself mends the link.
        compared = f"{lessons.LONG},{lessons.SHORT}"
        selected = state.link_of(run=lessons.LONG, step=0, compare=compared, t=last, layer=state.LAST, unit=0)
        navigation.go_to("unrolled", selected | {"of": str(last), "overview": "1"})


@st.cache_resource(max_entries=1, show_spinner=False)
def _fading() -> tuple[pd.DataFrame, int]:
    """What is left of the gradient of two untrained starter runs' last loss, from its timestep back to the first; and
    that timestep."""
    curves, last = [], None
    for run_id in (lessons.LONG, lessons.SHORT):
        view = look(snapshot_of(run_id), state.Selection(run=run_id, step=0))
        last = view.trace.nearest_loss(view.trace.length - 1)
        if last is not None:
            trace = view.gradient(last)
            name = view.run_cell.title
            shares = activity.fading(trace).tolist()
            curves.append(Curve(name, view.run_cell.name, shares, activity.reach(trace, VANISHED)))
    return fading_frame(curves), last or 0


def _runs() -> None:
    for place, run_id in zip(st.columns(len(_COMPARED)), _COMPARED, strict=True):
        with place:
            _spark(run_id)


def _generate() -> None:
    _spark(DEFAULT_RUN, "perplexity")


def _gates() -> None:
    """A text, coloured by a unit that was found to track quotations."""
    if (drawn := _tracked()) is not None:
        unit_text(drawn, key="home.gates")


@st.cache_resource(max_entries=1, show_spinner=False)
def _tracked() -> UnitText | None:
    """The starter run's passage, by the first of its units that has a name."""
    snapshot = snapshot_of(DEFAULT_RUN)
    findings = {finding.place: finding for finding in snapshot.findings}
    view = look(snapshot, state.Selection(run=DEFAULT_RUN), passage=True, findings=findings)
    if view.finding is None:
        return None
    quantity, name = view.finding.quantity, view.finding.name
    length = min(_TRACKED, view.trace.length)
    values = view.trace[quantity][view.layer, :length, view.unit]
    return UnitText(
        pieces=list(view.probe.text[:length]),
        tokens=Axis("timestep", length, "t", first=1, form="t = {}", texts=view.probe.names[:length]),
        lines=[Line(f"unit {view.unit + 1}", f"{name}: {quantity} state", values, gate=False)],
        units=view.trace.units,
        about=f"A text, coloured by a unit that tracks what is {name}.",
        file="tracked",
    )


_PICTURES: Mapping[str, Callable[[], None]] = {
    "train": _train,
    "runs": _runs,
    "unrolled": _unrolled,
    "gates": _gates,
    "generate": _generate,
}
"""The picture of each page's card, by the page's name; a page may have none."""
