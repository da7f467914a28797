"""Fewer points that draw the same line, and smoother ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def thin(frame: pd.DataFrame, limit: int, *, x: str = "step", y: str = "value") -> pd.DataFrame:
    """At most `limit` rows of a frame that draw the same line: first, last, and each bucket's lowest and highest.

    Deterministic; rows come back in the order of `x`.

    Raises:
        ValueError: a limit under 4.
    """
    ordered = frame.sort_values(x, kind="stable")
    return ordered.iloc[kept_extremes(ordered[y].to_numpy(dtype=np.float64, na_value=np.nan), limit)]


def kept_extremes(values: Array, limit: int) -> NDArray[np.intp]:
    """Indices of at most `limit` values, (values) -> (kept): both ends, and each bucket's lowest and highest.

    Raises:
        ValueError: a limit under 4.
    """
    if limit < 4:
        raise ValueError(f"Thinning keeps at least 4 rows, not {limit}.")
    count = len(values)
    if count <= limit:
        return np.arange(count)
    buckets = (limit - 2) // 2
    size = -(-(count - 2) // buckets)
    padded = np.full(buckets * size, np.nan)
    padded[: count - 2] = values[1:-1]
    inner = padded.reshape(buckets, size)  # (bucket, place in it)
    first = np.arange(buckets) * size + 1
    lowest = first + np.argmin(np.where(np.isnan(inner), np.inf, inner), axis=1)
    highest = first + np.argmax(np.where(np.isnan(inner), -np.inf, inner), axis=1)
    kept = np.unique(np.concatenate([[0], lowest, highest, [count - 1]]))
    return kept[kept < count]


def turns(values: Array) -> NDArray[np.intp]:
    """Indices of the first and last finite value, and of those that differ from the one before."""
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return finite
    differs = np.flatnonzero(np.diff(values[finite]) != 0) + 1
    return finite[np.unique(np.concatenate([[0], differs, [len(finite) - 1]]))]


def running_mean(values: Array, window: int) -> Array:
    """Mean over `window` neighbours, centred, over fewer at the ends; values that are not finite are passed over."""
    if window <= 1 or not len(values):
        return values.copy()
    good = np.isfinite(values)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.concatenate([[0.0], np.cumsum(np.where(good, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(good)])
    index = np.arange(len(values))
    first, last = np.maximum(index - window // 2, 0), np.minimum(index + (window + 1) // 2, len(values))
    seen = count[last] - count[first]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(seen > 0, (total[last] - total[first]) / np.maximum(seen, 1), np.nan)
