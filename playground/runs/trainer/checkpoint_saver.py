"""Saving checkpoints in the background, so that training does not wait for the disk.

A checkpoint is a copy of the weights, so training continues while it is hashed and written and older ones are thinned
out. At most `PENDING` are queued: a disk that cannot keep up slows the training instead of filling the memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from engine.training.checkpoint import Checkpoint

PENDING = 2
"""Checkpoints that may wait to be written, behind the one that is being written."""

Save = Callable[[str, Checkpoint, bool], None]


class CheckpointSaver:
    """Saves checkpoints in order, on a thread of its own that starts with the first.

    A checkpoint that cannot be saved stays at the head of the queue, and the next call raises the error; the call
    after that tries again. So nothing is lost or reordered while a disk is full.

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
        """Whether a checkpoint could not be saved and waits for another attempt."""
        return self._error is not None

    def put(self, run_id: str, checkpoint: Checkpoint, durable: bool = False) -> None:
        """Queue a checkpoint; blocks while the queue is full.

        Raises the error of an earlier one that still cannot be saved; this one is not queued then.
        """
        if self.failed:
            self.flush()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="saver", daemon=True)
            self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: len(self._jobs) <= PENDING or self.failed)
            self._jobs.append((run_id, checkpoint, durable))
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all are saved. Raises the error of one that cannot be; the next call tries it again."""
        with self._changed:
            self._error = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._jobs or self.failed)
            if self._error is not None:
                raise self._error

    def close(self) -> None:
        """End the thread after the current checkpoint, discarding the rest of the queue. Call `flush` before."""
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
        except Exception as error:  # raised at the training's next call
            return error
        return None
