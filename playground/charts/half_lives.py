"""How long the units of each layer remember: a histogram of their half-lives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from playground import theme
from playground.charts.constant import Spec, constant

COLUMNS = ("low", "high", "count", "units", "chosen")
LONGEST = 4096.0
"""Timesteps from which on half-lives stand in the last bar."""

_PER_DOUBLING = 2


def half_life_frame(*, half_lives: ArrayLike, first: int, chosen: int) -> pd.DataFrame:
    """A row for each bar that holds a unit; bars are as wide on a logarithmic axis. Columns as in `COLUMNS`: from where
    to where it goes, how many units it holds, which ones, and whether the chosen one is among them.

    Args:
        half_lives: of each unit, in timesteps, (unit); NaN where there is none, and infinite where nothing is forgotten
        first: what the notation calls unit 0
        chosen: a unit, from 0
    """
    values = np.asarray(half_lives, dtype=np.float64)
    there = np.flatnonzero(~np.isnan(values))
    place = np.floor(_PER_DOUBLING * np.log2(np.clip(values[there], 2.0**-3, LONGEST))).astype(int)
    rows = []
    for bar in np.unique(place):
        units = there[place == bar]
        ends = (float(2.0 ** (bar / _PER_DOUBLING)), float(2.0 ** ((bar + 1) / _PER_DOUBLING)))
        rows.append((*ends, len(units), _listed([int(unit) + first for unit in units]), bool(chosen in units)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _listed(units: Sequence[int], most: int = 12) -> str:
    shown = ", ".join(map(str, units[:most]))
    return shown if len(units) <= most else f"{shown} and {len(units) - most} more"


@cache
def half_life_spec(title: str, color: str) -> Spec:
    """Bars over a logarithmic axis of timesteps; reads `half_life_frame`.

    Args:
        title: of which layer
        color: of the bars; the one that holds the chosen unit is full, the others are pale
    """
    x = alt.X(
        "low:Q",
        title="half-life (timesteps, log scale)",
        axis=alt.Axis(values=[0.25, 1, 4, 16, 64, 256, 1024, 4096], format="~g", grid=False),
        scale=alt.Scale(type="log", base=2, domain=[2.0**-3, LONGEST * 2**0.5], nice=False),
    )
    most = alt.ExprRef("isValid(most[1]) ? max(1, most[1]) : 1")
    y = alt.Y(
        "count:Q",
        title="units",
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=4),
        scale=alt.Scale(domain=[0, most], nice=True),
    )
    tooltip = [
        alt.Tooltip("low:Q", title="from (timesteps)", format=".3~r"),
        alt.Tooltip("high:Q", title="to (timesteps)", format=".3~r"),
        alt.Tooltip("count:Q", title="number of units", format="d"),
        alt.Tooltip("units:N", title="units"),
    ]
    bars = (
        alt.Chart()
        .mark_bar(color=color, binSpacing=1)
        .encode(
            x=x,
            x2="high:Q",
            y=y,
            y2=alt.datum(0),
            opacity=alt.condition("datum.chosen", alt.value(1.0), alt.value(0.45)),
            tooltip=tooltip,
        )
    )
    return constant(
        [bars],
        alt.TitleParams(title),
        f"Bars: how many units have which half-life. {title}. The full bar holds the chosen unit.",
        height=theme.HEIGHT_SMALL,
        legend=False,
        most="extent(pluck(data('source'), 'count'))",
    )
