"""Noticing that somebody has given no sign of life for too long.

Time counts only while the watcher itself is awake: each look adds at most `LONGEST_STEP` seconds, however long ago the
last one was. After a laptop's sleep, or when the watcher was stopped, everything is late at once, and nobody is to
blame: whoever is watched has as long as ever to give its next sign.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

LONGEST_STEP = 2.0
"""Most seconds that one look adds to everybody's silence."""


Watched = TypeVar("Watched", bound=Hashable)


class Watchdog(Generic[Watched]):
    """Keeps, for each of those it watches, how long its sign has not changed.

    Args:
        clock: seconds that never go back
        longest_step: most seconds that count between two looks; a watcher looks more often than that
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest_step: float = LONGEST_STEP) -> None:
        self._clock = clock
        self._longest_step = longest_step
        self._looked_at: float | None = None
        self._awake = 0.0
        self._signs: dict[Watched, tuple[object, float]] = {}

    def look(self, signs: Mapping[Watched, object]) -> dict[Watched, float]:
        """For each of the watched, the seconds for which it has shown the same sign as now; 0 where that is new.

        Whoever is not among `signs` any more is forgotten.
        """
        now = self._clock()
        if self._looked_at is not None:
            self._awake += min(max(0.0, now - self._looked_at), self._longest_step)
        self._looked_at = now
        known, self._signs = self._signs, {}
        silent = {}
        for who, sign in signs.items():
            before, since = known.get(who, (None, self._awake))
            self._signs[who] = (sign, since if who in known and before == sign else self._awake)
            silent[who] = self._awake - self._signs[who][1]
        return silent

    def forgive(self) -> None:
        """Count everybody's silence anew from the next look: what has just been done may be all they waited for."""
        self._signs = {}
