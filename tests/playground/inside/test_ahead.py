"""What is computed ahead: the newest wishes, of the visitor heard of last, and nothing that ends the thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playground.inside.ahead import MOST_VISITORS, MOST_WISHES, Ahead, beside
from playground.runs.records import StoreError

SECONDS = 60


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    made = Ahead()
    yield made
    made.close()


class Held:
    """A task that does not end before it may; what is wished meanwhile waits."""

    def __init__(self, ahead: Ahead) -> None:
        self._begun, self._end = threading.Event(), threading.Event()
        ahead.wish("somebody", [self._run])
        assert self._begun.wait(SECONDS)

    def _run(self) -> None:
        self._begun.set()
        assert self._end.wait(SECONDS)

    def end(self) -> None:
        self._end.set()


def test_wishes_are_done_in_their_order(ahead: Ahead) -> None:
    done: list[int] = []
    ahead.wish("visitor", [lambda place=place: done.append(place) for place in range(4)])
    assert ahead.idle(SECONDS)
    assert done == [0, 1, 2, 3]


def test_newer_wishes_take_the_place_of_older_ones(ahead: Ahead) -> None:
    done: list[str] = []
    held = Held(ahead)
    ahead.wish("visitor", [lambda: done.append("old")])
    ahead.wish("visitor", [lambda: done.append("new")])
    ahead.wish("other", [lambda: done.append("other's")])
    held.end()
    assert ahead.idle(SECONDS)
    assert done == ["other's", "new"], "who was heard of last is served first"


def test_a_visitor_who_wishes_nothing_any_more_gets_nothing(ahead: Ahead) -> None:
    done: list[str] = []
    held = Held(ahead)
    ahead.wish("visitor", [lambda: done.append("old")])
    ahead.wish("visitor", [])
    held.end()
    assert ahead.idle(SECONDS)
    assert done == []


def test_there_is_a_bound_to_visitors_and_to_wishes(ahead: Ahead) -> None:
    done: list[tuple[int, int]] = []
    held = Held(ahead)
    for visitor in range(MOST_VISITORS + 3):
        ahead.wish(visitor, [lambda at=(visitor, wish): done.append(at) for wish in range(MOST_WISHES + 5)])
    held.end()
    assert ahead.idle(SECONDS)
    assert {visitor for visitor, _ in done} == {*range(3, MOST_VISITORS + 3)}
    assert {wish for _, wish in done} == {*range(MOST_WISHES)}


def test_what_goes_wrong_ends_nothing(ahead: Ahead, caplog: pytest.LogCaptureFixture) -> None:
    def gone() -> None:
        raise StoreError("The run was deleted.")

    done: list[str] = []
    ahead.wish("visitor", [gone, lambda: 1 // 0, lambda: done.append("after")])
    assert ahead.idle(SECONDS)
    assert done == ["after"]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_nothing_is_done_after_the_end(ahead: Ahead) -> None:
    done: list[str] = []
    ahead.close()
    ahead.wish("visitor", [lambda: done.append("late")])
    assert ahead.idle(SECONDS)
    assert done == []


@pytest.mark.parametrize(
    ("step", "before", "expected"),
    [(4, None, [8, 2]), (4, 2, [8, 2]), (4, 8, [2, 8]), (0, None, [1]), (0, 1, [1]), (8, 4, [4]), (8, 16, [4])],
)
def test_the_next_step_is_looked_for_where_the_visitor_is_going(
    step: int, before: int | None, expected: list[int]
) -> None:
    assert beside([0, 1, 2, 4, 8], step, before) == expected
