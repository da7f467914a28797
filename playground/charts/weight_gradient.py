"""Each timestep's share of the gradient of a weight that all timesteps use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.numbers import MINUS
from playground import theme
from playground.charts import along_probe
from playground.charts.constant import Spec, constant
from playground.charts.next_token import percent
from playground.charts.numbers import ON_AXIS
from playground.text import number

COLUMNS = ("place", "value", "token", "text", "sign", "chosen")
POSITIVE, NEGATIVE, BROKEN = "along the sum", "against the sum", "NaN"

TITLES = {
    "along": (
        "share of the gradient",
        "⟨Gₜ, G⟩ / ‖G‖² of each timestep’s part Gₜ of the gradient G; orange: along the sum, blue: against it",
    ),
    "norm": ("norm of the contribution", "norm of each timestep's contribution, regardless of direction"),
    "element": ("contribution to ∂L/∂W", "each timestep's contribution to the gradient of one weight"),
}
"""Axis and subtitle, by what is drawn."""


def contributions_frame(
    *, values: Sequence[float] | NDArray, names: Sequence[str], first: int, chosen: int, measure: str
) -> pd.DataFrame:
    """One row for each timestep; columns as in `COLUMNS`.

    Args:
        values: what each timestep gives, (time)
        names: how each token is shown, (time)
        first: what the first timestep is called, 0 or 1
        chosen: the timestep that is marked, from 0
        measure: a key of `TITLES`
    """
    found = np.asarray(values, dtype=np.float64)
    broken = ~np.isfinite(found)
    return pd.DataFrame(
        {
            "place": np.arange(first, first + len(found)),
            "value": np.where(broken, 0.0, found),
            "token": list(names),
            "text": [_label(float(value), measure) for value in found],
            "sign": np.where(broken, BROKEN, np.where(found < 0, NEGATIVE, POSITIVE)),
            "chosen": np.arange(len(found)) == chosen,
        }
    )


def _label(value: float, measure: str) -> str:
    if measure != "along" or not np.isfinite(value):
        return number(value)
    return f"{MINUS}{percent(-value)}" if value < 0 else percent(value)


@cache
def contributions_spec(measure: str) -> Spec:
    """A bar for each timestep, its token below; reads `contributions_frame`. `measure` is a key of `TITLES`."""
    axis, subtitle = TITLES[measure]
    x = along_probe.timesteps()
    scale = alt.Scale(domain=[alt.ExprRef("lowest"), alt.ExprRef("highest")], nice=True)
    labels: dict[str, Any] = {"format": "~%"} if measure == "along" else {"labelExpr": ON_AXIS}
    y = alt.Y("value:Q", title=axis, axis=alt.Axis(tickCount=5, **labels), scale=scale)
    shades = alt.Color(
        "sign:N",
        scale=alt.Scale(
            domain=[POSITIVE, NEGATIVE, BROKEN], range=[theme.SIGNED_ORANGE, theme.SIGNED_BLUE, theme.ALARM]
        ),
        legend=None,
    )
    tooltip = [
        alt.Tooltip("token:N", title="token"),
        alt.Tooltip("place:Q", title="timestep", format="d"),
        alt.Tooltip("text:N", title=axis),
    ]
    wide = alt.ExprRef("max(1, min(26, 0.72 * width / max(1, length(data('source')))))")
    ink = alt.ExprRef("ink")
    chosen = alt.Chart().transform_filter("datum.chosen")
    bars = alt.Chart().mark_bar(size=wide).encode(x=x, y=y, color=shades, tooltip=tooltip)
    column = chosen.mark_rule(color=ink, opacity=0.12, strokeWidth=wide, tooltip=None).encode(x=x)
    level = alt.Chart().mark_rule(color=ink, opacity=0.5, tooltip=None).encode(y=alt.Y(datum=0, scale=scale))
    number_above = chosen.mark_text(
        color=ink, fontWeight="bold", fontSize=12, dy=alt.ExprRef("datum.value < 0 ? 11 : -9"), tooltip=None
    ).encode(x=x, y=y, text="text:N")
    broken = (
        alt.Chart()
        .transform_filter(f"datum.sign === '{BROKEN}'")
        .mark_point(shape="cross", angle=45, size=50, color=theme.ALARM, filled=True)
        .encode(
            x=x,
            y=alt.Y(datum=0, scale=scale),
            tooltip=[alt.Tooltip("place:Q", title="timestep"), alt.Tooltip("text:N")],
        )
    )
    return constant(
        [column, bars, level, along_probe.tokens(x), number_above, broken],
        alt.TitleParams("Contribution of each timestep to the gradient", subtitle=subtitle),
        "Bars along the text: the contribution of each timestep to the gradient of one weight matrix.",
        height=theme.HEIGHT_SMALL + 40,
        legend=False,
        lowest="min(0, extent(pluck(data('source'), 'value'))[0] || 0)",
        highest="max(1e-12, extent(pluck(data('source'), 'value'))[1] || 0)",
        **along_probe.PLACES,
    )
