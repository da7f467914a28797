"""Numbers in a chart, on its axes and in what is said of a point: written as `engine.numbers.number` writes them.

Vega's own formats write 1e+1 for 10 on some axes, 4.23e+4 in one place and 9.5e-4 in another.
"""

from __future__ import annotations

import altair as alt

from engine.numbers import MINUS


def written(value: str) -> str:
    """A Vega expression that gives the text of a number, itself an expression: "datum.value"."""
    size = f"abs({value})"
    small = f"replace(replace(format({value}, '.2~e'), 'e+', 'e'), 'e-', 'e{MINUS}')"
    large = f"replace(format({value}, '.3~s'), regexp('([kMGT])$'), ' $1')"
    return (
        f"({size} === floor({size}) && {size} < 10000 ? format({value}, ',')"
        f" : {size} < 0.0009995 || {size} >= 9.995e14 ? {small}"
        f" : {size} >= 9995 ? {large} : format({value}, ',.3~r'))"
    )


ON_AXIS = written("datum.value")
"""For `labelExpr` of an axis or a legend."""


def with_texts(chart: alt.Chart, *fields: str) -> alt.Chart:
    """The chart with a text beside each of these numbers, for `told`."""
    return chart.transform_calculate(**{f"{field}_text": written(f"datum.{field}") for field in fields})


def told(field: str, title: str) -> alt.Tooltip:
    """What is said of a number under the pointer, in a chart `with_texts`."""
    return alt.Tooltip(f"{field}_text:N", title=title)
