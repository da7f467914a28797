"""A run is brought in whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from playground.runs.archive import unpack
from playground.runs.arrivals import bring_in
from playground.runs.records import LimitError, StoreError, StoreFullError
from playground.runs.settings import Settings
from playground.runs.shipped import Shipped
from playground.runs.store import Store

Contents = Callable[[Store], dict[str, Any]]


class PowerCutError(BaseException):
    """Anything that is no ordinary error."""


def failing_at(number: int, error: BaseException, real: Callable) -> Callable:
    """`real`, but for its call of that number, which fails."""
    calls = [0]

    def call(*args: Any, **values: Any) -> Any:
        calls[0] += 1
        if calls[0] == number:
            raise error
        return real(*args, **values)

    return call


@pytest.mark.parametrize("number", [1, 3, 5, 6])
def test_a_disk_that_fills_while_a_run_is_brought_in(
    other: Store, packed_words: bytes, contents: Contents, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    parcel = unpack(packed_words, Settings())
    before = contents(other)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(other.blobs, "put", failing_at(number, full, other.blobs.put))
    with pytest.raises(StoreFullError, match="no space left"):
        bring_in(other, parcel, owner="")
    assert contents(other) == before
    assert bring_in(other, parcel, owner=""), "and it goes once there is space"


@pytest.mark.parametrize("error", [StoreError("broken"), PowerCutError()], ids=["error", "interrupt"])
def test_a_transaction_that_fails_leaves_nothing(
    other: Store, packed_words: bytes, contents: Contents, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    parcel = unpack(packed_words, Settings())
    before = contents(other)
    monkeypatch.setattr(other, "write_within", failing_at(1, error, other.write_within))
    with pytest.raises(type(error)):
        bring_in(other, parcel, owner="")
    assert contents(other) == before


def test_a_failure_takes_no_text_away_that_was_there(
    other: Store, packed_words: bytes, own_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = other.put_text(own_text)
    monkeypatch.setattr(other, "write_within", failing_at(1, StoreError("broken"), other.write_within))
    with pytest.raises(StoreError, match="broken"):
        bring_in(other, unpack(packed_words, Settings()), owner="")
    assert other.text(digest) == own_text


def test_a_full_store_takes_nothing_in(make_store: Callable[[], Store], packed: bytes, contents: Contents) -> None:
    store = Store(make_store().url, Shipped.default(), max_bytes=100_000)
    before = contents(store)
    with pytest.raises(LimitError, match="UNROLLED_MAX_STORE_MB"):
        bring_in(store, unpack(packed, Settings()), owner="")
    assert contents(store) == before
    store.close()


def test_a_store_that_cannot_be_written_says_so(other: Store, packed: bytes) -> None:
    root = other.blobs.root  # type: ignore[attr-defined]
    shutil.rmtree(root, ignore_errors=True)
    root.write_text("not a folder")
    with pytest.raises(StoreError):
        bring_in(other, unpack(packed, Settings()), owner="")
    assert other.runs(starters=False) == []


def test_the_same_file_twice_makes_two_runs(other: Store, packed_words: bytes) -> None:
    parcel = unpack(packed_words, Settings())
    first, second = (bring_in(other, parcel, owner="me") for _ in range(2))
    assert first != second
    other.delete_run(first)
    other.purge(-1.0)
    assert other.checkpoint(second, parcel.checkpoints[0].step) == parcel.checkpoint(parcel.checkpoints[0].step)
    assert other.text(parcel.run.config.data.corpus.removeprefix("own:")) == parcel.text


def test_threads_that_the_machine_has_not_are_not_asked_for(
    other: Store, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel = unpack(packed, Settings())
    assert other.run(bring_in(other, parcel, owner="")).threads == 1
    monkeypatch.setattr("os.cpu_count", lambda: 0)
    assert other.run(bring_in(other, parcel, owner="")).threads == 1
    object.__setattr__(parcel.run, "threads", 3)
    assert other.run(bring_in(other, parcel, owner="")).threads is None
