import math
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from engine.config import Config
from playground.runs.records import (
    ClaimLostError,
    Evaluation,
    Metric,
    RunChange,
    RunNotFoundError,
    RunRefusedError,
    SampleText,
    StoreError,
)
from playground.runs.store import Store, schema
from playground.runs.store.starter_files import FOLDER, StarterRuns


def metric(step: int, loss: float = 1.0) -> Metric:
    return Metric(step, loss, 1.0, 1.0, 0.01, None, 1e5, 0.1, 0.1)


def test_a_new_run_waits_with_the_config_it_was_given(store: Store, tiny: Config) -> None:
    run = store.run(store.create_run(tiny, owner="ada", visibility="private"))
    assert (run.config, run.status, run.owner, run.visibility) == (tiny, "queued", "ada", "private")
    assert run.name == "rnn 3 on hello"


def test_ids_are_short_and_safe_in_a_url(store: Store, tiny: Config) -> None:
    ids = [store.create_run(tiny) for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(len(run_id) == 10 and run_id.isalnum() and run_id.isascii() for run_id in ids)


def test_a_run_that_is_not_there_is_refused_by_name(store: Store) -> None:
    for ask in (store.run, store.version, store.delta, lambda run_id: store.record(run_id, step=1)):
        with pytest.raises(RunNotFoundError, match="nowhere"):
            ask("nowhere")


def test_the_store_is_there_again_after_closing(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny, name="kept")
    store.record(run_id, [metric(1)])
    store.close()
    assert Store(store.url, store.starters).run(run_id).name == "kept"
    assert len(store.metrics(run_id)) == 1


def test_a_step_trained_twice_leaves_one_row_and_is_seen_again(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(1), metric(2)])
    seen = store.version(run_id)
    store.record(run_id, [metric(2, loss=0.5), metric(3)])
    assert [(row.step, row.loss) for row in store.metrics(run_id)] == [(1, 1.0), (2, 0.5), (3, 1.0)]
    assert [row.step for row in store.metrics(run_id, after=seen)] == [2, 3]


def test_rows_of_all_kinds_come_back_as_they_were(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    rows = [
        metric(1),
        Evaluation(1, 2.0, 2.9, 2.1, best=True, rising=False, seconds=0.5, train_seconds=0.4),
        SampleText(1, "h", "<script>\n\u202e\U0001f600", 0.25, 30),
        RunChange(1, "learning_rate", 0.1, when=12.0),
    ]
    store.record(run_id, rows)
    update_ = store.delta(run_id)
    assert [*update_.metrics, *update_.evaluations, *update_.samples, *update_.changes] == rows


def test_not_a_number_and_infinity_survive(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(1, math.nan), metric(2, math.inf)])
    losses = [row.loss for row in store.metrics(run_id)]
    assert math.isnan(losses[0])
    assert losses[1] == math.inf


def test_an_update_with_nothing_new_is_empty(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(1)])
    now = store.delta(run_id, store.version(run_id))
    assert (now.metrics, now.checkpoints) == ([], None)


def test_what_was_taken_away_makes_readers_read_all_again(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(step) for step in (1, 2, 3)])
    seen = store.version(run_id)
    store.truncate_after(run_id, 2)
    now = store.delta(run_id, seen)
    assert now.run.rewritten > seen
    assert [row.step for row in now.metrics] == [1, 2]
    store.truncate_after(run_id, 2)
    assert store.run(run_id).rewritten == now.run.rewritten, "nothing was there to be taken away"


def test_a_worker_that_lost_its_claim_cannot_write(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    first = store.claim("a")
    assert first is not None
    store.interrupt(first.numbers, "gone")
    store.command(run_id, "resume")
    second = store.claim("b")
    assert second is not None
    store.record(run_id, [metric(1)], claim=second.numbers[run_id])
    with pytest.raises(ClaimLostError):
        store.record(run_id, [metric(2)], claim=first.numbers[run_id])
    store.delete_run(run_id)
    store.purge(older_than=0)
    with pytest.raises(ClaimLostError):
        store.record(run_id, [metric(2)], claim=second.numbers[run_id])


def test_runs_come_newest_first_and_can_be_chosen(store: Store, tiny: Config) -> None:
    mine = store.create_run(tiny, owner="ada", visibility="private")
    theirs = store.create_run(tiny, owner="bob")
    assert [run.id for run in store.runs()] == [theirs, mine]
    assert [run.id for run in store.runs(owner="ada")] == [mine]
    assert [run.id for run in store.runs(viewer="bob")] == [theirs]
    assert store.runs(status=["finished"]) == []
    assert len(store.runs(limit=1)) == 1


def test_a_race_shares_data_and_seed(store: Store, tiny: Config) -> None:
    first, second = store.create_race([tiny, tiny.with_values(cell="gru")], names=["a", "b"])
    assert store.run(first).race == store.run(second).race is not None
    assert [run.name for run in store.runs(race=store.run(first).race)] == ["a", "b"]
    with pytest.raises(RunRefusedError, match="Two to four"):
        store.create_race([tiny])
    with pytest.raises(RunRefusedError, match="text and data"):
        store.create_race([tiny, tiny.with_values(chunk=2)])
    with pytest.raises(RunRefusedError, match="same seed"):
        store.create_race([tiny, tiny.with_values(training__seed=2)])


def test_a_text_is_kept_once_and_by_its_hash(store: Store) -> None:
    digest = store.put_text("héllo\U0001f600")
    assert store.put_text("héllo\U0001f600") == digest
    assert store.text(digest) == "héllo\U0001f600"
    with pytest.raises(StoreError, match="is not in this store"):
        store.text("0" * 64)


def test_a_store_of_a_newer_version_is_refused_and_left_untouched(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(update(schema.schema_version).values(version=99))
    later = Store(store.url, store.starters)
    with pytest.raises(StoreError, match="version 99"):
        later.runs()
    assert "update Unrolled" in (later.trouble() or "")


@pytest.mark.parametrize("url", ["nonsense", "foo://bar", "sqlite://", "sqlite:////proc/none/store.sqlite"])
def test_a_store_that_cannot_be_opened_says_what_to_do(url: str, tmp_path: Path) -> None:
    trouble = Store(url, StarterRuns(tmp_path)).trouble()
    assert trouble is not None
    assert "UNROLLED_STORE" in trouble


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    trouble = Store(f"sqlite:///{tmp_path}/store.sqlite", StarterRuns(tmp_path)).trouble()
    assert trouble is not None
    assert "not a database" in trouble


def test_starter_runs_are_there_without_a_database_and_cannot_be_changed() -> None:
    store = Store("sqlite:////proc/none/store.sqlite", StarterRuns(FOLDER))
    run_id = next(iter(store.starters))
    run = store.run(run_id)
    assert run.starter
    assert run in store.runs()
    assert store.metrics(run_id)
    assert store.checkpoint(run_id, store.checkpoints(run_id)[-1].step)
    assert store.delta(run_id, store.version(run_id)).metrics == []
    for change in (
        lambda: store.delete_run(run_id),
        lambda: store.rename(run_id, "mine"),
        lambda: store.command(run_id, "resume"),
    ):
        with pytest.raises(RunRefusedError, match="read-only"):
            change()


def test_a_store_can_be_used_from_many_threads(store: Store, tiny: Config) -> None:
    from concurrent.futures import ThreadPoolExecutor

    run_id = store.create_run(tiny)

    def write(step: int) -> None:
        store.record(run_id, [metric(step)])
        store.delta(run_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    assert [row.step for row in store.metrics(run_id)] == list(range(64))
    assert store.version(run_id) == 65


def test_every_table_and_upsert_can_be_said_in_postgresql() -> None:
    dialect = postgresql.dialect()

    class Engine:
        pass

    engine = Engine()
    engine.dialect = dialect  # type: ignore[attr-defined]
    for table in schema.metadata.tables.values():
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        if table.primary_key.columns and table.name not in ("changes", "commands"):
            statement = schema.upsert(engine, table)  # type: ignore[arg-type]
            assert "ON CONFLICT" in str(statement.compile(dialect=dialect))


def test_waiting_for_a_lock_ends_with_a_sentence(
    store: Store, tiny: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, until: Callable[..., None]
) -> None:
    monkeypatch.setattr(schema, "BUSY_MILLISECONDS", 50)
    store.create_run(tiny)
    hasty = Store(store.url, store.starters)
    with store.writing() as connection:
        connection.execute(update(schema.runs).values(name="held"))
        with pytest.raises(StoreError, match="busy"):
            hasty.create_run(tiny)
    hasty.create_run(tiny)
