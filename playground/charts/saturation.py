"""How saturated the gates of a layer are: for each unit how often one is all but shut and how often all but open, and
how that changes along training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from playground import theme
from playground.charts.constant import Spec, constant
from playground.charts.numbers import ON_AXIS, told, with_texts

COLUMNS = ("unit", "shut", "open", "name", "chosen")
_HEIGHT = 210


def saturation_frame(
    *, shut: ArrayLike, wide: ArrayLike, first: int, chosen: int, names: Mapping[int, str]
) -> pd.DataFrame:
    """A row for each unit; columns as in `COLUMNS`. The chosen unit comes last, to lie above the others.

    Args:
        shut: share of time that each unit's gate is below 0.1, (unit), in [0, 1]
        wide: the same above 0.9
        first: what the notation calls unit 0
        chosen: a unit, from 0
        names: of the units that have one
    """
    low, high = np.asarray(shut, dtype=np.float64), np.asarray(wide, dtype=np.float64)
    units = [*(unit for unit in range(len(low)) if unit != chosen), *([chosen] if chosen < len(low) else [])]
    rows = [
        (unit + first, low[unit], high[unit], names.get(unit, "no name yet"), unit == chosen)
        for unit in units
        if np.isfinite(low[unit])
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def saturation_spec(title: str) -> Spec:
    """A dot for each unit; reads `saturation_frame`.

    Args:
        title: which gate of which layer
    """
    x = _share("open", "share of time above 0.9")
    y = alt.Y("shut:Q", title="share of time below 0.1", axis=alt.Axis(format="%", tickCount=5), scale=_whole_scale())
    tooltip = [
        alt.Tooltip("unit:Q", title="unit", format="d"),
        alt.Tooltip("name:N", title="name"),
        told("shut", "share below 0.1"),
        told("open", "share above 0.9"),
    ]
    # Shares add up to 1 at most: below the line the gate is somewhere between for the rest of the time.
    line = alt.Chart().transform_filter("datum.chosen").mark_rule(color=theme.MUTED, strokeDash=[4, 3], tooltip=None)
    whole = line.encode(x=alt.datum(0), y=alt.datum(1), x2=alt.datum(1), y2=alt.datum(0))
    dots = with_texts(alt.Chart(), "shut", "open").mark_circle(size=44, color=theme.GATE, opacity=0.5)
    ring = (
        with_texts(alt.Chart(), "shut", "open")
        .transform_filter("datum.chosen")
        .mark_point(size=150, strokeWidth=2.4, color=alt.ExprRef("ink"), opacity=1)
    )
    return constant(
        [whole, dots.encode(x=x, y=y, tooltip=tooltip), ring.encode(x=x, y=y, tooltip=tooltip)],
        alt.TitleParams(title),
        f"A dot for each unit: the share of time that the {title} is above 0.9 across, and below 0.1 upward. The ring "
        "marks the chosen unit.",
        height=_HEIGHT,
        legend=False,
    )


def _whole_scale() -> alt.Scale:
    return alt.Scale(domain=[0, 1], nice=False)


def _share(column: str, title: str) -> alt.X:
    return alt.X(f"{column}:Q", title=title, axis=alt.Axis(format="%", tickCount=5), scale=_whole_scale())


TRAINING_COLUMNS = ("step", "gate", "share")


def training_frame(steps: Sequence[int], shares: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """A row for each training step and gate.

    Args:
        steps: training steps
        shares: by what a gate is called, its mean share of saturated time at each step, in [0, 1]
    """
    rows = [
        (step, gate, share)
        for gate, values in shares.items()
        for step, share in zip(steps, values, strict=True)
        if np.isfinite(share)
    ]
    return pd.DataFrame(rows, columns=list(TRAINING_COLUMNS))


@cache
def training_spec(gates: tuple[str, ...]) -> Spec:
    """A line for each gate over the training steps, which stand on a logarithmic axis with 0 at its left end; reads
    `training_frame`."""
    x = alt.X(
        "step:Q",
        title="training step (log scale)",
        axis=alt.Axis(labelExpr=ON_AXIS, grid=False, values=[0, *(10**power for power in range(7))]),
        scale=alt.Scale(type="symlog", constant=1, nice=False, domain=[0, alt.ExprRef("last[1] > 0 ? last[1] : 1")]),
    )
    y = alt.Y(
        "share:Q",
        title="saturated time",
        axis=alt.Axis(format="%", tickCount=5),
        scale=alt.Scale(domain=[0, 1], nice=False),
    )
    scale = alt.Scale(domain=list(gates), range=list(_COLORS[: len(gates)]))
    shades = alt.Color("gate:N", scale=scale, legend=alt.Legend(title=None))
    dashes = alt.StrokeDash(
        "gate:N", scale=alt.Scale(domain=list(gates), range=[list(dash) for dash in theme.DASHES[: len(gates)]])
    )
    tooltip = [
        alt.Tooltip("gate:N", title="gate"),
        alt.Tooltip("step:Q", title="training step", format=",d"),
        told("share", "share of time"),
    ]
    lines = (
        with_texts(alt.Chart(), "share")
        .mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=28, filled=True, opacity=1))
        .encode(x=x, y=y, color=shades, strokeDash=dashes, tooltip=tooltip)
    )
    return constant(
        [lines],
        alt.TitleParams(
            "Saturation along training", subtitle="share of time below 0.1 or above 0.9, mean of all units"
        ),
        "Lines: the share of time for which a gate is below 0.1 or above 0.9, the mean of all units, over the training "
        "steps.",
        height=_HEIGHT,
        legend=True,
        last="extent(pluck(data('source'), 'step'))",
    )


_COLORS = (theme.GATE, theme.SIGNED_BLUE, theme.SIGNED_ORANGE, theme.SURPRISE, theme.MUTED)
