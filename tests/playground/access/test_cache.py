"""A cache of all threads: computed once, bounded, the one not used longest forgotten first."""

from __future__ import annotations

import threading
import time

import pytest

from playground.access.cache import BoundedCache


def _kept(bound: int) -> BoundedCache[int]:
    """Values that are their own size."""
    return BoundedCache(bound, lambda value: value)


def test_whoever_asks_while_another_computes_waits_for_it() -> None:
    kept, computed, started = BoundedCache[object](8), [], threading.Barrier(5)
    found: list[object] = []

    def compute() -> object:
        computed.append(1)
        time.sleep(0.05)
        return object()

    def ask() -> None:
        started.wait()
        found.append(kept.get("key", compute))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(computed) == 1
    assert len(set(map(id, found))) == 1


def test_what_is_computed_may_itself_be_asked_for_while_another_is() -> None:
    kept: BoundedCache[int] = BoundedCache(8)
    assert kept.get("sum", lambda: kept.get("one", lambda: 1) + kept.get("two", lambda: 2)) == 3
    assert kept.peek("two") == 2


def test_what_was_not_asked_for_longest_goes_first_when_there_is_too_much() -> None:
    kept, computed = _kept(100), []
    for key, size in (("a", 40), ("b", 40), ("a", 40), ("c", 40), ("a", 40), ("b", 40)):
        kept.get(key, lambda key=key, size=size: computed.append(key) or size)
    assert computed == ["a", "b", "c", "b"]
    assert [kept.peek(key) for key in "abc"] == [40, 40, None]


def test_a_value_beyond_the_bound_is_kept_alone() -> None:
    kept, computed = _kept(100), []
    for key, size in (("a", 40), ("large", 1_000), ("large", 1_000), ("b", 40)):
        kept.get(key, lambda key=key, size=size: computed.append(key) or size)
    assert computed == ["a", "large", "b"]
    assert [kept.peek(key) for key in ("a", "large", "b")] == [None, None, 40]


def test_what_could_not_be_computed_is_tried_again() -> None:
    kept: BoundedCache[str] = BoundedCache(8)

    def fail() -> str:
        raise ValueError("not now")

    for _ in range(2):
        with pytest.raises(ValueError, match="not now"):
            kept.get("key", fail)
    assert kept.get("key", lambda: "there") == "there"
    kept.clear()
    assert kept.peek("key") is None
