"""A store in a temporary folder, small configs that train in moments, and waiting with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.config import Config
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.starter_files import StarterRuns

TINY = Config().with_values(
    corpus="hello",
    cell="rnn",
    units=3,
    embedding=0,
    streams=1,
    chunk=4,
    warmup=0,
    steps=40,
    evaluations=4,
    learning_rate=0.01,
    sampling__length=4,
)


@pytest.fixture
def tiny() -> Config:
    """A run of 40 steps of a tenth of a millisecond or so."""
    return TINY


@pytest.fixture
def endless() -> Config:
    """A run that is still training when a test has done with it: each of its steps takes several times as long."""
    return TINY.with_values(units=16, layers=8, steps=200_000, evaluations=200)


@pytest.fixture
def settings(tmp_path: Path) -> AppSettings:
    return AppSettings(store=f"sqlite:///{tmp_path}/store/store.sqlite", workers=2, threads=1, linger=0.0)


@pytest.fixture
def store(settings: AppSettings, tmp_path: Path) -> Iterator[Store]:
    store = Store(settings.store, StarterRuns(tmp_path / "no starter runs"))
    yield store
    store.close()


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition, at most `seconds`; fail with its name if it does not come."""

    def wait(condition: Callable[[], object], what: str, seconds: float = 300.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain: {what}"
            time.sleep(0.02)

    return wait
