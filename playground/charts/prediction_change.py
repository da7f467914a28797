"""What a change inside the network does to its predictions: along the text, and at one timestep."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground import theme
from playground.charts import along_probe
from playground.charts.constant import Spec, constant
from playground.charts.next_token import percent
from playground.charts.paired_bars import COLUMNS, paired_bars

BEFORE, AFTER = "original", "changed"
ALONG_COLUMNS = ("place", "before", "after", "token", "expected", "mark", "text")
SHOWN = 6

_TURNS = {"level": theme.MUTED, "higher": theme.SIGNED_ORANGE, "lower": theme.SIGNED_BLUE}
_LEVEL = 0.005
"""A probability that changes by less is drawn as unchanged."""

Array = NDArray[np.float64]


def along_frame(
    *,
    before: Array,
    after: Array,
    names: Sequence[str],
    expected: Sequence[str],
    first: int,
    chosen: int,
    changed: Sequence[int],
) -> pd.DataFrame:
    """One row for each timestep; columns as in `ALONG_COLUMNS`.

    Args:
        before, after: probability of the token that really follows, (time); NaN where none is known
        names: of the tokens read, (time)
        expected: of the tokens that follow, (time)
        first: what the first timestep is called, 0 or 1
        chosen: the timestep that is looked at, from 0
        changed: the timesteps at which something was changed, from 0
    """
    marks = ["changed" if place in set(changed) else "chosen" if place == chosen else "" for place in range(len(names))]
    return pd.DataFrame(
        {
            "place": np.arange(first, first + len(names)),
            "before": before,
            "after": after,
            "token": list(names),
            "expected": list(expected),
            "mark": marks,
            "text": [_label(*pair) for pair in zip(before, after, strict=True)],
        },
        columns=list(ALONG_COLUMNS),
    )


def _label(before: float, after: float) -> str:
    return f"{percent_or_nan(before)} → {percent_or_nan(after)}"


def percent_or_nan(probability: float) -> str:
    """A probability at a glance, or "NaN"."""
    return percent(probability) if np.isfinite(probability) else "NaN"


@cache
def along_spec() -> Spec:
    """From before to after at each timestep; reads `along_frame`."""
    x = along_probe.timesteps()
    scale = alt.Scale(domain=[0, 1], nice=False)
    y = alt.Y("before:Q", title="probability of the next token", scale=scale, axis=alt.Axis(format="~%", tickCount=5))
    end = alt.Y("after:Q", scale=scale)
    tooltip = [
        alt.Tooltip("token:N", title="input token"),
        alt.Tooltip("expected:N", title="next token"),
        alt.Tooltip("text:N", title="probability"),
        alt.Tooltip("place:Q", title="timestep", format="d"),
    ]
    ink = alt.ExprRef("ink")
    turn = alt.Color(
        "turn:N",
        scale=alt.Scale(domain=list(_TURNS), range=list(_TURNS.values())),
        legend=None,
    )
    moved = f"abs(datum.after - datum.before) < {_LEVEL} ? 'level' : datum.after > datum.before ? 'higher' : 'lower'"
    known = (
        alt.Chart().transform_filter("isValid(datum.before) && isValid(datum.after)").transform_calculate(turn=moved)
    )
    wide = alt.ExprRef("max(1.5, min(9, 0.4 * width / max(1, length(data('source')))))")
    bars = known.mark_rule(strokeWidth=wide).encode(x=x, y=y, y2="after:Q", color=turn, tooltip=tooltip)
    there = alt.Chart().transform_filter("isValid(datum.before)")
    line = there.mark_line(color=theme.MUTED, strokeWidth=1.4, tooltip=None).encode(x=x, y=y)
    was = there.mark_point(color=theme.MUTED, filled=True, size=26, opacity=1).encode(x=x, y=y, tooltip=tooltip)
    now = known.mark_point(filled=True, size=46, opacity=1).encode(x=x, y=end, color=turn, tooltip=tooltip)
    cut = (
        alt.Chart()
        .transform_filter("datum.mark === 'changed'")
        .mark_rule(color=theme.SURPRISE, strokeWidth=2, strokeDash=[5, 3], tooltip=None)
        .encode(x=x)
    )
    here = (
        alt.Chart()
        .transform_filter("datum.mark === 'chosen'")
        .mark_rule(color=ink, opacity=0.12, strokeWidth=alt.ExprRef("max(6, width / length(data('source')))"))
        .encode(x=x)
    )
    return constant(
        [here, cut, line, bars, was, now, along_probe.tokens(x)],
        alt.TitleParams(
            "Probability of the actual next token",
            subtitle=["grey: original; orange: higher after the change, blue: lower", "dashed: position of the change"],
        ),
        "For each timestep, the probability of the actual next token before and after the change.",
        height=theme.HEIGHT_SMALL + 70,
        legend=False,
        **along_probe.PLACES,
    )


def top_frame(*, before: Array, after: Array, names: Sequence[str], expected: int) -> pd.DataFrame:
    """Two rows for each of the likeliest tokens of either; columns as in `paired_bars.COLUMNS`.

    Args:
        before, after: probabilities of the next token, (vocabulary)
        names: how each token is shown, (vocabulary)
        expected: the token that really follows, shown however unlikely it is; -1 for none
    """
    likely = np.nan_to_num(np.maximum(np.nan_to_num(before), np.nan_to_num(after)))
    kept = [int(token) for token in np.argsort(-likely, kind="stable")[:SHOWN]]
    if expected >= 0 and expected not in kept:
        kept[-1] = expected
    rows = []
    for rank, token in enumerate(kept):
        # Tokens that look alike, such as two kinds of space, must not fall into one bar.
        twins = sum(names[other] == names[token] for other in kept[:rank])
        name = names[token] + (f" ({twins + 1})" if twins else "") + (" ◂ next" if token == expected else "")
        for which, probability in ((BEFORE, before[token]), (AFTER, after[token])):
            shown = float(probability) if np.isfinite(probability) else np.nan
            rows.append((name, rank, which, shown, percent_or_nan(shown)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@cache
def top_spec() -> Spec:
    """Paired bars; reads `top_frame`. The changed model has a colour that says nothing of higher or lower."""
    return paired_bars(BEFORE, AFTER, theme.GATE, about="the change", height=theme.HEIGHT_SMALL + 70)
