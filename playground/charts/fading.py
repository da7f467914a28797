"""How the gradient of one loss fades on its way back through time, in several networks on one logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground import theme
from playground.charts.constant import Spec, constant
from playground.text import number

COLUMNS = ("name", "back", "share", "exponent", "color", "dash", "kind", "text")
_LINE, _REACH, _END = "line", "reach", "end"

VANISHED = 0.01
"""The share of a gradient below which it is said to have vanished."""

_LEAST = 1e-30
"""A share below this is drawn as a gap: it is all but what float32 can hold."""

_RAISED = "['⁰','¹','²','³','⁴','⁵','⁶','⁷','⁸','⁹']"


@dataclass(frozen=True)
class Curve:
    """What is left of one network's gradient.

    Attributes:
        name: whose, as the label at the end of its line has it
        cell: whose family's colour the line takes
        shares: ||∂L_t/∂s_{t-k}|| / ||∂L_t/∂s_t|| for k = 0, 1, ..., (1 + t)
        reach: steps back for which the share stays above the threshold
    """

    name: str
    cell: str
    shares: Sequence[float] | NDArray[np.float64]
    reach: int


def fading_frame(curves: Sequence[Curve]) -> pd.DataFrame:
    """The rows of `fading_spec`; columns as in `COLUMNS`.

    Kinds: "line", one row for each step back; "reach", the last of them above the threshold; "end", where the name
    stands. Zeros, NaN and infinity have no place on the axis: they leave a gap.
    """
    styles = theme.run_styles([curve.cell for curve in curves])
    rows: list[tuple] = []
    for curve, style in zip(curves, styles, strict=True):
        shares = np.asarray(curve.shares, dtype=np.float64)
        drawn = np.where(np.isfinite(shares) & (shares >= _LEAST), shares, np.nan)
        told = [number(share) for share in shares.tolist()]
        at = [(curve.name, back, share, np.log10(share), style.color, style.letter) for back, share in enumerate(drawn)]
        rows += [(*place, _LINE, text) for place, text in zip(at, told, strict=True)]
        there = np.flatnonzero(np.isfinite(drawn))
        if curve.reach in there:
            rows.append((*at[curve.reach], _REACH, told[curve.reach]))
        if len(there):
            rows.append((*at[there[-1]], _END, curve.name))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def fading_spec(threshold: float, height: int) -> Spec:
    """Lines over the steps back from the loss, on a logarithmic axis; reads `fading_frame`.

    Args:
        threshold: the share at which a level is drawn
        height: in pixels
    """
    level_at = float(np.log10(threshold))
    return constant(
        [*_level(level_at, f"{100 * threshold:g}%"), *_curves()],
        # In the place of the axis' own title, which would stand upright and be longer than the axis.
        alt.TitleParams(
            "gradient norm, relative to that at the loss (log scale)",
            fontSize=theme.TEXT_SIZE,
            fontWeight="normal",
            color=theme.MUTED,
            offset=2,
        ),
        "Lines on a logarithmic axis: the norm of the gradient of one loss with respect to the state, over the steps "
        "back from that loss, relative to the norm at the timestep of the loss.",
        height=height,
        legend=False,
        backs="extent(pluck(data('source'), 'back'))",
        exponents="extent(pluck(data('source'), 'exponent'))",
        lowest=f"min({level_at} - 1, floor(exponents[0] || 0))",
        highest="max(0, ceil((exponents[1] || 0) - 1e-9))",
    )


def _scale() -> alt.Scale:
    """Of the exponents, in whole powers of ten."""
    return alt.Scale(domain=[alt.ExprRef("lowest"), alt.ExprRef("highest")], nice=False)


def _level(at: float, name: str) -> list[alt.Chart]:
    """A dashed line across the chart, with its name at the right."""
    y = alt.Y(datum=at, scale=_scale())
    rule = (
        alt.Chart()
        .transform_filter(f"datum.kind === '{_LINE}' && datum.back === 0")
        .mark_rule(color=theme.MUTED, strokeDash=[4, 3], tooltip=None)
        .encode(y=y)
    )
    named = rule.mark_text(align="right", baseline="bottom", dy=-3, color=theme.MUTED, text=name, fontSize=12)
    return [rule, named.encode(x=alt.value(alt.ExprRef("width")), y=y)]


def _curves() -> list[alt.Chart]:
    """Each network's line, a ring where it passes the level, and its name at the end."""
    x = alt.X(
        "back:Q",
        title="steps back from the loss",
        axis=alt.Axis(format="d", tickMinStep=1, grid=False),
        scale=alt.Scale(domain=[0, alt.ExprRef("max(1, backs[1] || 1) * 1.14")], nice=False),
    )
    size = "abs(round(datum.value))"
    tens = f"({size} > 9 ? {_RAISED}[floor({size} / 10)] : '')"
    written = f"datum.value === 0 ? '1' : '10' + (datum.value < 0 ? '⁻' : '') + {tens} + {_RAISED}[{size} % 10]"
    axis = alt.Axis(labelExpr=written, tickMinStep=1, tickCount=5, labelFlush=False)
    y = alt.Y("exponent:Q", title=None, scale=_scale(), axis=axis)
    shades = alt.Color("color:N", scale=None, legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="network"),
        alt.Tooltip("back:Q", title="steps back", format="d"),
        alt.Tooltip("text:N", title="relative gradient norm"),
    ]
    dashes = alt.StrokeDash(
        "dash:N",
        scale=alt.Scale(domain=list(theme.RUN_LETTERS), range=[list(dash) for dash in theme.DASHES[:4]]),
        legend=None,
    )
    lines = (
        alt.Chart()
        .transform_filter(f"datum.kind === '{_LINE}'")
        .mark_line(strokeWidth=2.4, point=alt.OverlayMarkDef(size=26, filled=True, opacity=1))
        .encode(x=x, y=y, color=shades, strokeDash=dashes, detail="name:N", tooltip=tooltip)
    )
    rings = (
        alt.Chart()
        .transform_filter(f"datum.kind === '{_REACH}'")
        .mark_point(size=130, filled=False, strokeWidth=2.2, opacity=1)
        .encode(x=x, y=y, color=shades, tooltip=tooltip)
    )
    names = (
        alt.Chart()
        .transform_filter(f"datum.kind === '{_END}'")
        .mark_text(align="left", dx=8, fontSize=12, fontWeight="bold", tooltip=None)
        .encode(x=x, y=y, color=shades, text="text:N")
    )
    return [lines, rings, names]
