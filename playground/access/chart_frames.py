"""What the live charts draw, made once for everyone who looks at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import streamlit as st

from playground.access.runs import setting_changes
from playground.access.training_text import lines_to_beat
from playground.charts import frames
from playground.charts.frames import LiveRun
from playground.runs.reader import Snapshot


@dataclass(frozen=True)
class LiveFrames:
    """The frames of the live charts of one moment, as Arrow tables: what the browser gets, made once for everyone."""

    loss: pa.Table
    gradient: pa.Table
    learning_rate: pa.Table
    speed: pa.Table


def live_frames(snapshots: Sequence[Snapshot], unit: str, x: str) -> LiveFrames:
    """The frames of all live charts; computed once for everyone who looks at the same moment."""
    moment = tuple((snapshot.run.id, snapshot.run.version) for snapshot in snapshots)
    beat = lines_to_beat(snapshots[0].run) or {}
    return _live_frames(moment, unit, x, tuple(beat.items()), tuple(snapshots))


@st.cache_resource(max_entries=32, show_spinner=False)
def _live_frames(
    moment: tuple, unit: str, x: str, beat: tuple[tuple[str, float], ...], _snapshots: tuple[Snapshot, ...]
) -> LiveFrames:
    runs = [_live_run(snapshot) for snapshot in _snapshots]
    by_norm = any(snapshot.run.config.training.clip == "norm" for snapshot in _snapshots)
    return LiveFrames(
        loss=_table(frames.loss_frame(runs, unit=unit, x=x, baselines=dict(beat))),
        gradient=_table(frames.gradient_frame(runs, threshold=by_norm)),
        learning_rate=_table(frames.learning_rate_frame(runs)),
        speed=_table(frames.speed_frame(runs)),
    )


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _live_run(snapshot: Snapshot) -> LiveRun:
    run = snapshot.run
    return LiveRun(
        label=run.name,
        cell=run.config.model.cell,
        progress=snapshot.metrics_frame,
        evaluations=snapshot.evaluations_frame,
        changes=[{"step": turn.step, "key": turn.key, "value": turn.value} for turn in setting_changes(snapshot)],
        text=run.per_character,
    )
