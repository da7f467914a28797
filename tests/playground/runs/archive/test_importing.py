"""A run is brought in whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from playground.runs.archive import unpack
from playground.runs.archive.importing import import_run
from playground.runs.records import LimitError, StoreError, StoreFullError
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.starter_files import StarterRuns

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
    archive = unpack(packed_words, AppSettings())
    before = contents(other)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(other.blobs, "put", failing_at(number, full, other.blobs.put))
    with pytest.raises(StoreFullError, match="no space left"):
        import_run(other, archive, owner="")
    assert contents(other) == before
    assert import_run(other, archive, owner=""), "and it goes once there is space"


@pytest.mark.parametrize("error", [StoreError("broken"), PowerCutError()], ids=["error", "interrupt"])
def test_a_transaction_that_fails_leaves_nothing(
    other: Store, packed_words: bytes, contents: Contents, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    archive = unpack(packed_words, AppSettings())
    before = contents(other)
    monkeypatch.setattr(other, "write_in_transaction", failing_at(1, error, other.write_in_transaction))
    with pytest.raises(type(error)):
        import_run(other, archive, owner="")
    assert contents(other) == before


def test_a_failure_takes_no_text_away_that_was_there(
    other: Store, packed_words: bytes, own_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = other.put_text(own_text)
    monkeypatch.setattr(other, "write_in_transaction", failing_at(1, StoreError("broken"), other.write_in_transaction))
    with pytest.raises(StoreError, match="broken"):
        import_run(other, unpack(packed_words, AppSettings()), owner="")
    assert other.text(digest) == own_text


def test_a_full_store_takes_nothing_in(make_store: Callable[[], Store], packed: bytes, contents: Contents) -> None:
    store = Store(make_store().url, StarterRuns.default(), max_bytes=100_000)
    before = contents(store)
    with pytest.raises(LimitError, match="UNROLLED_MAX_STORE_MB"):
        import_run(store, unpack(packed, AppSettings()), owner="")
    assert contents(store) == before
    store.close()


def test_a_store_that_cannot_be_written_says_so(other: Store, packed: bytes) -> None:
    root = other.blobs.root  # type: ignore[attr-defined]
    shutil.rmtree(root, ignore_errors=True)
    root.write_text("not a folder")
    with pytest.raises(StoreError):
        import_run(other, unpack(packed, AppSettings()), owner="")
    assert other.runs(starters=False) == []


def test_the_same_file_twice_makes_two_runs(other: Store, packed_words: bytes) -> None:
    archive = unpack(packed_words, AppSettings())
    first, second = (import_run(other, archive, owner="me") for _ in range(2))
    assert first != second
    other.delete_run(first)
    other.purge(-1.0)
    assert other.checkpoint(second, archive.checkpoints[0].step) == archive.checkpoint(archive.checkpoints[0].step)
    assert other.text(archive.run.config.data.corpus.removeprefix("own:")) == archive.text


def test_threads_that_the_machine_has_not_are_not_asked_for(
    other: Store, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = unpack(packed, AppSettings())
    assert other.run(import_run(other, archive, owner="")).threads == 1
    monkeypatch.setattr("os.cpu_count", lambda: 0)
    assert other.run(import_run(other, archive, owner="")).threads == 1
    object.__setattr__(archive.run, "threads", 3)
    assert other.run(import_run(other, archive, owner="")).threads is None
