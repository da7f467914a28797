"""What charts along a probe share: its timesteps across, each with the token that is read there."""

from __future__ import annotations

import altair as alt

PLACES = {
    "places": "extent(pluck(data('source'), 'place'))",
    "named": "width / max(1, length(data('source'))) > 9",
}
"""Expressions that the parts below use, for `constant`: the first and last timestep, and whether tokens have room."""


def timesteps() -> alt.X:
    """The axis; its numbers make room for the tokens where those are written."""
    return alt.X(
        "place:Q",
        title="timestep t",
        axis=alt.Axis(format="d", grid=False, tickMinStep=1, offset=alt.ExprRef("named ? 18 : 0")),
        scale=alt.Scale(
            nice=False,
            zero=False,
            padding=0,  # bars would add their own, and a number before the first timestep
            domain=[alt.ExprRef("places[0] - 0.7"), alt.ExprRef("places[1] + 0.7")],
        ),
    )


def tokens(x: alt.X) -> alt.Chart:
    """The tokens under the axis."""
    return (
        alt.Chart()
        .transform_filter("named")
        .mark_text(font="monospace", fontSize=12, color=alt.ExprRef("ink"), tooltip=None)
        .encode(x=x, y=alt.value(alt.ExprRef("height + 11")), text="token:N")
    )
