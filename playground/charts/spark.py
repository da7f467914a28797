"""Small wordless charts for cards: the course of one number."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from playground import theme
from playground.charts.numbers import told, with_texts
from playground.charts.thinning import thin
from playground.text import number

_POINTS = 120
_HEIGHT = 56


def spark(
    *, values: Sequence[float], cell: str = "lstm", name: str = "validation loss", before: str = "", unit: str = ""
) -> alt.LayerChart:
    """A line without axes, its last point marked and written out.

    Args:
        values: the numbers in order; those that are not finite leave a gap
        cell: whose family's colour the line takes
        name: of the quantity, for the tooltip and the description
        before, unit: what stands before the last number, and behind it
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    frame = thin(pd.DataFrame({"step": np.arange(len(numbers)), "value": numbers}), _POINTS)
    measured = frame.dropna()
    last = measured.tail(1).assign(
        text=lambda rows: [f"{before} {number(value, digits=True)} {unit}".strip() for value in rows["value"]]
    )
    about = f"{name}: {_label(measured['value'])}"
    x = alt.X("step:Q", axis=None, scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("value:Q", axis=None, scale=alt.Scale(zero=False))
    color = theme.family_color(cell)
    tooltip = [told("value", name)]
    line = with_texts(alt.Chart(frame), "value").mark_line(color=color, strokeWidth=2).encode(x=x, y=y, tooltip=tooltip)
    dot = (
        with_texts(alt.Chart(last), "value")
        .mark_point(color=color, filled=True, size=50, opacity=1)
        .encode(x=x, y=y, tooltip=tooltip)
    )
    text = alt.Chart(last).mark_text(
        align="right", baseline="bottom", dy=-7, color=alt.ExprRef("ink"), fontWeight="bold"
    )
    return (
        alt.layer(line, dot, text.encode(x=x, y=y, text="text:N"))
        .add_params(alt.param(name="ink", expr=theme.INK))
        .properties(height=_HEIGHT, description=about)
        .configure_view(strokeWidth=0)
    )


def _label(values: pd.Series) -> str:
    if values.empty:
        return "no measurements yet"
    return f"from {number(float(values.iloc[0]))} to {number(float(values.iloc[-1]))}"
