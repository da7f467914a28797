"""The units that tell a hypothesis best, as bars, with the baseline that they have to beat."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import altair as alt
import pandas as pd

from playground import theme
from playground.charts.constant import Spec, constant
from playground.text import number

COLUMNS = ("name", "rank", "score", "state", "baseline", "text")
_HEIGHT = 250


def unit_scores_frame(
    *, names: Sequence[str], scores: Sequence[float], states: Sequence[str], baseline: float
) -> pd.DataFrame:
    """A row for each unit, the best first; columns as in `COLUMNS`.

    Args:
        names: what the units are called
        scores: their concordance, in [0, 1]
        states: in which of their states they were scored
        baseline: the score that chance reaches
    """
    rows = [
        (name, rank, score, state, baseline, f"{number(100 * score)}%")
        for rank, (name, score, state) in enumerate(zip(names, scores, states, strict=True))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def unit_scores_spec() -> Spec:
    """A bar for each unit from chance to perfect, and a line at the baseline; reads `unit_scores_frame`."""
    y = alt.Y(
        "name:N",
        title=None,
        sort=alt.EncodingSortField(field="rank", op="min"),
        axis=alt.Axis(labelFontSize=12, labelLimit=150, ticks=False, domain=False),
        scale=alt.Scale(paddingInner=0.3),
    )
    x = alt.X(
        "score:Q",
        title="token pairs ranked correctly (50% is chance)",
        axis=alt.Axis(format="%", tickCount=6),
        scale=alt.Scale(domain=[0.5, 1.0], nice=False, clamp=True),
    )
    tooltip = [
        alt.Tooltip("name:N", title="unit"),
        alt.Tooltip("state:N", title="scored in"),
        alt.Tooltip("text:N", title="right"),
    ]
    bars = (
        alt.Chart().mark_bar(color=theme.GATE, cornerRadiusEnd=1).encode(x=x, x2=alt.datum(0.5), y=y, tooltip=tooltip)
    )
    words = (
        alt.Chart()
        .mark_text(align="left", dx=4, color=alt.ExprRef("ink"), tooltip=None)
        .encode(x=x, y=y, text="text:N")
    )
    line = (
        alt.Chart()
        .transform_filter("datum.rank === 0")
        .mark_rule(color=theme.ALARM, strokeWidth=2, strokeDash=[5, 3], tooltip=None)
        .encode(x=alt.X("baseline:Q", scale=alt.Scale(domain=[0.5, 1.0], nice=False, clamp=True)))
    )
    return constant(
        [bars, line, words],
        alt.TitleParams("The units that track it best", subtitle="dashed: baseline, the best that chance reaches"),
        "Bars: for each of the best units, the share of pairs of held-out tokens that it orders right; a dashed line "
        "at the baseline.",
        height=_HEIGHT,
        legend=False,
    )
