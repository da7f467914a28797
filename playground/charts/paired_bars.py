"""The most likely next tokens as pairs of bars: each token's probability before and after something."""

from __future__ import annotations

import altair as alt

from playground import theme
from playground.charts.constant import Spec, constant

COLUMNS = ("token", "rank", "which", "probability", "text")
"""Of the rows that the chart reads: two for each token, `text` at the end of the bar."""

_NUMBER = 52
"""Pixels at the right for the number at the end of the longest bar."""


def paired_bars(before: str, after: str, color: str, *, about: str, height: int) -> Spec:
    """A chart of rows with `COLUMNS`.

    Args:
        before, after: the two values of `which`, as the tooltip names them
        color: of the bars after; those before are grey
        about: what lies between the two, for those who cannot see the chart
        height: in pixels
    """
    y = alt.Y(
        "token:N",
        title=None,
        sort=alt.EncodingSortField(field="rank", op="min"),
        axis=alt.Axis(labelFont="monospace", labelFontSize=13, labelLimit=170, ticks=False, domain=False),
        scale=alt.Scale(paddingInner=0.22, paddingOuter=0.1),
    )
    beside = alt.YOffset("which:N", sort=[before, after])
    widest = f"most[1] > 0 ? most[1] * width / max(1, width - {_NUMBER}) : 1"
    x = alt.X(
        "probability:Q",
        title="probability",
        axis=alt.Axis(format="~%", tickCount=4, labelFlush=True),
        scale=alt.Scale(domain=[0, alt.ExprRef(widest)], nice=False),
    )
    shades = alt.Color("which:N", scale=alt.Scale(domain=[before, after], range=[theme.MUTED, color]), legend=None)
    tooltip = [
        alt.Tooltip("token:N", title="token"),
        alt.Tooltip("which:N", title="distribution"),
        alt.Tooltip("probability:Q", title="probability", format=".4~%"),
    ]
    bars = alt.Chart().mark_bar(cornerRadiusEnd=1).encode(x=x, y=y, yOffset=beside, color=shades, tooltip=tooltip)
    numbers = (
        alt.Chart()
        .mark_text(align="left", dx=4, color=alt.ExprRef("ink"), tooltip=None)
        .encode(x=x, y=y, yOffset=beside, text="text:N")
    )
    return constant(
        [bars, numbers],
        alt.TitleParams("Most likely next tokens", subtitle=f"grey: {before}; colour: {after}"),
        f"Paired bars of the most likely next tokens: their probability before and after {about}.",
        height=height,
        legend=False,
        most="extent(pluck(data('source'), 'probability'))",
    )
