"""From the rows a run wrote to the one long frame a live chart reads.

Columns of every frame here:

    label    the run's name as the legend has it, in a race with its letter before it; "" for what belongs to no run
    color    the run's colour, in its "key" row alone
    series   what the row is, see below
    step     training step
    seconds  the run's own computing time at that step, in seconds
    value    what is drawn, in the unit of the chart; NaN where there is nothing to place
    text     a label written beside the mark, or what a mark stands for
    read     where a validation loss stands on a part of the tokens: on how many; else ""
    lane     pixels from the top edge, for labels of changes; of "broken" rows that are written out the line, from 1,
             else 0
    hover    whether the pointer finds the row: some of each line, since each such row costs the browser a tooltip

Series: "training", "validation", "before clipping", "after clipping", "threshold", "learning rate" and
"speed" are lines; "key" names a run for the legend; "baseline" is a level, "baseline label" its label, moved where
another would cover it; "best" a ring; "end" a label at the end of a line; "change" an upright rule; "broken" a mark at
the top edge for a value that cannot be placed: NaN, infinity, zero on a logarithmic axis, or far off the scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.data import PerCharacter
from playground import theme
from playground.charts.thinning import Array, kept_extremes, turns
from playground.charts.units import BY_CHARACTERS, UNITS, convert, uniform
from playground.text import number, shorten, visible

Rows: TypeAlias = Sequence[Mapping[str, Any]] | pd.DataFrame
# Rows of lines in one frame. What a browser pays for an update grows with them, and a chart is 1,100 pixels wide.
LIMIT_LARGE, LIMIT_SMALL = 900, 450
_HOVERED = 160  # of all lines together
_BROKEN_LIMIT = 40
_EVALUATIONS = 200  # drawn of each run
_LANES, _LANE_HEIGHT = 5, 14
_LABEL_HEIGHT, _LABEL_WIDTH = 0.075, 0.12  # shares of the axes that a label at the end of a line covers
_LEVEL_LABELS = 0.66, 0.98  # shares of the axis across between which a line's end is labelled over a level's label
_NAMES = {"learning_rate": "learning rate", "clip_threshold": "clipping threshold"}

_TEXT_COLUMNS = ("label", "color", "series", "text", "read")
COLUMNS = ("label", "color", "series", "step", "seconds", "value", "text", "read", "lane", "hover")


@dataclass(frozen=True)
class LiveRun:
    """What the charts need of a run; its rows as the engine's events name their fields.

    Args:
        label: the name people know it by
        cell: name of its cell, which gives the colour
        progress: rows with step, train_seconds and whichever of loss, grad_norm, clipped_norm, clip_threshold,
            learning_rate, tokens_per_second the chart draws
        evaluations: rows with step, train_seconds, val_loss (nats per token), and best, tokens_read and tokens_in_all
            where those are known
        changes: rows with step, key, value; or step, text for another event worth a mark
        text: how its losses become bits per character; None where that is unknown
    """

    label: str
    cell: str
    progress: Rows = ()
    evaluations: Rows = ()
    changes: Rows = ()
    text: PerCharacter | None = BY_CHARACTERS


def loss_frame(
    runs: Sequence[LiveRun],
    *,
    unit: str = "nats",
    x: str = "step",
    baselines: Mapping[str, float] | None = None,
    limit: int = LIMIT_LARGE,
) -> pd.DataFrame:
    """The frame of `loss_spec`.

    Args:
        runs: at most four
        unit: a key of `UNITS`
        x: "step" or "seconds", the axis across; it decides which labels would cover each other
        baselines: losses to beat by name, in nats per token of the first run's tokens
        limit: most rows of training loss
    """
    baselines = baselines or {}
    scale = _Scale(unit, ceiling=2.0 * max(baselines.values()) if baselines else np.inf)
    lines = max(1, len(runs))
    pieces = _run_rows(runs)
    ends: list[_Piece] = []
    for run, key in zip(runs, _keys(runs), strict=True):
        training = scale.read(_measured(run.progress, "loss"), run)
        pieces += _line(key, "training", training, limit // lines, lines)
        validation = scale.read(_measured(run.evaluations, "val_loss"), run)
        pieces += [
            replace(piece, read=_read(run, piece)) for piece in _line(key, "validation", validation, _EVALUATIONS, 1)
        ]
        placed = validation.at(np.flatnonzero(validation.good))
        if len(placed.values):
            pieces.append(_best(key, placed, run))
            ends.append(_end(key, placed))
    levels = _levels(baselines, unit, runs[0].text if runs else BY_CHARACTERS)
    pieces += levels
    logarithmic = UNITS[unit].logarithmic
    ends = _spread(ends, pieces, x, logarithmic)
    labels = [replace(level, series="baseline label") for level in levels]
    pieces += _spread(labels, pieces, x, logarithmic, around=_before_the_edge(ends, pieces, x))
    pieces += ends
    return _frame([*pieces, *_changes(runs)])


def _levels(baselines: Mapping[str, float], unit: str, text: PerCharacter | None) -> list[_Piece]:
    """Losses to beat, in nats per token by name, as labelled levels in `unit`."""
    pieces = []
    for name, nats in baselines.items():
        value = float(convert(nats, unit, text))
        shown = uniform(nats, value, unit) if name == "uniform" else number(value, digits=True)
        title = "uniform guess" if name == "uniform" else name
        pieces.append(_Piece("baseline", value=value, text=f"{title} {shown}"))
    return pieces


def gradient_frame(runs: Sequence[LiveRun], *, threshold: bool = True, limit: int = LIMIT_SMALL) -> pd.DataFrame:
    """The frame of `gradient_spec`; `threshold` says whether the bound is one on the norm, and so belongs here."""
    lines = max(1, 2 * len(runs))
    pieces = _run_rows(runs)
    for run, key in zip(runs, _keys(runs), strict=True):
        for column, series in (("grad_norm", "before clipping"), ("clipped_norm", "after clipping")):
            norm = _measured(run.progress, column)
            norm = replace(norm, good=norm.good & (norm.values > 0))
            pieces += _line(key, series, norm, limit // lines, lines)
        if threshold:
            bound = _measured(run.progress, "clip_threshold")
            pieces.append(_piece("threshold", key, bound.at(turns(bound.values))))
    return _frame([*pieces, *_changes(runs)])


def learning_rate_frame(runs: Sequence[LiveRun], *, limit: int = LIMIT_SMALL) -> pd.DataFrame:
    """The frame of `learning_rate_spec`."""
    return _one_line(runs, "learning_rate", "learning rate", limit)


def speed_frame(runs: Sequence[LiveRun], *, limit: int = LIMIT_SMALL) -> pd.DataFrame:
    """The frame of `speed_spec`."""
    return _one_line(runs, "tokens_per_second", "speed", limit)


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """The measured rows of a frame, without what only serves drawing: what a CSV should hold."""
    rows = frame[~frame["series"].isin(["key", "end", "change", "baseline label"])]
    return rows[["label", "series", "step", "seconds", "value", "text"]].reset_index(drop=True)


@dataclass(frozen=True)
class _Key:
    """What tells a run's rows from another's."""

    run: str = ""
    label: str = ""
    color: str = theme.MUTED


@dataclass
class _Piece:
    """Rows of one series of one run; scalars stand for all of its rows."""

    series: str
    key: _Key = _Key()
    step: Any = np.nan
    seconds: Any = np.nan
    value: Any = np.nan
    text: Any = ""
    read: Any = ""
    lane: Any = 0.0
    hover: Any = False


def _keys(runs: Sequence[LiveRun]) -> list[_Key]:
    names = [shorten(visible(run.label), 32) for run in runs]
    styles = theme.run_styles([run.cell for run in runs])
    alone = len(runs) == 1
    return [
        _Key(style.letter, name if alone else f"{style.letter} · {name}", style.color)
        for style, name in zip(styles, names, strict=True)
    ]


def _run_rows(runs: Sequence[LiveRun]) -> list[_Piece]:
    return [_Piece("key", key, text="") for key in _keys(runs)]


@dataclass(frozen=True)
class _Measured:
    """One measured column, each (rows): where, when, what, and whether it can be placed on the axis."""

    step: Array
    seconds: Array
    values: Array
    good: NDArray[np.bool_]

    def at(self, rows: NDArray[np.intp]) -> _Measured:
        return _Measured(self.step[rows], self.seconds[rows], self.values[rows], self.good[rows])


def _measured(rows: Rows, name: str) -> _Measured:
    """A column of rows; rows that do not have it, or have None there, are left out. NaN is a measurement."""
    if isinstance(rows, pd.DataFrame):
        rows = rows if name in rows else rows.iloc[:0]
    else:
        rows = [row for row in rows if row.get(name) is not None]
    seconds, wall, values = _column(rows, "train_seconds"), _column(rows, "seconds"), _column(rows, name)
    return _Measured(_column(rows, "step"), np.where(np.isnan(seconds), wall, seconds), values, np.isfinite(values))


def _column(rows: Rows, name: str) -> Array:
    if isinstance(rows, pd.DataFrame):
        if name not in rows:
            return np.full(len(rows), np.nan)
        return rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
    values = (row.get(name) for row in rows)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


@dataclass(frozen=True)
class _Scale:
    """How losses are shown: in which unit, and above how many nats they are off the scale."""

    unit: str
    ceiling: float

    def read(self, nats: _Measured, run: LiveRun) -> _Measured:
        """Losses of a run, in nats, in this unit."""
        values = convert(nats.values, self.unit, run.text)
        good = np.isfinite(values) & (nats.values <= self.ceiling)
        if UNITS[self.unit].logarithmic:
            good &= values > 0
        return replace(nats, values=values, good=good)


def _read(run: LiveRun, piece: _Piece) -> list[str]:
    """On how many tokens the validation loss at each step of a piece stands, where that is not all of them."""
    steps, read, there = (_column(run.evaluations, name) for name in ("step", "tokens_read", "tokens_in_all"))
    known = {
        step: f"{int(part):,} of {int(whole):,} tokens"
        for step, part, whole in zip(steps, read, there, strict=True)
        if part < whole
    }
    return [known.get(step, "") for step in np.atleast_1d(piece.step)]


def _some(count: int, lines: int) -> NDArray[np.bool_]:
    """Which of `count` rows the pointer finds, spread evenly, the last among them, in one of `lines` lines."""
    return np.arange(count)[::-1] % max(1, -(-count * lines // _HOVERED)) == 0


def _piece(series: str, key: _Key, measured: _Measured, **more: Any) -> _Piece:
    return _Piece(series, key, measured.step, measured.seconds, measured.values, **more)


def _line(key: _Key, series: str, measured: _Measured, limit: int, lines: int) -> list[_Piece]:
    """One of `lines` lines in a chart, of at most `limit` points, and marks for what cannot be placed."""
    good, bad = np.flatnonzero(measured.good), np.flatnonzero(~measured.good)
    line = measured.at(good[kept_extremes(measured.values[good], max(4, limit))])
    pieces = [_piece(series, key, line, hover=_some(len(line.values), lines))]
    if len(bad):
        lost = measured.at(bad[kept_extremes(np.zeros(len(bad)), _BROKEN_LIMIT)])
        text = [f"{series}: {number(float(value))}" for value in lost.values]
        first = np.arange(len(lost.values)) == 0
        pieces.append(_Piece("broken", key, lost.step, lost.seconds, text=text, lane=first))
    return pieces


def _one_line(runs: Sequence[LiveRun], column: str, series: str, limit: int) -> pd.DataFrame:
    pieces = _run_rows(runs)
    for run, key in zip(runs, _keys(runs), strict=True):
        pieces += _line(key, series, _measured(run.progress, column), limit // len(runs), len(runs))
    return _frame([*pieces, *_changes(runs)])


def _best(key: _Key, placed: _Measured, run: LiveRun) -> _Piece:
    """The ring at the best evaluation: the last that was flagged so, which need not have the lowest value where
    evaluations read different tokens; the lowest where none is."""
    flagged = _column(run.evaluations, "step")[_column(run.evaluations, "best") == 1]
    places = np.flatnonzero(np.isin(placed.step, flagged))
    lowest = int(places[-1]) if len(places) else int(np.argmin(placed.values))
    newest = lowest == len(placed.values) - 1
    text = "" if newest else f"best {number(float(placed.values[lowest]), digits=True)}"
    return _piece("best", key, placed.at(np.array([lowest])), text=text)


def _end(key: _Key, placed: _Measured) -> _Piece:
    value = float(placed.values[-1])
    letter = f"{key.run} " if key.label.startswith(f"{key.run} · ") else ""
    text = letter + number(value, digits=True)
    return _Piece("end", key, float(placed.step[-1]), float(placed.seconds[-1]), value, text=text)


def _spread(
    labels: Iterable[_Piece], pieces: Sequence[_Piece], x: str, logarithmic: bool, around: Iterable[_Piece] = ()
) -> list[_Piece]:
    """Labels moved apart, upwards, so that none covers the next, nor one of those `around`. Those that have no place
    across stand one above the other at the right, where those around them end."""
    scale, back = (np.log, np.exp) if logarithmic else (np.asarray, float)
    wide = _extent(getattr(piece, x) for piece in pieces) * _LABEL_WIDTH
    room = _extent(scale(piece.value) for piece in pieces) * _LABEL_HEIGHT
    placed = sorted((0.0, float(scale(piece.value))) for piece in around)
    moved: list[_Piece] = []
    for piece in sorted(labels, key=lambda piece: piece.value):
        across, level = float(np.nan_to_num(getattr(piece, x))), float(scale(piece.value))
        for other, below in placed:  # from the lowest up
            if abs(other - across) <= wide and abs(level - below) < room:
                level = below + room
        placed = sorted([*placed, (across, level)], key=lambda place: place[1])
        moved.append(replace(piece, value=float(back(level))))
    return moved


def _before_the_edge(ends: Iterable[_Piece], pieces: Sequence[_Piece], x: str) -> list[_Piece]:
    """The labels of lines that end a little earlier than the others: where the levels have theirs."""
    last = np.nanmax([0.0, *(np.max(getattr(piece, x), initial=0.0) for piece in pieces)])
    first, after = _LEVEL_LABELS
    return [end for end in ends if first * last <= getattr(end, x) <= after * last]


def _extent(parts: Iterable[Any]) -> float:
    """Highest less lowest of all finite numbers in the parts."""
    numbers = np.concatenate([np.atleast_1d(part) for part in parts] or [np.zeros(1)])
    numbers = numbers[np.isfinite(numbers)]
    return float(np.ptp(numbers)) if len(numbers) else 0.0


def _changes(runs: Sequence[LiveRun]) -> list[_Piece]:
    """Marks for what was changed while it trained, with labels in lanes so that neighbours stay readable."""
    pieces: list[_Piece] = []
    for run, key in zip(runs, _keys(runs), strict=True):
        rows = run.changes.to_dict("records") if isinstance(run.changes, pd.DataFrame) else run.changes
        known = _measured(run.progress, "step")
        for row in rows:
            at = float(row["step"])
            when = float(np.interp(at, known.step, known.seconds)) if len(known.step) else np.nan
            lane = 4.0 + _LANE_HEIGHT * (len(pieces) % _LANES)
            name = f"{key.run}: " if len(runs) > 1 else ""
            pieces.append(_Piece("change", key, at, when, text=name + _label(row), lane=lane))
    return pieces


def _label(row: Mapping[str, Any]) -> str:
    if row.get("text"):
        return shorten(visible(str(row["text"])), 48)
    value = row.get("value")
    shown = number(float(value)) if isinstance(value, int | float) else visible(str(value))
    return f"{_NAMES.get(str(row['key']), str(row['key']))} → {shown}"


def _frame(pieces: Sequence[_Piece]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    written = 0
    for piece in pieces:
        if piece.series == "broken":
            written += 1
            piece = replace(piece, lane=written * np.asarray(piece.lane, dtype=np.float64))
        size = np.broadcast(piece.step, piece.value).size
        columns["label"] += [piece.key.label] * size
        columns["color"] += [piece.key.color if piece.series == "key" else ""] * size
        columns["series"] += [piece.series] * size
        for name in ("text", "read"):
            text = getattr(piece, name)
            columns[name] += [text] * size if isinstance(text, str) else text
        for name in ("step", "seconds", "value", "lane", "hover"):
            columns[name].append(np.broadcast_to(getattr(piece, name), size))
    numeric = {name: np.concatenate(columns[name]) for name in columns if name not in _TEXT_COLUMNS and pieces}
    types = dict.fromkeys(_TEXT_COLUMNS, "str") | dict.fromkeys(("step", "seconds", "value", "lane"), "float64")
    return pd.DataFrame({**columns, **numeric}).astype({**types, "hover": "bool"})
