"""A cache that all threads of the app share: each value computed once, and as many kept as its bound allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache, cached

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """The values used last, up to a bound; a value larger than the bound is kept alone.

    For a function that needs neither `peek` nor a bound in bytes, `st.cache_resource(max_entries=...)` does the same.

    Args:
        bound: of the sum of all sizes
        size: of a value; by default each counts 1
    """

    def __init__(self, bound: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._values: LRUCache[Hashable, Value] = LRUCache(bound, lambda value: min(size(value), bound))
        self._lock = threading.Condition()
        self._computed = cached(self._values, lambda key, _: key, condition=self._lock)(lambda _, compute: compute())

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key, computed if it is not kept.

        Whoever asks while another thread computes the same takes what that thread finds. What `compute` raises, its
        caller gets, and nothing is kept: whoever asks next tries again.
        """
        return self._computed(key, compute)

    def peek(self, key: Hashable) -> Value | None:
        """The value of a key, if it is kept."""
        with self._lock:
            return self._values.get(key)

    def drop(self, key: Hashable) -> None:
        """Forget the value of a key, if it is kept."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Forget every value."""
        with self._lock:
            self._values.clear()
