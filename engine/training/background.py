"""Work that cannot be cut into slices, done on a thread while the training loop stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

from engine.training.evaluation import SLICE_SECONDS

T = TypeVar("T")


def in_background(work: Callable[[], T]) -> Iterator[T | None]:
    """Run `work` on a thread of its own.

    A caller who stops listening leaves the thread behind; it does not keep the process from ending.

    Yields:
        None at least every `SLICE_SECONDS` while the work goes on, and its result at the end; what it raises is raised
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # whatever it is: raised again for whoever listens
            answer.set_exception(error)

    threading.Thread(target=run, name="background", daemon=True).start()
    while wait((answer,), SLICE_SECONDS / 2).not_done:  # the rest of a slice is for getting its turn beside the thread
        yield None
    yield answer.result()
