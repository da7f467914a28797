"""Two to four runs side by side: their losses in one chart, their scores, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import streamlit as st

from playground import state
from playground.charts.frames import LiveRun, loss_frame
from playground.charts.live import loss_spec
from playground.charts.units import UNITS
from playground.frame import services
from playground.frame.charts import draw_chart
from playground.frame.fragments import fragment
from playground.parts import text_facts
from playground.parts.chart_axes import choose_axes
from playground.runs.reader import Snapshot
from playground.runs.records import Run, StoreError
from playground.text import escape_markdown, shorten, visible
from playground.theme import RUN_LETTERS
from playground.views.runs.differences import Line, differing_settings, scores
from playground.views.runs.ticks import comparable

_INTERVAL = 1.0


def comparison(runs: Sequence[Run]) -> None:
    """The comparison of the ticked runs, where their number is one to compare."""
    if not comparable(len(runs)):
        return
    st.subheader("Comparison", anchor=False)
    ids = tuple(run.id for run in runs)
    fragment(_live_part, key="compare", run_every=_INTERVAL if any(run.active for run in runs) else None)(ids)


def _live_part(ids: Sequence[str]) -> None:
    try:
        snapshots = [services.reader().snapshot(run, watch=False) for run in ids]
    except StoreError as error:  # deleted in another tab
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    selection = state.current()
    runs = [snapshot.run for snapshot in snapshots]
    units = units_in_common(runs)
    unit = selection.loss if selection.loss in units else units[0]
    moment = tuple((run.id, run.version, run.name) for run in runs)
    draw_chart(
        _loss_table(moment, unit, selection.x, tuple(snapshots)),
        loss_spec(unit, selection.x),
        key=f"compare.loss.{unit}.{selection.x}.{'.'.join(ids)}",
        on_select="rerun",
        selection_mode="zoom",
    )
    choose_axes(selection, units)
    with st.container():
        if len({run.config.data.corpus for run in runs}) > 1:
            st.caption("These runs were trained on different texts: a lower loss may only mean an easier text.")
        elif len({run.config.data.level for run in runs}) > 1:
            st.caption("Character models and word models are compared in bits per character of the whole text.")
        for run in runs:
            said = text_facts.WITHOUT_FACTS if run.per_character is None and run.best_loss is not None else ""
            if run.text_facts is not None:
                said = text_facts.how_bits_are_counted(run.text_facts)
            if said:
                st.caption(escape_markdown(f"{shorten(visible(run.name), 60)}: {said}"))
    _tables(runs)


def units_in_common(runs: Sequence[Run]) -> tuple[str, ...]:
    """The units in which these runs' losses may stand in one chart: of characters and words together only bits."""
    known = all(run.per_character is not None for run in runs)
    alike = len({run.config.data.level for run in runs}) == 1
    fitting = tuple(unit for unit in UNITS if (known if unit == "bits" else alike))
    return fitting or ("nats",)


@st.cache_resource(max_entries=32, show_spinner=False)
def _loss_table(moment: tuple, unit: str, x: str, _snapshots: tuple[Snapshot, ...]) -> pa.Table:
    """The rows of the chart, made once for everyone who compares the same runs at the same moment."""
    runs = [
        LiveRun(
            label=snapshot.run.name,
            cell=snapshot.run.config.model.cell,
            progress=snapshot.metrics_frame,
            evaluations=snapshot.evaluations_frame,
            text=snapshot.run.per_character,
        )
        for snapshot in _snapshots
    ]
    return pa.Table.from_pandas(loss_frame(runs, unit=unit, x=x), preserve_index=False)


def _tables(runs: Sequence[Run]) -> None:
    names = [f"{letter} · {shorten(visible(run.name), 32)}" for letter, run in zip(RUN_LETTERS, runs, strict=False)]
    st.markdown("###### Scores")
    _table(names, scores(runs))
    st.markdown("###### Settings that differ")
    different = differing_settings([run.config for run in runs])
    if different:
        _table(names, different)
    else:
        st.caption("None: the runs have the same text, model, training settings and seed.")


def _table(names: Sequence[str], lines: Sequence[Line]) -> None:
    """Names across, lines down. Both are text of the user's as often as not: Streamlit renders Markdown here."""
    frame = pd.DataFrame(
        [[escape_markdown(value) for value in line.values] for line in lines],
        index=pd.Index([escape_markdown(line.name) for line in lines]),
        columns=[escape_markdown(name) for name in names],
    )
    st.table(frame)
