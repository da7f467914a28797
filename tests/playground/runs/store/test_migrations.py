"""Stores that an older or a newer Unrolled made."""

import math
import multiprocessing
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql

from engine.config import Config
from playground.runs.jobs.records import JobRequest, pack, unpack
from playground.runs.records import StoreError
from playground.runs.store import Store, migrations
from playground.runs.store.schema import SCHEMA_VERSION
from playground.runs.store.starter_files import StarterRuns

VERSION_1 = Path(__file__).with_name("version_1.sql").read_text(encoding="utf-8")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def opened(path: Path, tmp_path: Path) -> Callable[[], Store]:
    return lambda: Store(f"sqlite:///{path}", StarterRuns(tmp_path / "no starter runs"))


def fill(path: Path, config: Config, losses: dict[str, list[float | None]]) -> None:
    """Make a store of version 1 with a run for each list of losses, at steps 10, 20, 30 and so on."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(VERSION_1)
        for place, (run_id, values) in enumerate(losses.items()):
            run = {
                "id": run_id, "name": f"run {run_id}", "status": "stopped", "config": config.to_json(),
                "corpus": config.data.corpus, "owner": "ada", "visibility": "public", "created": 1e9 + place,
                "step": 10 * len(values), "evaluation_steps": "[10, 20]", "seconds": 1.5, "train_seconds": 1.25,
                "message": "Stopped.", "suggestion": '{"clip_threshold": 1.0}', "why": "", "race_place": 0,
                "device": "cpu", "corpus_sha256": "", "version": 7, "rewritten": 0, "claim": 2,
            }  # fmt: skip
            insert(connection, "runs", run)
            for number, loss in enumerate(values, start=1):
                insert(connection, "metrics", {"run": run_id, "step": 10 * number, "loss": loss, "version": 7})
            judged = {"val_loss": 2.5, "bits_per_character": 3.6, "best": 1, "rising": 0, "seconds": 1.0}
            insert(connection, "evaluations", {"run": run_id, "step": 10, "version": 7} | judged)
            insert(connection, "samples", {"run": run_id, "step": 10, "prompt": "h", "text": "hello", "version": 7})
            checkpoint = {"full": 1, "bytes": 3, "sha256": "x", "blob": "b", "created": 1.0, "version": 7}
            insert(connection, "checkpoints", {"run": run_id, "step": 10, **checkpoint})
            insert(connection, "live", {"run": run_id, "step": 10, "blob": "l", "created": 1.0})
        connection.commit()


def insert(connection: sqlite3.Connection, table: str, row: dict) -> None:
    places = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version FROM schema_version").fetchone()[0]


def test_a_store_of_version_1_opens_with_all_it_had(path: Path, opened: Callable[[], Store], tiny: Config) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [3.0, None, 1.0], "bbbbbbbbbb": [2.0] * 1_000, "cccccccccc": []})
    store = opened()
    assert [run.id for run in store.runs()] == ["cccccccccc", "bbbbbbbbbb", "aaaaaaaaaa"]
    run = store.run("aaaaaaaaaa")
    assert (run.name, run.config, run.owner, run.status, run.version) == ("run aaaaaaaaaa", tiny, "ada", "stopped", 7)
    assert (run.evaluation_steps, dict(run.suggestion), run.deleted) == ((10, 20), {"clip_threshold": 1.0}, None)
    assert [row.step for row in store.metrics(run.id)] == [10, 20, 30]
    assert store.samples(run.id)[0].text == "hello"
    (judged,) = store.evaluations(run.id)
    assert (judged.val_loss, judged.tokens_read, judged.partial) == (2.5, None, False), "it read all there was"
    assert store.run(run.id).seconds_left is None
    assert store.sizes() == dict.fromkeys(("aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"), 3)
    assert version_of(path) == SCHEMA_VERSION
    assert run.text_facts is None


def test_the_small_curves_of_a_migrated_store_are_its_metrics(
    path: Path, opened: Callable[[], Store], tiny: Config
) -> None:
    long = [5.0 / number for number in range(1, 1_001)]
    fill(path, tiny, {"aaaaaaaaaa": [3.0, None, 1.0], "bbbbbbbbbb": list(long), "cccccccccc": []})
    sparks = {run.id: run.spark for run in opened().runs()}
    assert [step for step, _ in sparks["aaaaaaaaaa"]] == [10, 20, 30]
    assert math.isnan(sparks["aaaaaaaaaa"][1][1])
    assert len(sparks["bbbbbbbbbb"]) == 48
    assert all(loss == long[step // 10 - 1] for step, loss in sparks["bbbbbbbbbb"])
    assert [sparks["bbbbbbbbbb"][place][0] for place in (0, -1)] == [10, 10_000]
    assert sparks["cccccccccc"] == ()


def test_a_migrated_store_has_the_tables_of_a_new_one(
    path: Path, opened: Callable[[], Store], tiny: Config, tmp_path: Path
) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [1.0]})
    new = Store(f"sqlite:///{tmp_path}/new.sqlite", StarterRuns(tmp_path / "none"))

    def shape(store: Store) -> dict[str, tuple[set, set]]:
        seen = inspect(store.engine)
        return {
            name: (
                {(column["name"], column["nullable"], column["default"]) for column in seen.get_columns(name)},
                {(index["name"], tuple(index["column_names"])) for index in seen.get_indexes(name)},
            )
            for name in seen.get_table_names()
        }

    assert shape(opened()) == shape(new)


def test_a_migrated_run_is_changed_deleted_and_removed_like_any_other(
    path: Path, opened: Callable[[], Store], tiny: Config
) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [1.0]})
    store = opened()
    store.rename("aaaaaaaaaa", "old but good")
    store.delete_run("aaaaaaaaaa", by="ada")
    assert store.purge(older_than=0) == ["aaaaaaaaaa"]
    assert store.runs() == []


def test_a_migrated_store_takes_jobs_of_its_runs(path: Path, opened: Callable[[], Store], tiny: Config) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [1.0]})
    store = opened()
    request = JobRequest("aaaaaaaaaa", 10, "x", "search")
    store.request_job(request, owner="ada")
    claim = store.claim_job("trainer")
    assert claim is not None
    assert store.end_job(request.id, claim.numbers[request.id], "finished", result=pack([1.5]))
    assert unpack(store.job_result(request.id)) == "[1.5]"


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_a_newer_store_is_refused_by_name_and_not_a_byte_of_it_changes(
    path: Path, opened: Callable[[], Store], tiny: Config, killed: bool
) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [1.0]})
    newer = "UPDATE schema_version SET version = 99"
    if killed:  # what it wrote last is still in its write-ahead log
        code = f"import os, sqlite3; c = sqlite3.connect({str(path)!r}); c.execute({newer!r}); c.commit(); os._exit(0)"
        subprocess.run([sys.executable, "-c", code], check=True)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(newer)
            connection.commit()
    files = [path, path.with_name(f"{path.name}-wal")] if killed else [path]
    before = [file.read_bytes() for file in files]
    store = opened()
    for ask in (store.runs, lambda: store.create_run(tiny)):
        with pytest.raises(StoreError, match="version 99"):
            ask()
    assert "update Unrolled" in (store.trouble() or "")
    store.close()
    assert [file.read_bytes() for file in files] == before
    assert {file.name for file in path.parent.iterdir() if file.name.startswith(path.name)} <= {
        path.name,
        *((f"{path.name}-wal", f"{path.name}-shm") if killed else ()),
    }


def test_a_version_that_no_step_leads_from_is_refused(path: Path, opened: Callable[[], Store], tiny: Config) -> None:
    fill(path, tiny, {})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE schema_version SET version = 0")
        connection.commit()
    assert "version 0" in (opened().trouble() or "")


def test_two_processes_that_open_an_old_store_at_once_both_read_it_whole(
    path: Path, opened: Callable[[], Store], tiny: Config
) -> None:
    fill(path, tiny, {f"run{number:07}": [1.0] * 20 for number in range(300)})
    forked = multiprocessing.get_context("fork")
    together, answers = forked.Barrier(2), forked.Queue()

    def look() -> None:
        together.wait(timeout=120)
        store = opened()
        answers.put((store.trouble(), len(store.runs()), sum(len(run.spark) for run in store.runs())))

    processes = [forked.Process(target=look) for _ in range(2)]
    for process in processes:
        process.start()
    said = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=120)
    assert said == [(None, 300, 6_000)] * 2
    assert version_of(path) == SCHEMA_VERSION
    assert opened().metrics("run0000000")[19].step == 200


def test_a_migration_that_is_cut_short_has_changed_nothing_and_is_done_next_time(
    path: Path, opened: Callable[[], Store], tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [3.0, 2.0]})

    def cut_short(connection: object) -> None:
        migrations._from_1(connection)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", {1: cut_short})
        with pytest.raises(KeyboardInterrupt):
            opened().runs()
    assert version_of(path) == 1
    with closing(sqlite3.connect(path)) as connection:
        assert "spark" not in {row[1] for row in connection.execute("PRAGMA table_info(runs)")}
    assert opened().run("aaaaaaaaaa").spark == ((10, 3.0), (20, 2.0))


def test_a_store_that_an_older_trainer_still_writes_to_stays_readable(
    path: Path, opened: Callable[[], Store], tiny: Config
) -> None:
    fill(path, tiny, {"aaaaaaaaaa": [3.0]})
    store = opened()
    assert store.trouble() is None
    with closing(sqlite3.connect(path)) as connection:  # it knows nothing of the new columns
        insert(connection, "metrics", {"run": "aaaaaaaaaa", "step": 20, "loss": 2.0, "version": 8})
        connection.execute("REPLACE INTO live (run, step, blob, created) VALUES ('aaaaaaaaaa', 20, 'l', 2.0)")
        connection.commit()
    assert [row.step for row in store.metrics("aaaaaaaaaa")] == [10, 20]
    assert store.sizes() == {"aaaaaaaaaa": 3}


def test_every_statement_of_the_steps_can_be_said_in_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Recording:
        def execute(self, statement: object) -> None:
            said.append(str(statement.compile(dialect=postgresql.dialect())))  # type: ignore[attr-defined]

        def scalars(self, statement: object) -> list:
            self.execute(statement)
            return []

    for step in migrations.STEPS.values():
        step(Recording())  # type: ignore[arg-type]
    assert any(statement.startswith("ALTER TABLE runs ADD COLUMN spark TEXT") for statement in said)
    assert not any("AUTOINCREMENT" in statement or "PRAGMA" in statement for statement in said)
