"""How much the store holds, and that lists of runs stay cheap."""

from dataclasses import replace

import pytest
import torch
from sqlalchemy import event

from engine.config import Config
from engine.training.checkpoint import Checkpoint
from playground.runs.records import LimitError, Metric
from playground.runs.settings import AppSettings
from playground.runs.store import Store


def checkpoint(config: Config, step: int, values: int) -> Checkpoint:
    return Checkpoint(
        step=step,
        full=False,
        config=config,
        corpus_sha256="",
        vocabulary="{}",
        planned_steps=100,
        tensors={"model.weight": torch.zeros(values)},
    )


def test_a_run_weighs_what_its_files_do(store: Store, tiny: Config) -> None:
    run_id, other, empty = (store.create_run(tiny) for _ in range(3))
    for step in range(3):
        store.put_checkpoint(run_id, checkpoint(tiny, step, 1_000))
    store.put_live(run_id, checkpoint(tiny, 3, 2_000))
    store.put_checkpoint(other, checkpoint(tiny, 0, 50))
    sizes = store.sizes()
    assert empty not in sizes
    assert sizes[run_id] + sizes[other] == store.blobs.size()
    assert sizes[run_id] > 20_000 > sizes[other]
    store.drop_live(run_id)
    assert store.sizes()[run_id] == store.blobs.size() - sizes[other]


def test_storage_grows_with_what_is_put_in_and_says_what_deleted_runs_hold(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    before = store.storage()
    store.put_checkpoint(run_id, checkpoint(tiny, 0, 100_000))
    store.put_text("x" * 50_000)
    held = store.storage()
    assert held.used - before.used >= 450_000
    assert store.blobs.size() < held.used < store.blobs.size() + 1_000_000
    assert (held.restorable, held.full) == (0, False)
    assert held.free_disk is not None
    assert held.free_disk > 0
    store.delete_run(run_id)
    assert store.storage().restorable == store.sizes()[run_id]
    store.purge(older_than=0)
    after = store.storage()
    assert after.restorable == 0
    assert held.used - after.used >= 400_000


def test_the_limit_is_the_settings_one(settings: AppSettings) -> None:
    store = Store.of(replace(settings, max_store_mb=7))
    assert store.storage().limit == 7_000_000
    store.close()


def test_a_full_store_takes_no_text(store: Store) -> None:
    store.max_bytes = store.storage().used + 1_000
    store.put_text("x" * 500)
    with pytest.raises(LimitError, match="UNROLLED_MAX_STORE_MB"):
        store.put_text("y" * 1_000)


def test_a_list_of_runs_is_one_query_that_reads_no_rows_of_other_tables(store: Store, tiny: Config) -> None:
    for number in range(60):
        run_id = store.create_run(tiny.with_values(training__seed=number))
        store.record(run_id, [Metric(step, 1.0, 1.0, 1.0, 0.01, None, 1e5, 0.1, 0.1) for step in range(100)])
    asked: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    runs = store.runs()
    queries = [query for query in asked if query.startswith("SELECT")]
    assert len(queries) == 1
    assert queries[0].partition("FROM")[2].split()[0] == "runs"
    assert "JOIN" not in queries[0]
    assert all(len(run.spark) == 48 for run in runs)
