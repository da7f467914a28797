"""What can be done to a run: pause, resume, step, stop, branch, change its settings, download its charts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import get_args

import streamlit as st

from engine.config import ConfigError
from playground import state
from playground.access.chart_frames import live_frames
from playground.access.runs import setting_changes, watched
from playground.charts import live as charts
from playground.charts.export import Kind, export
from playground.frame import services
from playground.runs.reader import Snapshot
from playground.runs.records import PAUSED, Run, StoreError
from playground.state import draft as drafts
from playground.text import escape_markdown, visible
from playground.theme import RUN_LETTERS

EXPECT_SECONDS = 4.0
"""How long a page keeps looking closely after a command, until the worker has answered it."""


def expecting(snapshots: Sequence[Snapshot]) -> bool:
    """Whether a command was sent and nothing has come of it yet."""
    sent = st.session_state.get("live.sent")
    return sent is not None and time.monotonic() < sent[0] and sent[1] == [s.run.version for s in snapshots]


def run_controls(run_id: str) -> None:
    """What acts on a run or race. Each button keeps its place while it trains or rests, so that none is drawn twice."""
    snapshots = watched(run_id)
    run = snapshots[0].run
    active = any(snapshot.run.active for snapshot in snapshots)
    resting = not active and any(snapshot.run.resumable for snapshot in snapshots)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(horizontal=True, width="content"):
            if active:
                _command("Pause", "pause", run, ":material/pause:")
            elif resting:
                _command("Resume", "resume", run, ":material/play_arrow:")
            if active or resting:
                _command("Stop", "stop", run, ":material/stop:", disabled=not active and run.status != PAUSED)
            if resting:
                _command("Step", "step", run, ":material/skip_next:", 1)
                _command("Step × 10", "step", run, ":material/fast_forward:", 10)
        with st.container(horizontal=True, width="content"):
            with st.popover("Branch", icon=":material/call_split:", help="Start a new run from a checkpoint's weights"):
                _branch(snapshots)
            with st.popover("Download", icon=":material/download:"):
                _downloads(snapshots)
            if active or run.status == PAUSED:
                with st.popover("Knobs", icon=":material/tune:", help="Change a setting while it trains"):
                    _knobs(snapshots)


def _command(label: str, kind: str, run: Run, icon: str, value: float | None = None, *, disabled: bool = False) -> None:
    if st.button(label, icon=icon, key=f"command.{label}.{run.id}", disabled=disabled):
        _send(run, kind, value)
        st.rerun()


def _send(run: Run, kind: str, value: float | None) -> None:
    try:
        versions = [snapshot.run.version for snapshot in watched(run.id)]
        services.store().command(run.id, kind, value)
        st.session_state["live.sent"] = (time.monotonic() + EXPECT_SECONDS, versions)
    except StoreError as error:
        state.note_problem(str(error))


def _knobs(snapshots: Sequence[Snapshot]) -> None:
    st.caption("Takes effect at the next step, and is marked on the charts.")
    for snapshot in snapshots:
        run, training = snapshot.run, snapshot.run.config.training
        if len(snapshots) > 1:
            st.markdown(f"**{escape_markdown(run.name)}**")
        turned = {change.key: change.value or 0.0 for change in setting_changes(snapshot)}
        for knob, label, initial in (
            ("learning_rate", "Learning rate (peak of its schedule)", training.learning_rate),
            ("clip_threshold", "Clip at (0: off)", training.clip_threshold if training.clip != "off" else 0.0),
        ):
            key = f"knob.{knob}.{run.id}"
            value = float(turned.get(knob, initial))
            st.number_input(
                label,
                0.0,
                1e3,
                value,
                step=value / 10 or 0.1,
                format="%g",
                key=key,
                on_change=_turn,
                args=(run, knob, key, value),
            )


def _turn(run: Run, knob: str, key: str, before: float) -> None:
    value = float(st.session_state[key])
    if value == before:
        return  # Streamlit also calls back for a widget that went with the end of the run
    try:
        if value or knob != "clip_threshold":
            run.config.with_values(**{f"training__{knob}": value})  # checks the range
        _send(run, knob, value)
    except ConfigError as error:
        state.note_problem(str(error))


def _branch(snapshots: Sequence[Snapshot]) -> None:
    snapshot = snapshots[0]
    if len(snapshots) > 1:
        # By their letters too: Streamlit knows an option by its label, and two rivals may have one name.
        names = [f"{letter}: {visible(s.run.name)}" for letter, s in zip(RUN_LETTERS, snapshots, strict=False)]
        chosen = st.selectbox("Run", range(len(names)), format_func=lambda place: names[place])
        snapshot = snapshots[chosen]
    steps = [checkpoint.step for checkpoint in snapshot.checkpoints]
    if not steps:
        st.caption("There is no checkpoint yet.")
        return
    step = st.select_slider("From step", steps, value=steps[-1], key=f"branch.{snapshot.run.id}")
    st.caption("The new run takes the weights; its optimiser starts afresh. Set it up on the right, then press Train.")
    if st.button("Set up a branch", icon=":material/call_split:"):
        drafts.load((snapshot.run.config,), parent=(snapshot.run.id, step))
        st.rerun()


def _downloads(snapshots: Sequence[Snapshot]) -> None:
    selection = state.current()
    run_id, unit, x = snapshots[0].run.id, selection.loss, selection.x
    for name, spec in (
        ("loss", charts.loss_spec(unit, x)),
        ("gradient", charts.gradient_spec(x)),
        ("learning_rate", charts.learning_rate_spec(x)),
        ("speed", charts.speed_spec(x)),
    ):
        st.caption(name.replace("_", " ").capitalize())
        with st.container(horizontal=True):
            for kind in get_args(Kind):
                st.download_button(
                    kind.upper(),
                    _exporter(run_id, name, unit, x, spec, kind),
                    f"{run_id}-{name.replace('_', '-')}.{kind}",
                    key=f"download.{name}.{kind}",
                    on_click="ignore",
                )


def _exporter(run_id: str, name: str, unit: str, x: str, spec: dict, kind: Kind) -> Callable[[], bytes]:
    """Makes the file when it is asked for, of the run as it is then."""

    def make() -> bytes:
        frames = live_frames(watched(run_id), unit, x)
        return export(spec, getattr(frames, name).to_pandas(), kind)

    return make
