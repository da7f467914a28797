"""How well a value tells something: the share of pairs that it puts in the right order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 256
MOST_LEVELS = 16

Counts = NDArray[np.int64]
"""(level, bin): how often a value falls in each bin while what is to be told is at each level, both rising."""


def levels_of(labels: NDArray[np.float32]) -> NDArray[np.int64]:
    """Labels as levels from 0, (time): each of its own where there are few; else as many to each of `MOST_LEVELS`."""
    different, places = np.unique(labels, return_inverse=True)
    if len(different) <= MOST_LEVELS:
        return places.astype(np.int64)
    edges = np.unique(np.quantile(labels, np.linspace(0, 1, MOST_LEVELS + 1)[1:-1]))
    return np.searchsorted(edges, labels, side="right").astype(np.int64)


def count(binned: NDArray[np.uint8], levels: NDArray[np.int64]) -> Counts:
    """How often each bin goes with each level; both (time)."""
    cells = np.bincount(levels * BINS + binned, minlength=(int(levels.max()) + 1) * BINS)
    return cells.reshape(-1, BINS)


def concordance(counts: Counts) -> float:
    """The share of pairs with different levels in which the higher level has the higher value; a tie counts half.

    Of yes and no it is the area under the ROC curve; of numbers Harrell's C, (1 + Kendall's tau) / 2 without ties among
    the levels. 0.5 is chance, 1 perfect, and 0 perfect the other way round. NaN where there is but one level.

    Args:
        counts: as `count` gives them
    """
    table = counts.astype(np.float64)
    below = np.cumsum(table, axis=1) - table  # (level, bin): values of that level in lower bins
    lower = np.cumsum(below + table / 2, axis=0) - (below + table / 2)  # the same of all lower levels together
    sizes = table.sum(1)
    pairs = (sizes.sum() ** 2 - np.square(sizes).sum()) / 2
    return float((table * lower).sum() / pairs) if pairs else float("nan")


def best_cut(counts: Counts) -> int:
    """The bin from which on values count as "on" where a high value means a high level: the highest balanced accuracy.

    Args:
        counts: of two levels, no and yes
    """
    off, on = counts.astype(np.float64)
    left_out = (np.cumsum(on) - on) / max(1.0, on.sum())  # of yes, below each bin
    kept_out = (np.cumsum(off) - off) / max(1.0, off.sum())
    return int(np.argmax(kept_out - left_out))
