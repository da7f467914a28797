"""Checkpoints are saved beside the training, so that a run need not stand still for its disk.

A checkpoint is a copy of the weights, so the training may go on while it is written, hashed, put in its place and
older ones are thinned out. At most `PENDING` wait: a disk that cannot keep up slows the training instead of
filling the memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from engine.training.checkpoint import Checkpoint

PENDING = 2
"""Checkpoints that may wait to be written, behind the one that is being written."""

Save = Callable[[str, Checkpoint, bool], None]


class Saver:
    """Saves checkpoints one after another, in order, on a thread of its own that starts with the first.

    What cannot be saved stays at the head of the queue, and the error is raised to whoever calls next; the call
    after that tries again. So nothing is lost or overtaken while a disk is full.

    Args:
        save: saves a run's checkpoint, durably if asked; called on the saver's thread alone
    """

    def __init__(self, save: Save) -> None:
        self._save = save
        self._jobs: deque[tuple[str, Checkpoint, bool]] = deque()
        self._changed = threading.Condition()
        self._error: Exception | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def failed(self) -> bool:
        """Whether something could not be saved and waits to be tried again."""
        return self._error is not None

    def put(self, run_id: str, checkpoint: Checkpoint, durable: bool = False) -> None:
        """Have this saved; waits while too many wait already.

        Raises what went wrong with an earlier one, if it still does; this one is not taken then.
        """
        if self.failed:
            self.settle()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="saver", daemon=True)
            self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: len(self._jobs) <= PENDING or self.failed)
            self._jobs.append((run_id, checkpoint, durable))
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all is saved. Raises what went wrong; the next call tries that again."""
        with self._changed:
            self._error = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._jobs or self.failed)
            if self._error is not None:
                raise self._error

    def close(self) -> None:
        """End the thread after the checkpoint at hand; what waits behind it is given up. Call `settle` before."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._jobs and not self.failed))
                if self._closed:
                    return
                job = self._jobs[0]
            error = self._attempt(job)
            with self._changed:
                self._error = error
                if error is None:
                    self._jobs.popleft()
                self._changed.notify_all()

    def _attempt(self, job: tuple[str, Checkpoint, bool]) -> Exception | None:
        try:
            self._save(*job)
        except Exception as error:  # raised to the training at its next call
            return error
        return None
