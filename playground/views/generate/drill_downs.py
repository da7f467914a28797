"""The drill-downs below the text."""

from __future__ import annotations

import pyarrow as pa
import streamlit as st

from playground.access.writing import WritingJob
from playground.charts.surprise import surprise_frame, surprise_spec
from playground.frame.charts import draw_chart
from playground.parts import drill_downs
from playground.parts.drill_downs import DrillDown
from playground.text import visible
from playground.views.generate import film, likelihood, sentences
from playground.views.generate.session import Writer
from playground.views.generate.settings import settings


def choose(writers: list[Writer]) -> None:
    """The choice of a drill-down, and the one that was chosen."""
    drill_downs.selector(DRILL_DOWNS, writers, settings)
    chosen = drill_downs.resolve(DRILL_DOWNS, writers, settings)
    with st.container(key=f"generate-look-{chosen.name}"):
        chosen.panel(writers)


def _along(writers: list[Writer]) -> None:
    job = writers[0].job
    if job.active or not job.written:
        st.caption("The chart appears when the text is finished.")
        return
    draw_chart(along(job), surprise_spec(), key="generate.along")


def along(job: WritingJob) -> pa.Table:
    """The rows of the chart of surprise along a text."""
    names = [visible(piece.strip(" ") or piece, spaces=True) for piece in job.pieces[: job.written]]
    return pa.Table.from_pandas(surprise_frame(bits=job.bits()[: len(names)], names=names), preserve_index=False)


DRILL_DOWNS: tuple[DrillDown[list[Writer]], ...] = (
    DrillDown("steps", "Through training", lambda writers: film.panel(writers[0])),
    DrillDown("along", "Surprisal along the text", _along),
    DrillDown("likely", "How likely is a text?", lambda writers: likelihood.panel(writers[0])),
    DrillDown("sentences", "Compare two sentences", sentences.panel),
)
