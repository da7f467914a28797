"""Stores of their own, and run files of small runs that were really trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.config import Config
from playground.runs.archive import pack
from playground.runs.records import Finding
from playground.runs.settings import AppSettings
from playground.runs.store import Store, schema
from playground.runs.store.starter_files import StarterRuns
from playground.runs.trainer import worker as worker_module
from playground.runs.trainer.worker import Worker

TEXT = "the apple and the pear salad\nthe apple and the pair of shoes\n" * 12

SMALL = Config().with_values(
    corpus="hello",
    cell="rnn",
    units=3,
    embedding=2,
    streams=1,
    chunk=4,
    warmup=0,
    steps=40,
    evaluations=4,
    learning_rate=0.01,
    sampling__length=4,
)

MakeStore = Callable[[], Store]
Train = Callable[..., None]


@pytest.fixture(scope="session")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStore]:
    """Makes empty stores, each in a folder of its own, without starter runs."""
    made: list[Store] = []

    def make() -> Store:
        folder = tmp_path_factory.mktemp("store")
        made.append(Store(f"sqlite:///{folder}/store.sqlite", StarterRuns(Path(folder) / "none")))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def other(make_store: MakeStore) -> Store:
    """The store of another installation."""
    return make_store()


def _contents(store: Store) -> dict[str, Any]:
    with store.reading() as connection:
        rows = {table.name: connection.execute(select(table)).all() for table in schema.metadata.sorted_tables}
    root = store.blobs.root  # type: ignore[attr-defined]
    return rows | {"files": sorted((str(path), path.stat().st_size) for path in root.rglob("*") if path.is_file())}


@pytest.fixture(scope="session")
def contents() -> Callable[[Store], dict[str, Any]]:
    """Everything in a store: all rows of all tables, and the names and sizes of all files."""
    return _contents


@pytest.fixture(scope="session")
def own_text() -> str:
    """A text that a visitor brought."""
    return TEXT


def _train(store: Store, *, pause_at: int | None = None, at: int = 0, then: Callable[[], object] | None = None) -> None:
    """Train what waits longest, in this process: to its end, or paused at a step; `then` is done once at step `at`."""
    claim = store.claim("trainer")
    assert claim is not None
    worker = Worker(store, claim, AppSettings(workers=1, threads=1, linger=0.0), alive=lambda: True)
    between = worker._between_events
    pending = [then] if then is not None else []

    def look() -> None:
        step = min((loaded.training.step for loaded in worker.runs.values()), default=0)
        if pending and step >= at:
            worker.recorder.flush()
            pending.pop()()
        if pause_at is not None and step >= pause_at:
            worker.paused = True
        between()

    worker._between_events = look  # type: ignore[method-assign]
    worker.work()


@pytest.fixture(scope="session")
def train() -> Train:
    return _train


@pytest.fixture(scope="session")
def small() -> Config:
    """A run of 40 steps over "hello"."""
    return SMALL


@pytest.fixture(scope="session")
def packed(make_store: MakeStore) -> bytes:
    """A run file of a run over "hello", paused at step 25, with two named units."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_module, "POLL_SECONDS", 0.0)
        store = make_store()
        run_id = store.create_run(SMALL, name="small run")
        _train(store, pause_at=25)
        for unit in (0, 2):
            store.name_unit(run_id, Finding(0, unit, "hidden", f"unit {unit}", "doubled letters", 0.9, 0.5, step=20))
        return pack(store, run_id)


@pytest.fixture(scope="session")
def packed_words(make_store: MakeStore) -> bytes:
    """A run file of a finished run over a text of the visitor's own, read by words."""
    store = make_store()
    corpus = f"own:{store.put_text(TEXT)}"
    config = SMALL.with_values(corpus=corpus, level="word", cell="lstm", averaging=0.9, steps=12, sampling__length=5)
    run_id = store.create_run(config, name="own words")
    _train(store)
    return pack(store, run_id)
