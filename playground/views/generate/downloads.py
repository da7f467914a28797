"""What can be taken away: the text, its tokens, its charts; and the same text from the shell."""

from __future__ import annotations

import shlex

import pandas as pd
import streamlit as st

from engine.config import ConfigError
from playground import theme
from playground.access.writing import WritingJob
from playground.charts.export import export
from playground.charts.next_token import next_token_spec
from playground.charts.surprise import surprise_spec
from playground.parts.downloads import ChartFile, chart_buttons, file_button
from playground.views.generate import distribution, drill_downs
from playground.views.generate.session import Writer
from playground.views.generate.settings import settings


def downloads(writer: Writer) -> None:
    """Files of what is on the page, made when they are asked for; and how to write the same elsewhere."""
    job, name = writer.job, f"{writer.loaded.run.id}-{writer.loaded.step}"
    with (
        st.container(horizontal=True),
        st.popover("Download", icon=":material/download:", disabled=job.active or not job.written),
    ):
        st.caption("Text and tokens")
        with st.container(horizontal=True):
            file_button("TXT", lambda: (job.prompt + job.text()).encode(), f"{name}.txt", page="generate")
            file_button("CSV", lambda: export({}, token_rows(job), "csv"), f"{name}-tokens.csv", page="generate")
        for chart in _charts(writer):
            chart_buttons(chart, name, page="generate")
    with st.expander("Show the code: the same text from the command line", icon=":material/terminal:"):
        st.caption("For a run saved with `python -m engine train --save my-run`. The same seed gives the same text.")
        st.code(command(writer), language="bash", wrap_lines=True)
        if job.request.forced:
            st.caption("The text above also has tokens that you replaced, which only this page can do.")
        st.caption(
            "On the Runs page, *Code and weights* exports the model as a file; `python model.py` takes the same "
            "options and always generates the full length."
        )


def token_rows(job: WritingJob) -> pd.DataFrame:
    """One row for each token: position from 1, text, surprisal in bits, sampling probability, whether replaced."""
    count = job.written
    forced = dict(job.request.forced)
    return pd.DataFrame(
        {
            "position": range(1, count + 1),
            "text": job.pieces[:count],
            "bits": job.bits()[:count],
            "sampling_probability": job.chances[:count],
            "replaced": [place in forced for place in range(count)],
        }
    )


def command(writer: Writer) -> str:
    """The shell command that writes the text of a writer, as far as nothing was put into it."""
    request = writer.job.request
    prompt = shlex.quote(request.prompt)  # whole, however long: of another prompt it would be another text
    parts = ["python -m engine sample my-run", f"--step {writer.loaded.step}", f"--prompt {prompt}"]
    parts += [f"--length {request.length}", f"--temperature {request.temperature:g}", f"--seed {request.seed}"]
    parts += [f"--top-k {request.top_k}"] if request.top_k else []
    parts += [f"--top-p {request.top_p:g}"] if request.top_p < 1 else []
    parts += ["--until-line-end"] if writer.loaded.vocabulary.end is not None and not request.past_end else []
    return " ".join(parts)


def _charts(writer: Writer) -> list[ChartFile]:
    job, place = writer.job, settings.current().place
    charts = [
        ChartFile("Surprisal along the text", "surprise", surprise_spec(), lambda: drill_downs.along(job).to_pandas())
    ]
    if 0 <= place < job.written:
        spec = next_token_spec(theme.family_color(writer.loaded.run.config.model.cell))
        charts.append(
            ChartFile("Next-token distribution", f"next-{place + 1}", spec, lambda: _next_frame(writer, place))
        )
    return charts


def _next_frame(writer: Writer, place: int) -> pd.DataFrame:
    try:
        found = distribution.at(writer.loaded, writer.job, place)
    except ConfigError:
        return pd.DataFrame()  # said on the page, where the chart would be
    return distribution.frame_of(found, writer.loaded.vocabulary)
