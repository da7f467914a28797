"""What is computed ahead: the newest requests, of the visitor heard of last, and nothing that ends the thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground.inside.prefetch import MOST_REQUESTS, MOST_VISITORS, Prefetcher, beside
from playground.runs.records import StoreError

SECONDS = 60


@pytest.fixture
def prefetcher() -> Iterator[Prefetcher]:
    made = Prefetcher()
    yield made
    made.close()


class Held:
    """A task that does not end before it may; what is requested meanwhile waits."""

    def __init__(self, prefetcher: Prefetcher) -> None:
        self._begun, self._end = threading.Event(), threading.Event()
        prefetcher.request("somebody", [self._run])
        assert self._begun.wait(SECONDS)

    def _run(self) -> None:
        self._begun.set()
        assert self._end.wait(SECONDS)

    def end(self) -> None:
        self._end.set()


def test_requests_are_done_in_their_order(prefetcher: Prefetcher) -> None:
    done: list[int] = []
    prefetcher.request("visitor", [lambda place=place: done.append(place) for place in range(4)])
    assert prefetcher.idle(SECONDS)
    assert done == [0, 1, 2, 3]


def test_newer_requests_take_the_place_of_older_ones(prefetcher: Prefetcher) -> None:
    done: list[str] = []
    held = Held(prefetcher)
    prefetcher.request("visitor", [lambda: done.append("old")])
    prefetcher.request("visitor", [lambda: done.append("new")])
    prefetcher.request("other", [lambda: done.append("other's")])
    held.end()
    assert prefetcher.idle(SECONDS)
    assert done == ["other's", "new"], "who was heard of last is served first"


def test_a_visitor_who_requests_nothing_any_more_gets_nothing(prefetcher: Prefetcher) -> None:
    done: list[str] = []
    held = Held(prefetcher)
    prefetcher.request("visitor", [lambda: done.append("old")])
    prefetcher.request("visitor", [])
    held.end()
    assert prefetcher.idle(SECONDS)
    assert done == []


def test_there_is_a_bound_to_visitors_and_to_requests(prefetcher: Prefetcher) -> None:
    done: list[tuple[int, int]] = []
    held = Held(prefetcher)
    for visitor in range(MOST_VISITORS + 3):
        prefetcher.request(visitor, [lambda at=(visitor, place): done.append(at) for place in range(MOST_REQUESTS + 5)])
    held.end()
    assert prefetcher.idle(SECONDS)
    assert {visitor for visitor, _ in done} == {*range(3, MOST_VISITORS + 3)}
    assert {place for _, place in done} == {*range(MOST_REQUESTS)}


def test_what_goes_wrong_ends_nothing(prefetcher: Prefetcher, caplog: pytest.LogCaptureFixture) -> None:
    def gone() -> None:
        raise StoreError("The run was deleted.")

    done: list[str] = []
    prefetcher.request("visitor", [gone, lambda: 1 // 0, lambda: done.append("after")])
    assert prefetcher.idle(SECONDS)
    assert done == ["after"]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_nothing_is_done_after_the_end(prefetcher: Prefetcher) -> None:
    done: list[str] = []
    prefetcher.close()
    prefetcher.request("visitor", [lambda: done.append("late")])
    assert prefetcher.idle(SECONDS)
    assert done == []


@pytest.mark.parametrize(
    ("step", "before", "expected"),
    [(4, None, [8, 2]), (4, 2, [8, 2]), (4, 8, [2, 8]), (0, None, [1]), (0, 1, [1]), (8, 4, [4]), (8, 16, [4])],
)
def test_the_next_step_is_looked_for_where_the_visitor_is_going(
    step: int, before: int | None, expected: list[int]
) -> None:
    assert beside([0, 1, 2, 4, 8], step, before) == expected
