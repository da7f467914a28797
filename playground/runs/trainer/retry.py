"""Retrying what the store refuses for the moment: a worker keeps its results in memory until they can be written."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from playground.runs.records import StoreError, StoreFullError
from playground.runs.store import Store, disk

log = logging.getLogger("unrolled.retry")

RETRY_SECONDS = 2.0
"""Time between two attempts."""

POLL_SECONDS = 0.1
"""Time between two polls for commands while waiting."""

Result = TypeVar("Result")


class RetryAbortedError(Exception):
    """The worker was told to end before the store could be written to. The message says what stood in the way."""


class RetryHooks(Protocol):
    """What `Retrying` asks of its owner while it waits, and reports to it."""

    def on_held_up(self, trouble: str) -> None:
        """Write into the store that the runs wait because of this `trouble`. Raises StoreError if that is refused."""

    def on_recovered(self) -> None:
        """The operation has succeeded after all; called only where at least one attempt had failed."""

    def must_end(self) -> bool:
        """Whether to stop waiting."""

    def retry_requested(self) -> bool:
        """Whether a visitor asks to try again at once. May raise StoreError."""


class Retrying:
    """Calls operations on the store again for as long as it is full, read-only, busy or unreachable."""

    def __init__(self, store: Store, hooks: RetryHooks) -> None:
        self._store = store
        self._hooks = hooks
        self._reserve = disk.ReserveFile(store.url)

    def call(self, operation: Callable[[], Result]) -> Result:
        """The result of `operation`, which may be called several times and so must be safe to repeat.

        Raises:
            RetryAbortedError: the worker had to end before it succeeded
            StoreError: the store refuses for a reason that does not pass
        """
        failed, reported = False, False
        while True:
            try:
                result = operation()
            except StoreError as error:
                if not disk.is_transient(error):
                    raise
                if self._hooks.must_end():
                    raise RetryAbortedError(str(error)) from error
                if not failed:
                    log.warning("Waiting: %s", error)
                reported = reported or self._report(error)
                failed = True
                self._wait(isinstance(error, StoreFullError))
            else:
                if failed:
                    log.info("The store can be written to again.")
                    self._hooks.on_recovered()
                return result

    def _report(self, trouble: StoreError) -> bool:
        """Write why the runs wait, in the reserve's space if there is no other; whether that succeeded."""
        for _ in range(2):
            try:
                self._hooks.on_held_up(str(trouble))
            except StoreError as error:
                if not disk.is_transient(error):
                    raise
                if not (isinstance(error, StoreFullError) and self._reserve.release()):
                    return False  # the page finds out by itself
            else:
                return True
        return False

    def _wait(self, for_space: bool) -> None:
        """Wait until another attempt makes sense: for `RETRY_SECONDS`, and until the reserve fits on the disk again."""
        while not self._hooks.must_end():
            if self._undisturbed(RETRY_SECONDS) and for_space and not self._reserve.allocate():
                continue
            break
        self._store.close()  # a connection that was opened while the disk was read-only stays read-only

    def _undisturbed(self, seconds: float) -> bool:
        """Sleep for so long. False as soon as a visitor asks for another attempt, or the worker must end."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if self._hooks.must_end():
                return False
            try:
                if self._hooks.retry_requested():
                    return False
            except StoreError as error:
                log.debug("Commands could not be read: %s", error)
            time.sleep(POLL_SECONDS)
        return True
