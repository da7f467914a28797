"""A worker's patience with its store: what cannot be written is kept in memory and tried again until it can."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from playground.runs import disk
from playground.runs.records import StoreError, StoreFullError
from playground.runs.store import Store

log = logging.getLogger("unrolled.patience")

RETRY_SECONDS = 2.0
"""Time between two attempts to write."""

LISTEN_SECONDS = 0.1
"""Time between two looks at what pages ask meanwhile."""

Done = TypeVar("Done")


class GivenUpError(Exception):
    """The worker was told to end before the store could be written to. The message says what stood in the way."""


class Waiting(Protocol):
    """Whoever has to wait: what it says, hears and heeds meanwhile."""

    def held_up(self, trouble: str) -> None:
        """Write into the store that the runs wait because of this `trouble`. Raises StoreError if that is refused."""

    def goes_on(self) -> None:
        """The trouble is over; called only where waiting was said or tried to be said."""

    def must_leave(self) -> bool:
        """Whether to wait no longer."""

    def asked_to_try(self) -> bool:
        """Whether somebody asks to try again at once. May raise StoreError."""


class Patience:
    """Does things with the store, waiting for as long as it is full, read-only, busy or away."""

    def __init__(self, store: Store, waiting: Waiting) -> None:
        self._store = store
        self._waiting = waiting
        self._reserve = disk.Reserve(store.url)

    def insist(self, what: Callable[[], Done]) -> Done:
        """What `what` returns, once it can be done. It may be called several times, so a half-done one must not hurt.

        Raises:
            GivenUpError: the worker had to leave before
            StoreError: the store refuses for a reason that does not pass
        """
        tried, said = False, False
        while True:
            try:
                done = what()
            except StoreError as error:
                if not disk.passes(error):
                    raise
                if self._waiting.must_leave():
                    raise GivenUpError(str(error)) from error
                if not tried:
                    log.warning("Waiting: %s", error)
                said = said or self._say(error)
                tried = True
                self._wait(isinstance(error, StoreFullError))
            else:
                if tried:
                    log.info("The store can be written to again.")
                    self._waiting.goes_on()
                return done

    def _say(self, trouble: StoreError) -> bool:
        """Have the page told, with the reserve's space if there is no other; whether that could be done."""
        for _ in range(2):
            try:
                self._waiting.held_up(str(trouble))
            except StoreError as error:
                if not disk.passes(error):
                    raise
                if not (isinstance(error, StoreFullError) and self._reserve.give_up()):
                    return False  # the page finds out by itself
            else:
                return True
        return False

    def _wait(self, for_space: bool) -> None:
        """Wait until it makes sense to try again: after a while, and with the reserve in its place again."""
        while not self._waiting.must_leave():
            if self._nothing_asked_for(RETRY_SECONDS) and for_space and not self._reserve.lay():
                continue
            break
        self._store.close()  # a connection that was opened while the disk was read-only stays read-only

    def _nothing_asked_for(self, seconds: float) -> bool:
        """Wait for so long. False as soon as somebody asks to try at once, or this worker must leave."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if self._waiting.must_leave():
                return False
            try:
                if self._waiting.asked_to_try():
                    return False
            except StoreError as error:
                log.debug("Not heard: %s", error)
            time.sleep(LISTEN_SECONDS)
        return True
