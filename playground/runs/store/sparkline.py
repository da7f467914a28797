"""The sparkline of a run: its training loss at a few evenly spaced steps, updated while it trains."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

POINTS = 48
"""Points of one sparkline, at most."""

Points = Sequence[tuple[int, float]]
"""(step, mean training loss in nats per token), by step."""


def merged(points: Points, new: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """`points` with new ones in order (a step trained again replaces its point), thinned to `POINTS`."""
    by_step = dict(points)
    by_step.update(new)
    return thinned(sorted(by_step.items()))


def thinned(points: Points) -> list[tuple[int, float]]:
    """At most `POINTS` of them, evenly spaced over the steps, including the first and the last."""
    kept = _nearest_to_even(points) if len(points) > 2 * POINTS else list(points)
    while len(kept) > POINTS:
        # remove the point that leaves the smallest gap; of equal ones the later, so that the start stays as it is
        place = min(range(len(kept) - 2, 0, -1), key=lambda at: kept[at + 1][0] - kept[at - 1][0])
        del kept[place]
    return kept


def _nearest_to_even(points: Points) -> list[tuple[int, float]]:
    """The points nearest to `POINTS` evenly spaced steps."""
    steps = [step for step, _ in points]
    first, last = steps[0], steps[-1]
    places = set()
    for number in range(POINTS):
        wanted = first + (last - first) * number / (POINTS - 1)
        right = min(bisect_left(steps, wanted), len(steps) - 1)
        left = max(right - 1, 0)
        places.add(left if wanted - steps[left] < steps[right] - wanted else right)
    return [points[place] for place in sorted(places)]
