"""The drill-downs below the text. One at a time, so that what is not looked at is not computed."""

from __future__ import annotations

import pyarrow as pa
import streamlit as st

from playground.access.writing import Job
from playground.charts.surprise import surprise_frame, surprise_spec
from playground.parts import drill_downs
from playground.text import visible
from playground.views.generate import film, likelihood, sentences, settings
from playground.views.generate.session import Writer


def choose(writers: list[Writer]) -> None:
    """The choice of a drill-down, and the one that was chosen."""
    wanted = settings.current().look
    drill_downs.choose(settings.LOOKS, wanted, key=settings.key("look"), on_change=settings.edit)
    with st.container(key=f"generate-look-{wanted}"):
        if wanted == "steps":
            film.panel(writers[0])
        elif wanted == "likely":
            likelihood.panel(writers[0])
        elif wanted == "sentences":
            sentences.panel(writers)
        else:
            _along(writers[0])


def _along(writer: Writer) -> None:
    job = writer.job
    if job.active or not job.written:
        st.caption("The chart comes when the text is written.")
        return
    st.vega_lite_chart(along(job), surprise_spec(), key="generate.along")


def along(job: Job) -> pa.Table:
    """The rows of the chart of surprise along a text."""
    names = [visible(piece.strip(" ") or piece, spaces=True) for piece in job.pieces[: job.written]]
    return pa.Table.from_pandas(surprise_frame(bits=job.bits()[: len(names)], names=names), preserve_index=False)
