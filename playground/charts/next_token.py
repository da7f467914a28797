"""What could come next: the likeliest tokens at one place, before and after temperature and truncation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from playground.charts.constant import Spec
from playground.charts.paired_bars import COLUMNS, paired_bars

SHOWN = 10
BEFORE, AFTER = "model", "after temperature and truncation"
_WRITTEN = " ◂ chosen"


def next_token_frame(*, before: np.ndarray, after: np.ndarray, names: Sequence[str], written: int) -> pd.DataFrame:
    """Two rows for each of the likeliest tokens and for the rest together; columns as in `paired_bars.COLUMNS`.

    Args:
        before, after: probabilities, (vocabulary) each, summing to one
        names: how each token is shown, (vocabulary)
        written: the token that stands in the text, which is shown however unlikely it is; -1 for none
    """
    order = [int(token) for token in np.argsort(-before, kind="stable")]
    kept = order[:SHOWN]
    if written >= 0 and written not in kept:
        kept[-1] = written
    labels = _unique([names[token] + (_WRITTEN if token == written else "") for token in kept])
    rows = [(label, float(before[token]), float(after[token])) for label, token in zip(labels, kept, strict=True)]
    others = len(before) - len(kept)
    if others:
        rows.append((f"{others:,} others", _rest(before, kept), _rest(after, kept)))
    return pd.DataFrame(
        [
            (label, rank, which, probability, percent(probability))
            for rank, (label, *pair) in enumerate(rows)
            for which, probability in zip((BEFORE, AFTER), pair, strict=True)
        ],
        columns=list(COLUMNS),
    )


def percent(probability: float) -> str:
    """A probability at a glance: 0.1234 -> "12%", 0.0123 -> "1.2%", 0.00001 -> "<0.1%", 0.999 -> ">99%", 0 -> "0",
    NaN -> "NaN"."""
    if math.isnan(probability):
        return "NaN"
    if probability == 0:
        return "0"
    if probability < 1e-3:
        return "<0.1%"
    if 0.994 < probability < 1:
        return ">99%"
    return f"{100 * probability:.0f}%" if probability >= 0.0995 else f"{100 * probability:.1f}%"


@cache
def next_token_spec(color: str) -> Spec:
    """Paired bars; reads `next_token_frame`. `color` is that of what is sampled from."""
    return paired_bars(BEFORE, AFTER, color, about="temperature and truncation", height=(SHOWN + 1) * 38)


def _rest(probabilities: np.ndarray, kept: Sequence[int]) -> float:
    return max(0.0, 1.0 - float(probabilities[list(kept)].sum()))


def _unique(labels: Sequence[str]) -> list[str]:
    """Labels of which no two are the same: tokens that look alike are numbered."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found
