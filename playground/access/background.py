"""Work behind the page: threads with a bounded queue that end with the process, and values computed by them."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from queue import Full
from typing import Any, Generic, TypeVar

import torch

from playground.access.cache import BoundedCache

log = logging.getLogger("unrolled.background")

Value = TypeVar("Value")
Task = Callable[[], Any]

_CLOSE_SECONDS = 5.0


class BackgroundPool:
    """Threads that do what is submitted, in its order.

    Like `concurrent.futures.ThreadPoolExecutor`, but its queue has a bound and can be jumped, and when the process
    exits it ends after the tasks it is at, where a `ThreadPoolExecutor` would first do all that wait.

    Args:
        name: of its threads
        workers: threads at most; each keeps to one core
        waiting: tasks that may wait at most
    """

    def __init__(self, name: str, workers: int = 1, waiting: int = 1_024) -> None:
        self._name, self._workers, self._waiting = name, workers, waiting
        self._queue: OrderedDict[Future, Task] = OrderedDict()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._closing = False
        # A thread that the interpreter takes down in the middle of torch takes the whole process down with it.
        atexit.register(self.close)

    def submit(self, task: Callable[[], Value]) -> Future[Value]:
        """Do a task once all that wait have been done. Raises `queue.Full` where too many wait."""
        with self._changed:
            if len(self._queue) >= self._waiting:
                raise Full
            future: Future[Value] = Future()
            self._put(future, task)
        return future

    def replace(self, old: Iterable[Future], tasks: Sequence[Task]) -> list[Future]:
        """Cancel what waits of `old`, and do `tasks` before all others, the first of them first."""
        with self._changed:
            for future in old:
                self.cancel(future)
            futures: list[Future] = [Future() for _ in tasks]
            for future, task in reversed([*zip(futures, tasks, strict=True)]):
                self._put(future, task, first=True)
        return futures

    def cancel(self, future: Future) -> bool:
        """Take a task out of the queue; says whether it still waited."""
        with self._changed:
            waited = self._queue.pop(future, None) is not None
            if waited:
                future.cancel()
                self._changed.notify_all()
            return waited

    def position(self, future: Future) -> int:
        """How many tasks are begun before this one; 0 once it has begun."""
        with self._changed:
            return [*self._queue].index(future) if future in self._queue else 0

    def idle(self, seconds: float) -> bool:
        """Wait so long at most until nothing is left to do; says whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, seconds)

    def close(self) -> None:
        """Cancel what waits, and end the threads after what they are at."""
        with self._changed:
            self._closing = True
            for future in [*self._queue]:
                self.cancel(future)
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_CLOSE_SECONDS)

    def _put(self, future: Future, task: Task, *, first: bool = False) -> None:
        if self._closing:
            future.cancel()
            return
        self._queue[future] = task
        self._queue.move_to_end(future, last=not first)
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        torch.set_num_threads(1)  # for this thread alone
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if self._closing:
                    return
                future, task = self._queue.popitem(last=False)
                self._busy += 1
            try:
                future.set_result(task())
            except Exception as error:
                # Whatever it is must not end the thread that works for everybody.
                log.exception("Work behind the page failed (%s).", self._name)
                future.set_exception(error)
            del future, task  # what they hold need not live until the next
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()


class BackgroundCache(Generic[Value]):
    """Values computed one at a time behind the page; the `bound` used last are kept."""

    def __init__(self, name: str, bound: int) -> None:
        self._pool = BackgroundPool(name)
        self._futures: BoundedCache[Future[Value]] = BoundedCache(bound)

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value | None:
        """The value of a key; None until it is computed.

        Raises what `compute` raised, once: whoever asks next has it computed again.
        """
        future = self._futures.get(key, lambda: self._pool.submit(compute))
        if not future.done():
            return None
        if future.exception():
            self._futures.drop(key)
        return future.result()
