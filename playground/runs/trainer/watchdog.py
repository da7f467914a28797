"""Noticing processes that have given no sign of life for too long.

Time counts only while the watcher itself runs: each observation adds at most `MAX_STEP` seconds, however long ago the
last one was. So after a laptop has slept, or the watcher was stopped, every watched process still has its full time
to give the next sign.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

MAX_STEP = 2.0
"""Most seconds that one observation adds to any silence."""


Watched = TypeVar("Watched", bound=Hashable)


class Watchdog(Generic[Watched]):
    """Measures for how long the sign of each watched process has not changed.

    Args:
        clock: seconds that never go back
        longest_step: most seconds that count between two looks; a watcher looks more often than that
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_step: float = MAX_STEP) -> None:
        self._clock = clock
        self._longest_step = max_step
        self._observed_at: float | None = None
        self._awake = 0.0
        self._signs: dict[Watched, tuple[object, float]] = {}

    def observe(self, signs: Mapping[Watched, object]) -> dict[Watched, float]:
        """For each of the watched, the seconds for which its sign has been the same; 0 where it is new.

        What is not in `signs` is no longer watched.
        """
        now = self._clock()
        if self._observed_at is not None:
            self._awake += min(max(0.0, now - self._observed_at), self._longest_step)
        self._observed_at = now
        known, self._signs = self._signs, {}
        silent = {}
        for who, sign in signs.items():
            before, since = known.get(who, (None, self._awake))
            self._signs[who] = (sign, since if who in known and before == sign else self._awake)
            silent[who] = self._awake - self._signs[who][1]
        return silent

    def reset(self) -> None:
        """Measure every silence from the next observation on: what was just done may be all that they waited for."""
        self._signs = {}
