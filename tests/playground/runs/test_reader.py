import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.config import Config
from playground.runs.reader import RUNS_KEPT, RunReader
from playground.runs.records import Metric, RunChange, RunNotFoundError
from playground.runs.store import Store
from playground.runs.store.starter_files import FOLDER, StarterRuns


def metric(step: int, loss: float = 1.0) -> Metric:
    return Metric(step, loss, 1.0, 1.0, 0.01, None, 1e5, 0.1, 0.1)


def test_a_snapshot_grows_with_the_run(store: Store, tiny: Config) -> None:
    reader = RunReader(store, refresh_seconds=0.0)
    run_id = store.create_run(tiny)
    assert list(reader.snapshot(run_id).metrics) == []
    store.record(run_id, [metric(1), RunChange(0, "running")])
    first = reader.snapshot(run_id)
    store.record(run_id, [metric(2), metric(1, loss=0.5)])
    second = reader.snapshot(run_id)
    assert [(row.step, row.loss) for row in second.metrics] == [(1, 0.5), (2, 1.0)]
    assert [row.loss for row in first.metrics] == [1.0], "a snapshot never changes"
    assert second.version > first.version
    assert [change.key for change in second.changes] == ["running"]


def test_frames_have_a_row_for_each_record(store: Store, tiny: Config) -> None:
    reader = RunReader(store)
    run_id = store.create_run(tiny)
    empty = reader.snapshot(run_id)
    assert list(empty.metrics_frame.columns)[:2] == ["step", "loss"]
    assert len(empty.evaluations_frame) == 0
    store.record(run_id, [metric(1), metric(2)])
    reader.forget(run_id)
    frame = reader.snapshot(run_id).metrics_frame
    assert frame["step"].tolist() == [1, 2]
    assert reader.snapshot(run_id).metrics_frame is frame


def test_without_news_it_is_the_same_snapshot(store: Store, tiny: Config) -> None:
    reader = RunReader(store, refresh_seconds=0.0)
    run_id = store.create_run(tiny)
    assert reader.snapshot(run_id) is reader.snapshot(run_id)


def test_however_many_look_the_store_is_asked_once(store: Store, tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store.create_run(tiny)
    asked: list[str] = []
    update = store.delta

    def count(run: str, after: int = 0):
        asked.append(run)
        return update(run, after)

    monkeypatch.setattr(store, "delta", count)
    reader = RunReader(store, refresh_seconds=60.0)
    together = threading.Barrier(16)

    def look(_: int) -> int:
        together.wait()
        return id(reader.snapshot(run_id))

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(look, range(16)))) == 1
    assert asked == [run_id]


def test_looking_marks_an_active_run_as_watched(store: Store, tiny: Config) -> None:
    reader = RunReader(store)
    run_id, unseen, ended = (store.create_run(tiny) for _ in range(3))
    store.record(ended, status="finished")
    reader.snapshot(run_id)
    reader.snapshot(unseen, watch=False)
    reader.snapshot(ended)
    assert [store.watched(run) for run in (run_id, unseen, ended)] == [True, False, False]


def test_rows_that_were_taken_away_are_gone_from_the_next_snapshot(store: Store, tiny: Config) -> None:
    reader = RunReader(store, refresh_seconds=0.0)
    run_id = store.create_run(tiny)
    store.record(run_id, [metric(1), metric(2), RunChange(0, "running")])
    reader.snapshot(run_id)
    store.truncate_after(run_id, 1)
    snapshot = reader.snapshot(run_id)
    assert [row.step for row in snapshot.metrics] == [1]
    assert len(snapshot.changes) == 1


def test_a_deleted_run_is_refused(store: Store, tiny: Config) -> None:
    reader = RunReader(store, refresh_seconds=0.0)
    run_id = store.create_run(tiny)
    reader.snapshot(run_id)
    store.delete_run(run_id)
    with pytest.raises(RunNotFoundError):
        reader.snapshot(run_id)


def test_only_so_many_runs_are_kept_in_memory(store: Store, tiny: Config) -> None:
    reader = RunReader(store)
    for _ in range(RUNS_KEPT + 5):
        reader.snapshot(store.create_run(tiny), watch=False)
    assert len(reader._cached) == RUNS_KEPT


def test_a_starter_run_needs_no_database() -> None:
    store = Store("sqlite:////proc/none/store.sqlite", StarterRuns(FOLDER))
    snapshot = RunReader(store, refresh_seconds=0.0).snapshot("hello-rnn")
    assert len(snapshot.metrics_frame) > 10
    assert snapshot.samples
    assert snapshot.checkpoints
