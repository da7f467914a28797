"""Work behind the page: in order, bounded, taken back, and nothing that ends the threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Full

import pytest

from playground.access.background import BackgroundCache, BackgroundPool

SECONDS = 60


@pytest.fixture
def pool() -> Iterator[BackgroundPool]:
    made = BackgroundPool("test", waiting=3)
    yield made
    made.close()


@pytest.fixture
def held(pool: BackgroundPool) -> Iterator[threading.Event]:
    """The one thread is at work until this is set."""
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert end.wait(SECONDS)

    pool.submit(hold)
    assert begun.wait(SECONDS)
    yield end
    end.set()


def test_what_a_task_returns_and_raises_is_in_its_future(
    pool: BackgroundPool, caplog: pytest.LogCaptureFixture
) -> None:
    assert pool.submit(lambda: 3).result(SECONDS) == 3
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(SECONDS)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
    assert pool.submit(lambda: 4).result(SECONDS) == 4, "the thread goes on"


def test_tasks_are_done_in_their_order_and_newer_ones_may_be_put_first(
    pool: BackgroundPool, held: threading.Event
) -> None:
    done: list[str] = []
    first, second = (pool.submit(lambda name=name: done.append(name)) for name in ("first", "second"))
    assert [pool.position(future) for future in (first, second)] == [0, 1]
    before = pool.replace([first], [lambda: done.append("a"), lambda: done.append("b")])
    assert first.cancelled()
    assert [pool.position(future) for future in (*before, second)] == [0, 1, 2]
    held.set()
    assert pool.idle(SECONDS)
    assert done == ["a", "b", "second"]


def test_more_than_may_wait_is_refused(pool: BackgroundPool, held: threading.Event) -> None:
    waiting = [pool.submit(int) for _ in range(3)]
    with pytest.raises(Full):
        pool.submit(int)
    assert pool.cancel(waiting[0])
    assert not pool.cancel(waiting[0]), "it waits no longer"
    pool.submit(int)


def test_a_closed_pool_does_nothing_more(pool: BackgroundPool, held: threading.Event) -> None:
    waiting: Future = pool.submit(int)
    threading.Timer(0.05, held.set).start()
    pool.close()
    assert waiting.cancelled()
    assert not any(thread.is_alive() for thread in pool._threads)
    assert pool.submit(int).cancelled()


def test_a_value_is_computed_behind_the_page_once() -> None:
    cache: BackgroundCache[int] = BackgroundCache("test", bound=2)
    go, computed = threading.Event(), []

    def compute() -> int:
        assert go.wait(SECONDS)
        computed.append(1)
        return 7

    assert cache.get("key", compute) is None
    assert cache.get("key", compute) is None
    go.set()
    assert cache._pool.idle(SECONDS)
    assert cache.get("key", compute) == 7
    assert computed == [1]
    cache._pool.close()


def test_what_could_not_be_computed_is_tried_again() -> None:
    cache: BackgroundCache[int] = BackgroundCache("test", bound=2)
    answers = iter([0, 2])

    def compute() -> int:
        return 4 // next(answers)

    assert cache.get("key", compute) is None
    assert cache._pool.idle(SECONDS)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", compute)
    assert cache.get("key", compute) is None
    assert cache._pool.idle(SECONDS)
    assert cache.get("key", compute) == 2
    cache._pool.close()
