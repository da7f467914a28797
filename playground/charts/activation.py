"""An activation function and its derivative, over the pre-activations that a layer really has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.analysis.activations import SATURATED
from engine.numbers import enough_digits
from playground import theme
from playground.charts.constant import Spec, constant
from playground.charts.numbers import told, with_texts
from playground.charts.thinning import kept_extremes
from playground.text import number

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

COLUMNS = ("part", "z", "end", "value", "share", "saturated", "text", "t")
BINS = 48
_CURVE = 161
_TICKS = 500
_LEAST, _MOST = 4.0, 60.0
"""The axis reaches at least and at most this far to either side of zero."""

_FUNCTION, _DERIVATIVE = "function", "derivative"


@dataclass(frozen=True)
class Chosen:
    """The one unit whose values are marked.

    Args:
        values: its pre-activations, (time)
        names: of the timesteps, as the tooltip has them, (time)
        at: the chosen timestep, from 0
    """

    values: Array
    names: Sequence[str]
    at: int


def activation_frame(*, values: Array, chosen: Chosen, function: Function, derivative: Function) -> pd.DataFrame:
    """The rows of `activation_spec`; columns as in `COLUMNS`.

    Parts: "bin", a bar of the histogram from `z` to `end`, `share` of all values high; "function" and
    "derivative", lines; "unit", the chosen unit's values; "now", the chosen one, on both lines; "NaN", how many values
    cannot be placed.

    Args:
        values: pre-activations of all units at all timesteps, of any shape
        chosen: the unit whose values are marked
        function, derivative: of arrays of any shape
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    finite = flat[np.isfinite(flat)]
    reach = _reach(finite)
    at = np.linspace(-reach, reach, _CURVE)
    slope = derivative(at)
    steepest = float(np.max(slope))
    rows: list[tuple] = []
    rows += _bins(finite, len(flat), reach, lambda z: derivative(z) < SATURATED * steepest)
    rows += [(_FUNCTION, z, np.nan, y, 0.0, False, "", 0) for z, y in zip(at, function(at), strict=True)]
    rows += [(_DERIVATIVE, z, np.nan, y, 0.0, False, "", 0) for z, y in zip(at, slope, strict=True)]
    rows += _of_the_unit(chosen, reach, function, derivative)
    if len(finite) < len(flat):
        lost = f"{len(flat) - len(finite):,} of {len(flat):,} pre-activations are NaN or infinite"
        rows.append(("NaN", 0.0, np.nan, 0.0, 0.0, True, lost, 0))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _reach(values: Array) -> float:
    """How far the axis goes to either side: whole numbers, so that it rests while a run trains."""
    far = float(np.max(np.abs(values))) if len(values) else 0.0
    return float(np.clip(np.ceil(far), _LEAST, _MOST))


def _bins(values: Array, total: int, reach: float, saturated: Callable[[Array], NDArray[np.bool_]]) -> list[tuple]:
    counts, edges = np.histogram(np.clip(values, -reach, reach), bins=BINS, range=(-reach, reach))
    shares = counts / max(1, total)
    flat = saturated((edges[:-1] + edges[1:]) / 2)
    return [
        ("bin", low, high, 0.0, share, bool(is_flat), f"{count:,} values", 0)
        for low, high, share, is_flat, count in zip(edges[:-1], edges[1:], shares, flat, counts, strict=True)
    ]


def value_and_slope(function: Function, derivative: Function) -> Callable[[float], tuple[float, float]]:
    """A function and its derivative at one place."""
    return lambda z: (float(function(np.array([z]))[0]), float(derivative(np.array([z]))[0]))


def _of_the_unit(chosen: Chosen, reach: float, function: Function, derivative: Function) -> list[tuple]:
    values = np.asarray(chosen.values, dtype=np.float64)
    placed = np.clip(values, -reach, reach)
    rows = [
        ("unit", placed[t], np.nan, float(function(values[t : t + 1])[0]), 0.0, False, chosen.names[t], int(t))
        for t in kept_extremes(values, _TICKS)
        if np.isfinite(values[t])
    ]
    z = values[chosen.at : chosen.at + 1]
    if len(z) and np.isfinite(z[0]):
        at = value_and_slope(function, derivative)
        height, slope = at(float(z[0]))
        told = f"z = {enough_digits(float(z[0]), at)}, value {number(height)}, derivative {number(slope)}"
        rows += [("now", placed[chosen.at], np.nan, value, 0.0, False, told, chosen.at) for value in (height, slope)]
    return rows


@cache
def activation_spec(function: str, low: float, high: float, color: str) -> Spec:
    """A histogram, two lines, ticks and a dot; reads `activation_frame`.

    Args:
        function: how the activation function is written, such as "σ" or "tanh"
        low, high: of the axis of function and derivative
        color: of the function's line
    """
    x_scale = alt.Scale(domain=[alt.ExprRef("-reach"), alt.ExprRef("reach")], nice=False, zero=False)
    x = alt.X("z:Q", title="pre-activation z", scale=x_scale, axis=alt.Axis(tickCount=9))
    lines = alt.Y(
        "value:Q",
        title=f"{function}(z) and its derivative",
        scale=alt.Scale(domain=[low, high], nice=False, clamp=True),
        axis=alt.Axis(orient="right", tickCount=5, grid=False),
    )
    curves = [
        _of(_FUNCTION).mark_line(color=color, strokeWidth=2.6, tooltip=None).encode(x=x, y=lines),
        _of(_DERIVATIVE)
        .mark_line(color=alt.ExprRef("ink"), strokeWidth=1.6, strokeDash=[6, 3], tooltip=None)
        .encode(x=x, y=lines),
        *_marks_of_the_unit(function, x, lines),
    ]
    spec = constant(
        [_histogram(x), *curves],
        alt.TitleParams(
            f"{function} and the distribution of its pre-activations",
            subtitle=["bars: all units and timesteps of the layer, pink: saturated", "dashed: derivative"],
        ),
        f"Histogram of a layer's pre-activations with the function {function} and its derivative drawn over it.",
        height=theme.HEIGHT_SMALL + 130,
        legend=False,
        # The tallest bar; all other rows are left out of it.
        fullest="max(0.01, extent(pluck(data('source'), 'share'))[1] || 0)",
        reach="extent(pluck(data('source'), 'z'))[1] > 0 ? max(-extent(pluck(data('source'), 'z'))[0], "
        "extent(pluck(data('source'), 'z'))[1]) : 4",
    )
    bars, *drawn = spec["layer"]
    spec["layer"] = [bars, {"layer": drawn}]
    spec["resolve"] = {"scale": {"y": "independent"}}
    return spec


def _of(part: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.part === '{part}'")


def _histogram(x: alt.X) -> alt.Chart:
    height = alt.Y(
        "share:Q",
        title="share of the values",
        scale=alt.Scale(domain=[0, alt.ExprRef("fullest")], nice=False),
        axis=alt.Axis(format="~%", tickCount=4, orient="left"),
    )
    shades = alt.Color(
        "saturated:N", scale=alt.Scale(domain=[False, True], range=[theme.MUTED, theme.SURPRISE]), legend=None
    )
    tooltip = [
        told("z", "z from"),
        told("end", "to"),
        alt.Tooltip("share:Q", title="share", format=".2~%"),
        alt.Tooltip("text:N", title="are"),
    ]
    return (
        with_texts(_of("bin"), "z", "end")
        .mark_bar(opacity=0.45, binSpacing=0)
        .encode(x=x, x2="end:Q", y=height, y2=alt.datum(0), color=shades, tooltip=tooltip)
    )


def _marks_of_the_unit(function: str, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    tooltip = [
        alt.Tooltip("text:N", title="timestep"),
        told("z", "z"),
        told("value", f"{function}(z)"),
    ]
    ink = alt.ExprRef("ink")
    ticks = with_texts(_of("unit"), "z", "value").mark_rule(color=ink, strokeWidth=1.4, opacity=0.7)
    bottom, top = alt.value(alt.ExprRef("height")), alt.value(alt.ExprRef("height - 12"))
    dot = _of("now").mark_point(filled=True, size=110, opacity=1, color=ink)
    lost = (
        alt.Chart()
        .transform_filter("datum.part === 'NaN'")
        .mark_text(color=theme.ALARM, fontSize=14, fontWeight="bold", tooltip=None)
    )
    return [
        ticks.encode(x=x, y=bottom, y2=top, tooltip=tooltip),
        _of("now").mark_rule(color=ink, strokeDash=[2, 3], tooltip=None).encode(x=x),
        dot.encode(x=x, y=y, tooltip=[alt.Tooltip("text:N", title="now")]),
        lost.encode(x=alt.value(alt.ExprRef("width / 2")), y=alt.value(26), text="text:N"),
    ]
