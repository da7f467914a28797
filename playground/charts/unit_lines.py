"""A few units of a layer along a probe, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from playground import theme
from playground.charts.along_probe import PLACES, timesteps, tokens
from playground.charts.constant import Spec, constant
from playground.charts.numbers import told, with_texts

COLUMNS = ("place", "token", "unit", "value", "kind")
_LINE, _TOKEN = "line", "token"
COLORS = (theme.GATE, theme.SIGNED_ORANGE, theme.FAMILIES["gru"], theme.SIGNED_BLUE, theme.SURPRISE, theme.MUTED)
"""Of the units in order."""


def unit_lines_frame(*, values: ArrayLike, units: Sequence[str], names: Sequence[str], first: int) -> pd.DataFrame:
    """The rows of `unit_lines_spec`; columns as in `COLUMNS`. NaN and infinity leave a gap.

    Args:
        values: (time, unit) of these units
        units: what each is called
        names: the token at each timestep
        first: what the notation calls the first timestep
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    rows = [
        (t + first, names[t], unit, numbers[t, column], _LINE)
        for column, unit in enumerate(units)
        for t in range(len(names))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def unit_lines_spec(what: str, units: tuple[str, ...], low: float | None, high: float | None) -> Spec:
    """A line for each unit; reads `unit_lines_frame`.

    Args:
        what: the quantity, as the axis names it
        units: what they are called, in order
        low, high: where the axis ends; None for where the values do
    """
    x = timesteps()
    fixed = low is not None and high is not None
    ends = [alt.ExprRef("isValid(ends[0]) ? ends[0] : 0"), alt.ExprRef("isValid(ends[1]) ? ends[1] : 1")]
    scale = alt.Scale(domain=[low, high], nice=False) if fixed else alt.Scale(domain=ends, nice=True)
    y = alt.Y("value:Q", title=what, axis=alt.Axis(tickCount=5), scale=scale)
    domain, shown = list(units), len(units)
    tooltip = [
        alt.Tooltip("unit:N", title="unit"),
        alt.Tooltip("token:N", title="token"),
        alt.Tooltip("place:Q", title="timestep", format="d"),
        told("value", what),
    ]
    lines = (
        with_texts(alt.Chart(), "value")
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=18, filled=True, opacity=1))
        .encode(
            x=x,
            y=y,
            color=alt.Color("unit:N", scale=alt.Scale(domain=domain, range=list(COLORS[:shown]))),
            strokeDash=alt.StrokeDash(
                "unit:N",
                scale=alt.Scale(
                    domain=domain, range=[list(theme.DASHES[at % len(theme.DASHES)]) for at in range(shown)]
                ),
                legend=None,
            ),
            tooltip=tooltip,
        )
    )
    written = tokens(x).transform_filter(f"datum.unit === {units[0]!r}")
    return constant(
        [lines, written],
        alt.TitleParams("The chosen and pinned units along the text"),
        f"A line for each unit: its {what} at each timestep of the input text.",
        height=theme.HEIGHT_LARGE,
        legend=True,
        ends="extent(pluck(data('source'), 'value'))",
        **PLACES,
    )
