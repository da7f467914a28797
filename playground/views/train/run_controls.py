"""What can be done to a run: pause, resume, step, stop, branch, change its settings, download its charts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

import streamlit as st

from engine.config import ConfigError
from engine.training.schedule import learning_rate
from playground import state
from playground.access.chart_frames import live_frames
from playground.access.runs import setting_changes, watched
from playground.charts import live as charts
from playground.charts.export import Kind, export
from playground.components.command_watch import answered, command_watch
from playground.frame import services
from playground.parts import launch
from playground.parts.setting_names import in_labels
from playground.runs.limits import check_extension, check_quota
from playground.runs.reader import Snapshot
from playground.runs.records import FINISHED, PAUSED, STOPPED, Run, RunNotFoundError, RunRefusedError, StoreError
from playground.state import draft as drafts
from playground.state.draft import Draft
from playground.text import escape_markdown, number, visible
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
    mine = all(snapshot.run.may_be_changed_by(services.visitor()) for snapshot in snapshots)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if mine:
                _commands(snapshots)
            else:
                _not_mine(snapshots)
        with st.container(horizontal=True, width="content"):
            # Once a branch is set up it is another popover, which is closed: the settings below are next.
            key, about = drafts.current().key("branch"), "Start a new run from a checkpoint's weights"
            with st.popover("Branch", icon=":material/call_split:", help=about, key=key):
                _branch(snapshots)
            with st.popover("Download", icon=":material/download:"):
                _downloads(snapshots)
            if mine and (_active(snapshots) or run.status == PAUSED):
                with st.popover("Live settings", icon=":material/tune:", help="Change hyperparameters during training"):
                    _live_settings(snapshots)
    command_watch(key="command_watch")


def _active(snapshots: Sequence[Snapshot]) -> bool:
    return any(snapshot.run.active for snapshot in snapshots)


def _commands(snapshots: Sequence[Snapshot]) -> None:
    """The buttons of whoever may command these runs."""
    run, active = snapshots[0].run, _active(snapshots)
    resting = not active and any(snapshot.run.resumable for snapshot in snapshots)
    ended = not active and not resting and any(snapshot.run.status == FINISHED for snapshot in snapshots)
    if active:
        _command("Pause", "pause", run, ":material/pause:")
    elif resting:
        _command("Resume", "resume", run, ":material/play_arrow:")
    if active or resting:
        _command("Stop", "stop", run, ":material/stop:", disabled=not active and run.status != PAUSED)
    if resting or ended:
        explained = _beyond_the_end(snapshots[0]) if ended else ""
        _command("Step", "step", run, ":material/skip_next:", 1, explained=explained)
        _command("Step × 10", "step", run, ":material/fast_forward:", 10, explained=explained)


def _beyond_the_end(snapshot: Snapshot) -> str:
    """What Step does to a run that has ended, and at which learning rate."""
    run, training = snapshot.run, snapshot.run.config.training
    if run.why != "steps":
        return "Continues the finished run; the learning rate follows its schedule."
    turned = {change.key: change.value or 0.0 for change in setting_changes(snapshot)}
    scale = turned.get("learning_rate", training.learning_rate) / training.learning_rate
    rate = learning_rate(training, run.step, run.step) * scale
    return (
        f"Continues the finished run at the final learning rate of its schedule, {number(rate)}. "
        "The run is evaluated again after the last step."
    )


def _not_mine(snapshots: Sequence[Snapshot]) -> None:
    """Whose run it is, in the place of the buttons, and a way to one's own."""
    run = snapshots[0].run
    whose = "Starter run" if run.starter else "Started by another visitor"
    # What became of it, and by whom: a run that failed says so above.
    told = f". {run.message}" if run.status in (PAUSED, STOPPED) and run.message else ""
    st.caption(escape_markdown(whose + told))
    st.button(
        "Duplicate",
        icon=":material/content_copy:",
        key=f"duplicate.{run.id}",
        help="Copy these settings to a new run of your own; it starts when you press Train.",
        on_click=launch.set_up_copy,
        args=([snapshot.run for snapshot in snapshots],),
    )


def start_paused(draft: Draft) -> None:
    """The choice to have the run wait at step 0, for Step or Resume."""
    key = draft.key(f"start_paused.{draft.start_paused}")
    st.checkbox(
        "Start paused",
        draft.start_paused,
        key=key,
        on_change=_choose_start_paused,
        args=(key,),
    )


def _choose_start_paused(key: str) -> None:
    draft = drafts.current()
    if not drafts.outdated(key):
        drafts.keep(replace(draft, start_paused=bool(st.session_state[key])))


def _command(
    label: str,
    kind: str,
    run: Run,
    icon: str,
    value: int | None = None,
    *,
    disabled: bool = False,
    explained: str = "",
) -> None:
    st.button(
        label,
        icon=icon,
        key=f"command.{label}.{run.id}",
        disabled=disabled,
        help=explained or None,
        on_click=_send,  # called before the page is drawn: no later event can take the page away from under it
        args=(run, kind, value),
    )


def _send(run: Run, kind: str, value: float | None) -> None:
    """Give a command to the store, or say why it is not there."""
    answered()
    try:
        snapshots = watched(run.id)
        versions = [snapshot.run.version for snapshot in snapshots]
        ended = [snapshot.run for snapshot in snapshots if snapshot.run.status == FINISHED]
        if kind == "step" and ended:
            for each in ended:
                check_extension(services.settings(), each, int(value or 1))
            check_quota(services.settings(), services.store(), services.visitor(), len(ended))
        services.store().command(run.id, kind, value, by=services.visitor())
        st.session_state["live.sent"] = (time.monotonic() + EXPECT_SECONDS, versions)
    except (RunRefusedError, RunNotFoundError) as error:
        state.note_problem(str(error))
    except StoreError as error:
        state.note_problem(f"The command was not sent: {error}")


def _live_settings(snapshots: Sequence[Snapshot]) -> None:
    st.caption("Changes take effect at the next step and are marked on the charts.")
    for snapshot in snapshots:
        run, training = snapshot.run, snapshot.run.config.training
        if len(snapshots) > 1:
            st.markdown(f"**{escape_markdown(run.name)}**")
        turned = {change.key: change.value or 0.0 for change in setting_changes(snapshot)}
        for name, label, initial in (
            ("learning_rate", "Learning rate (peak of its schedule)", training.learning_rate),
            (
                "clip_threshold",
                "Clipping threshold (0: off)",
                training.clip_threshold if training.clip != "off" else 0.0,
            ),
        ):
            key = f"live-setting.{name}.{run.id}"
            value = float(turned.get(name, initial))
            st.number_input(
                label,
                0.0,
                1e3,
                value,
                step=value / 10 or 0.1,
                format="%g",
                key=key,
                on_change=_turn,
                args=(run, name, key, value),
            )


def _turn(run: Run, name: str, key: str, before: float) -> None:
    value = float(st.session_state[key])
    if value == before:
        answered()
        return  # Streamlit also calls back for a widget that went with the end of the run
    try:
        if value or name != "clip_threshold":
            run.config.with_values(**{f"training__{name}": value})  # checks the range
        _send(run, name, value)
    except ConfigError as error:
        answered()
        state.note_problem(in_labels(str(error)))


def _branch(snapshots: Sequence[Snapshot]) -> None:
    snapshot = snapshots[0]
    if len(snapshots) > 1:
        # By their letters too: Streamlit knows an option by its label, and two rivals may have one name.
        names = [f"{letter}: {visible(s.run.name)}" for letter, s in zip(RUN_LETTERS, snapshots, strict=False)]
        key = state.labelled(f"branch.run.{snapshot.run.id}", *names)
        chosen = st.selectbox("Run", range(len(names)), format_func=lambda place: names[place], key=key)
        snapshot = snapshots[chosen]
    steps = [checkpoint.step for checkpoint in snapshot.checkpoints]
    if not steps:
        st.caption("No checkpoint yet.")
        return
    step = st.select_slider("From step", steps, value=steps[-1], key=f"branch.{snapshot.run.id}")
    st.caption(
        "The new run starts from these weights with a new optimiser state. Adjust its settings, then press Train."
    )
    st.button(
        "Set up a branch",
        icon=":material/call_split:",
        on_click=drafts.load,
        args=((snapshot.run.config,),),
        kwargs={"parent": (snapshot.run.id, step)},
    )


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
