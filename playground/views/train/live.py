"""The live view of a run or a race: what it has learned, the controls that act on it, and its charts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.presets import lesson_of_divergence, preset_of
from playground import state
from playground.access import training_text
from playground.access.chart_frames import live_frames
from playground.access.runs import any_active, watched
from playground.charts import live as charts
from playground.charts.units import UNITS
from playground.components.samples import sample_ladder
from playground.frame import fragments, services
from playground.frame.charts import draw_chart
from playground.parts import launch, run_claims, text_facts
from playground.parts.chart_axes import choose_axes
from playground.parts.samples import sample_rows
from playground.runs.reader import Snapshot
from playground.runs.records import DIVERGED, HELD_UP, QUEUED, RUNNING, Run, StoreError
from playground.text import date, duration, escape_markdown, rate
from playground.views.train.run_controls import expecting, run_controls

_START_TICK = 0.06
_START_SECONDS = 1.0
"""A run that was just started is looked at more often, so that its first point is on the page at once."""

_TICK = 0.2
_SAMPLES_TICK = 1.0
_WAITING_TICK = 0.5
_IDLE_TICK = 2.0
"""A run that rests may be taken up again from another tab."""


def panel(run_id: str) -> None:
    """A run or race while it trains: the claim, what can be done to it, and its charts.

    Only what moves is drawn again at every tick; buttons and messages follow when a run changes its status.
    """
    snapshots = watched(run_id)
    seen = _seen(snapshots)
    claim, progress = fragments.place("live-claim"), fragments.place("live-progress")
    with st.container():
        _messages(snapshots)
    run_controls(run_id)
    fragments.fragment(_moving_part, key="live", run_every=seen.pace)(run_id, seen, claim, progress)


def samples_panel(run_id: str) -> None:
    """The samples of a run, growing down the page."""
    pace = _pace(watched(run_id))
    fragments.fragment(_samples, key="samples", run_every=pace and max(pace, _SAMPLES_TICK))(run_id)


@dataclass(frozen=True)
class _Seen:
    """What the last full run of the page was drawn for; when it no longer holds, the page is drawn anew."""

    pace: float | None
    statuses: tuple[str, ...]
    """as far as buttons and messages depend on them: waiting and training look the same"""
    trouble: str | None
    """what the frame says of the store"""


def _seen(snapshots: Sequence[Snapshot]) -> _Seen:
    runs = [snapshot.run for snapshot in snapshots]
    statuses = tuple("active" if run.active else f"{run.status} {run.why}" for run in runs)
    return _Seen(_pace(snapshots), statuses, services.reader().trouble())


def _pace(snapshots: Sequence[Snapshot]) -> float | None:
    """Seconds between two looks at these runs: often while they train, rarely while they rest, never once ended."""
    if any_active(snapshots):
        young = any(time.time() - snapshot.run.created < _START_SECONDS for snapshot in snapshots)
        return _START_TICK if young else _TICK
    if expecting(snapshots):
        return _TICK
    if training_text.lines_to_beat(snapshots[0].run) is None:
        return _WAITING_TICK
    return _IDLE_TICK if any(snapshot.run.resumable for snapshot in snapshots) else None


def _moving_part(run_id: str, seen: _Seen, claim: DeltaGenerator, progress: DeltaGenerator) -> None:
    try:
        snapshots = watched(run_id)
    except StoreError as error:  # the run was deleted elsewhere, or the store is out of reach for now
        claim.error(escape_markdown(str(error)), icon=":material/error:")
        progress.empty()
        return
    # Written in every run of the fragment, the aborted ones too: Streamlit keeps their places by that.
    claim.subheader(escape_markdown(run_claims.claim(snapshots, state.current().loss)), anchor=False)
    _progress(progress, snapshots)
    if _seen(snapshots) != seen:
        st.rerun()
    units = _units(snapshots[0].run)
    chosen = state.current()
    selection = replace(chosen, loss=chosen.loss if chosen.loss in units else units[0])
    frames = live_frames(snapshots, selection.loss, selection.x)
    gradient_first = _opens_on_the_gradient(snapshots)
    if gradient_first:
        _chart("gradient", frames.gradient, charts.gradient_spec(selection.x, first=True), selection)
    _chart("loss", frames.loss, charts.loss_spec(selection.loss, selection.x), selection)
    with st.container():  # what comes and goes stands in a container that stays: a chart that is moved loses its zoom
        _warn_of_rising(snapshots)
        _newest_sample(snapshots)
        _on_the_curves(snapshots)
        _say_of_the_text(snapshots[0].run)
    choose_axes(selection, units)
    if not gradient_first:
        _chart("gradient", frames.gradient, charts.gradient_spec(selection.x), selection)
    left, right = st.columns(2)
    with left:
        _chart("rate", frames.learning_rate, charts.learning_rate_spec(selection.x), selection)
    with right:
        _chart("speed", frames.speed, charts.speed_spec(selection.x), selection)


def _opens_on_the_gradient(snapshots: Sequence[Snapshot]) -> bool:
    """Whether these are the runs of an experiment that is to be seen on the gradient's chart."""
    preset = preset_of(snapshots[0].run.config)
    return preset is not None and preset.opens_on == "gradient"


def _units(run: Run) -> tuple[str, ...]:
    """The units that losses of these runs, which read one text, can be shown in."""
    return tuple(unit for unit in UNITS if unit != "bits" or run.per_character is not None)


def _say_of_the_text(run: Run) -> None:
    """What of the text that these runs read is unknown, how its bits are counted, and what of it is not unseen."""
    facts = run.text_facts
    if facts is not None:
        said = (text_facts.unknown_tokens(facts), text_facts.how_bits_are_counted(facts), text_facts.seen(facts))
        st.caption(escape_markdown(" ".join(filter(None, said))))
    elif run.best_loss is not None and run.per_character is None:
        st.caption(escape_markdown(text_facts.WITHOUT_FACTS))


def _warn_of_rising(snapshots: Sequence[Snapshot]) -> None:
    for snapshot in snapshots:
        rising = run_claims.overfitting(snapshot, state.current().loss)
        if rising:
            st.caption(f":material/trending_up: {escape_markdown(rising)}")


def _on_the_curves(snapshots: Sequence[Snapshot]) -> None:
    """Why the validation loss lies where it does, and on what part of the text it is computed."""
    for snapshot in snapshots:
        said = " ".join(filter(None, (run_claims.below_training(snapshot), run_claims.read_in_part(snapshot))))
        if said:
            st.caption(f":material/info: {escape_markdown(said)}")


def _chart(name: str, frame: pa.Table, spec: dict, selection: state.Selection) -> None:
    key = f"chart.{name}.{selection.loss}.{selection.x}.{_zoom_epoch(selection.run)}"
    st.session_state.setdefault("charts", set()).add(key)
    draw_chart(frame, spec, key=key, on_select="rerun", selection_mode="zoom")


def _zoom_epoch(run_id: str) -> int:
    """Part of the charts' keys. Another run is drawn into the same charts, which is quicker than building them anew,
    unless somebody has zoomed into them: a zoom does not carry over to another run."""
    known, epoch = st.session_state.get("charts.epoch", (run_id, 0))
    if known != run_id:
        drawn = st.session_state.pop("charts", set())
        zoomed = any(st.session_state[key].selection.get("zoom") for key in drawn if key in st.session_state)
        epoch += zoomed
    st.session_state["charts.epoch"] = (run_id, epoch)
    return epoch


def _progress(place: DeltaGenerator, snapshots: Sequence[Snapshot]) -> None:
    run = snapshots[0].run
    share = run.step / run.planned_steps if run.planned_steps else 0.0
    # One worker trains the runs of a race in turn.
    left = sum(snapshot.run.seconds_left or 0.0 for snapshot in snapshots if snapshot.run.status == RUNNING)
    place.progress(min(1.0, share), text=_progress_line(run, left))


def _messages(snapshots: Sequence[Snapshot]) -> None:
    """Errors of the runs, and what to do about them."""
    for snapshot in snapshots:
        if snapshot.run.status == "diverged" and (lesson := lesson_of_divergence(snapshot.run.config)):
            st.info(escape_markdown(_as_meant(snapshot, lesson)), icon=":material/school:")
        elif snapshot.run.status == "diverged":
            _diverged(snapshot.run)
        elif snapshot.run.message and snapshot.run.status in ("failed", "interrupted"):
            when = f" ({date(snapshot.run.ended)})" if snapshot.run.ended else ""
            st.error(escape_markdown(f"{snapshot.run.message}{when}"), icon=":material/error:")
        elif snapshot.run.why == HELD_UP:
            st.warning(escape_markdown(snapshot.run.message), icon=":material/hard_drive:")


def _progress_line(run: Run, seconds_left: float) -> str:
    if run.status == QUEUED:
        queue = services.store().queue_state()
        place = queue.place(run.id)
        if place and 0 < queue.workers <= queue.busy:
            return f"{queue.busy} of {queue.workers} workers are busy: this run is number {place} in the queue."
        return "Queued: waiting for a worker."
    planned = f" of {run.planned_steps:,}" if run.planned_steps else ""
    line = f"{run.status.capitalize()}: step {run.step:,}{planned}"
    if run.tokens_per_second:
        line += f", {rate(run.tokens_per_second, 'tokens/s')}"
    if run.status == RUNNING and seconds_left:
        line += f", {duration(seconds_left)} left"
    elif run.seconds:
        line += f", {duration(run.seconds)} in total"
    if run.status == RUNNING and run.message:
        line += f". {run.message}"
    return line


def _as_meant(snapshot: Snapshot, lesson: str) -> str:
    """Of a run whose divergence is what the experiment is about: what it shows, and how it came."""
    reason = next((change.text for change in snapshot.changes if change.key == DIVERGED), snapshot.run.message)
    return f"Diverged as expected: {lesson}. {snapshot.run.name}: {reason}"


def _diverged(run: Run) -> None:
    st.error(escape_markdown(f"{run.name}: {run.message}"), icon=":material/trending_up:")
    if run.suggestion and st.button(
        "Restart with the suggested change", type="primary", icon=":material/healing:", key=f"again.{run.id}"
    ):
        launch.start_with(run.config.with_values(**run.suggestion))
        st.rerun()


def _samples(run_id: str) -> None:
    try:
        snapshots = [snapshot for snapshot in watched(run_id) if snapshot.samples]
    except StoreError:
        return  # said above, where the charts would be
    if not snapshots:
        st.caption("The first sample appears with the first evaluation.")
        return
    for column, snapshot in zip(st.columns(len(snapshots)), snapshots, strict=True):
        with column:
            if len(snapshots) > 1:
                st.markdown(f"**{escape_markdown(snapshot.run.name)}**")
            rows = sample_rows(snapshot, unit=state.current().loss)
            sample_ladder(rows, prompt=snapshot.samples[-1].prompt, key=f"samples.{snapshot.run.id}")


def _newest_sample(snapshots: Sequence[Snapshot]) -> None:
    """What each run wrote last, beside its curve."""
    for snapshot in snapshots:
        if snapshot.samples:
            (row,) = sample_rows(snapshot, newest=1, unit=state.current().loss)
            row = replace(row, best=False)
            name = f"{snapshot.run.name}, " if len(snapshots) > 1 else ""
            sample_ladder([row], prompt=snapshot.samples[-1].prompt, key=f"newest.{snapshot.run.id}", who=name)
