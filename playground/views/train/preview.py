"""What is set up and not trained yet, in the place of a run: what it will be held against, and how to start it."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import PRESETS
from playground import state
from playground.access.corpora import per_character_of
from playground.access.runs import snapshot_of
from playground.access.training_text import lines_to_beat_on
from playground.charts import live as charts
from playground.charts.frames import LiveRun, loss_frame
from playground.frame import fragments
from playground.frame.charts import draw_chart
from playground.parts import launch
from playground.parts.chart_axes import choose_axes
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import escape_markdown

_WAITING_TICK = 0.5


def panel(draft: Draft) -> None:
    """Laid out as a run is (`views.train.live`), so that its chart stays when the run begins."""
    claim, progress = fragments.place("live-claim"), fragments.place("live-progress")
    with st.container():
        pass
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _back()
    counted = lines_to_beat_on(draft.config.data) is not None
    fragments.fragment(_chart, key="live", run_every=None if counted else _WAITING_TICK)(
        draft, counted, claim, progress
    )


def _back() -> None:
    run = snapshot_of(state.current().run).run
    st.button(
        f"Show {escape_markdown(run.name)}",
        icon=":material/undo:",
        key="preview.back",
        help="Show the current run again; your settings are kept.",
        on_click=drafts.show,
        args=(drafts.RUN,),
    )


def _chart(draft: Draft, counted: bool, claim: DeltaGenerator, progress: DeltaGenerator) -> None:
    claim.subheader(escape_markdown(f"{title(draft)}: not trained yet"), anchor=False)
    verb = "Train" if len(draft.configs) == 1 else f"Train {len(draft.configs)}"
    progress.markdown(
        f"Press **{verb}** to start. The loss is plotted here, with n-gram models of the same text as baselines."
    )
    beat = lines_to_beat_on(draft.config.data)
    if beat is not None and not counted:
        st.rerun()
    selection = state.current()
    runs = [
        LiveRun(label=name, cell=config.model.cell, text=per_character_of(config.data))
        for name, config in zip(names(draft), draft.configs, strict=True)
    ]
    frame = loss_frame(runs, unit=selection.loss, x=selection.x, baselines=beat or {})
    draw_chart(
        frame,
        charts.loss_spec(selection.loss, selection.x),
        key=f"chart.loss.{selection.loss}.{selection.x}.0",
        on_select="rerun",
        selection_mode="zoom",
    )
    choose_axes(selection)


def title(draft: Draft) -> str:
    """What is set up, by the name of its experiment, or by its model and text."""
    return PRESETS[draft.preset].title if draft.preset else " vs ".join(names(draft))


def names(draft: Draft) -> list[str]:
    """The names that the runs of a draft will get."""
    if len(draft.configs) > 1:
        return launch.rival_names(draft.configs)
    return [PRESETS[draft.preset].title if draft.preset else launch.describe(draft.config)]
