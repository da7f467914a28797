"""Whatever comes in as a run file: a run that works, or one kind of error and a store as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from run_files import damaged, manifest_like, opened, zipped

import engine
from engine.config import ConfigError
from engine.data import TextError
from engine.training.checkpoint import Checkpoint, CheckpointError
from playground.runs.archive import RunArchiveError, unpack
from playground.runs.archive.importing import import_run
from playground.runs.records import LimitError, StoreError
from playground.runs.settings import AppSettings
from playground.runs.store import Store

Taken = Callable[[bytes], bool]

SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def take(make_store: Callable[[], Store], contents: Callable[[Store], Any]) -> Taken:
    """Takes a file in, into one store; whether it was taken. Looks at the store after each one that was refused."""
    store = make_store()
    before = contents(store)

    def taken(raw: bytes) -> bool:
        nonlocal before
        try:
            run_id = import_run(store, unpack(raw, AppSettings()), owner="me")
        except (RunArchiveError, LimitError) as error:
            said = str(error)
        else:
            _works(store, run_id)
            store.delete_run(run_id)
            store.purge(-1.0)
            before = contents(store)
            return True
        assert said.endswith(".")
        assert said.isprintable(), "a sentence has nothing in it that cannot be seen"
        assert contents(store) == before, "a refused file leaves the store as it was"
        return False

    return taken


def _works(store: Store, run_id: str) -> None:
    """A run that was taken can be looked at and gone on with, or says in a sentence why not."""
    update = store.delta(run_id)
    for info in update.checkpoints or []:
        checkpoint = Checkpoint.from_bytes(store.checkpoint(run_id, info.step))
        if not info.full:
            continue
        try:
            corpus = engine.prepare(update.run.config.data, store.text)
            training = engine.train(update.run.config, corpus, device="cpu", checkpoint=checkpoint)
            for _ in zip(range(4), training.events(), strict=False):
                pass
        except (CheckpointError, ConfigError, TextError, StoreError):  # the last where its own text is not in the file
            pass


@settings(max_examples=160, suppress_health_check=SLOW_TO_DRAW)
@given(data=st.data())
def test_a_damaged_run_file_is_refused_or_works(data: st.DataObject, packed: bytes, take: Taken) -> None:
    take(data.draw(damaged(packed)))


@settings(max_examples=80, suppress_health_check=SLOW_TO_DRAW)
@given(data=st.data())
def test_so_is_one_with_a_text_of_its_own(data: st.DataObject, packed_words: bytes, take: Taken) -> None:
    take(data.draw(damaged(packed_words)))


@settings(max_examples=60, suppress_health_check=SLOW_TO_DRAW)
@given(data=st.data())
def test_any_manifest_is_refused(data: st.DataObject, packed: bytes, take: Taken) -> None:
    assert not take(data.draw(manifest_like(packed)))


@settings(max_examples=120)
@given(
    st.one_of(
        st.binary(max_size=400), st.binary(max_size=60).map(lambda tail: b"PK\3\4" + tail + b"PK\5\6" + b"\0" * 18)
    )
)
@example(b"PK\5\6" + b"\0" * 18)
@example(b"PK\5\6" + b"\xff" * 18)
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(RunArchiveError):
        unpack(raw, AppSettings())


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["manifest.json", "run.json", "metrics.csv"])
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20),
        st.binary(max_size=50),
        max_size=5,
    )
)
def test_any_zip_file_is_refused(parts: dict[str, bytes]) -> None:
    with pytest.raises(RunArchiveError):
        unpack(zipped(parts), AppSettings())


def test_the_undamaged_files_are_taken(packed: bytes, packed_words: bytes, take: Taken) -> None:
    assert take(packed)
    assert take(packed_words)
    assert take(zipped(opened(packed))), "also when packed again by another program"
