"""Surprisal along a text, and of two sentences under several models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import altair as alt
import numpy as np
import pandas as pd

from playground import theme
from playground.charts.constant import Spec, constant
from playground.charts.numbers import told, with_texts
from playground.charts.thinning import running_mean, thin
from playground.text import number

MOST_BARS = 600
WINDOW = 25
"""tokens that the moving average is taken over, in a text of four times as many or more"""

_JUDGE_HEIGHT = 58
SENTENCES = ("first", "second")


def surprise_frame(*, bits: Sequence[float], names: Sequence[str]) -> pd.DataFrame:
    """One row for each token of a text (of a long one the extremes): place from 1, bits, running mean, token.

    Args:
        bits: surprise of each token, in bits; infinite ones are left out
        names: how each token is shown
    """
    values = np.asarray(bits, dtype=np.float64)
    frame = pd.DataFrame(
        {
            "place": np.arange(1, len(values) + 1),
            "bits": np.where(np.isfinite(values), values, np.nan),
            "mean": running_mean(values, min(WINDOW, max(1, len(values) // 4))),
            "token": list(names),
        }
    )
    return thin(frame, MOST_BARS, x="place", y="bits") if len(frame) > MOST_BARS else frame


@cache
def surprise_spec() -> Spec:
    """A bar for each token, and the running mean; reads `surprise_frame`."""
    x = alt.X(
        "place:Q",
        title="position of the token",
        axis=alt.Axis(format="d", grid=False, tickMinStep=1),
        scale=alt.Scale(nice=False, zero=False, domain=[0, alt.ExprRef("places[1] > 0 ? places[1] + 1 : 1")]),
    )
    most = alt.ExprRef("isValid(most[1]) ? max(1, most[1]) : 1")
    y = alt.Y("bits:Q", title="surprisal (bits)", axis=alt.Axis(tickCount=4), scale=alt.Scale(domain=[0, most]))
    tooltip = [
        alt.Tooltip("token:N", title="token"),
        alt.Tooltip("place:Q", title="position", format=",d"),
        told("bits", "surprisal (bits)"),
    ]
    wide = alt.ExprRef("max(1, min(14, 0.75 * width / max(1, length(data('source')))))")
    bars = (
        with_texts(alt.Chart(), "bits")
        .mark_bar(color=theme.SURPRISE, opacity=0.75, size=wide)
        .encode(x=x, y=y, tooltip=tooltip)
    )
    line = alt.Chart().mark_line(color=alt.ExprRef("ink"), strokeWidth=1.6, tooltip=None).encode(x=x, y="mean:Q")
    return constant(
        [bars, line],
        alt.TitleParams(
            "Surprisal along the text", subtitle=f"bars: each token, line: moving average (up to {WINDOW} tokens)"
        ),
        "Bars of the surprisal of each token in bits along the text, with their moving average as a line.",
        height=theme.HEIGHT_SMALL,
        legend=False,
        places="extent(pluck(data('source'), 'place'))",
        most="extent(pluck(data('source'), 'bits'))",
    )


def sentences_frame(*, judges: Sequence[tuple[str, float, float]]) -> pd.DataFrame:
    """Two rows for each judge of two sentences: judge, rank, sentence, bits, and a text on the likelier one.

    Args:
        judges: name and the bits that each sentence takes, the fewer the likelier
    """
    rows = []
    for rank, (name, first, second) in enumerate(judges):
        for sentence, bits, other in zip(SENTENCES, (first, second), (second, first), strict=True):
            ahead = f", {factor(other - bits)} more likely" if other > bits else ""
            rows.append((name, rank, sentence, bits, f"{number(bits)} bits{ahead}"))
    return pd.DataFrame(rows, columns=["judge", "rank", "sentence", "bits", "text"])


def factor(bits: float) -> str:
    """How many times likelier something is that takes so many bits less: 1 -> "2 times", 50 -> "10^15 times"."""
    if bits > 40:
        return f"10^{round(bits * np.log10(2))} times"
    return f"{number(2.0**bits)} times"


@cache
def sentences_spec(judges: int) -> Spec:
    """Paired bars of the bits that two sentences take, for so many judges; reads `sentences_frame`."""
    y = alt.Y(
        "judge:N",
        title=None,
        sort=alt.EncodingSortField(field="rank", op="min"),
        axis=alt.Axis(labelFontSize=13, labelLimit=190, ticks=False, domain=False),
    )
    beside = alt.YOffset("sentence:N", sort=list(SENTENCES))
    x = alt.X(
        "bits:Q",
        title="surprisal of the sentence (bits; lower: more likely)",
        axis=alt.Axis(tickCount=5),
        scale=alt.Scale(domain=[0, alt.ExprRef("most[1] > 0 ? most[1] * width / max(1, width - 170) : 1")], nice=False),
    )
    shades = alt.Scale(domain=list(SENTENCES), range=[theme.SIGNED_BLUE, theme.SIGNED_ORANGE])
    tooltip = [
        alt.Tooltip("judge:N", title="model"),
        alt.Tooltip("sentence:N", title="sentence"),
        alt.Tooltip("text:N", title="surprisal"),
    ]
    bars = (
        alt.Chart()
        .mark_bar(cornerRadiusEnd=1)
        .encode(x=x, y=y, yOffset=beside, color=alt.Color("sentence:N", scale=shades), tooltip=tooltip)
    )
    words = (
        alt.Chart()
        .mark_text(align="left", dx=5, color=alt.ExprRef("ink"), tooltip=None)
        .encode(x=x, y=y, yOffset=beside, text="text:N")
    )
    return constant(
        [bars, words],
        alt.TitleParams("Which sentence is more likely?", subtitle="blue: the first, orange: the second"),
        "Paired bars of the surprisal of two sentences in bits, for the model and for n-gram models.",
        height=judges * _JUDGE_HEIGHT,
        legend=False,
        most="extent(pluck(data('source'), 'bits'))",
    )
