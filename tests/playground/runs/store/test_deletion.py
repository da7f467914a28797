"""Runs that are deleted, brought back, and removed with all they had."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine.config import Config
from engine.training.checkpoint import Checkpoint
from playground.runs.records import (
    UNDO_SECONDS,
    Metric,
    RunChange,
    RunNotFoundError,
    RunRefusedError,
    SampleText,
    StoreError,
)
from playground.runs.store import Store, deletion, schema
from playground.runs.store.blobs import FileBlobs
from playground.runs.store.starter_files import FOLDER, StarterRuns


def metric(step: int) -> Metric:
    return Metric(step, 1.0, 1.0, 1.0, 0.01, None, 1e5, 0.1, 0.1)


def checkpoint(config: Config, step: int) -> Checkpoint:
    import torch

    tensors = {"model.weight": torch.full((2,), float(step))}
    return Checkpoint(
        step=step,
        full=False,
        config=config,
        corpus_sha256="",
        vocabulary="{}",
        planned_steps=100,
        tensors=tensors,
    )


def deleted_ago(store: Store, run_id: str, seconds: float) -> None:
    """Make it so that a deleted run was deleted that long ago."""
    with store.writing() as connection:
        when = time.time() - seconds
        connection.execute(update(schema.runs).where(schema.runs.c.id == run_id).values(deleted=when))


def files(store: Store) -> set[str]:
    """Every file beside the database, as folder/name."""
    assert isinstance(store.blobs, FileBlobs)
    root = store.blobs.root
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_deleted_run_is_out_of_sight_and_says_so(store: Store, tiny: Config) -> None:
    kept, run_id = store.create_run(tiny), store.create_run(tiny)
    store.delete_run(run_id)
    assert [run.id for run in store.runs()] == [kept]
    assert [run.id for run in store.runs(deleted=True)] == [run_id]
    asked = (store.run, store.version, store.delta, lambda run_id: store.command(run_id, "resume"))
    for ask in (*asked, lambda run_id: store.rename(run_id, "x")):
        with pytest.raises(
            RunNotFoundError, match=f"{run_id}.* was deleted; it can be restored for another 10 minutes"
        ):
            ask(run_id)
    store.delete_run(run_id)  # again is no error


def test_a_deleted_run_comes_back_with_all_it_had(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny, start=False)
    store.record(run_id, [metric(1), SampleText(1, "h", "ello", 0.0, 0), RunChange(1, "learning_rate", 0.1)])
    store.put_checkpoint(run_id, checkpoint(tiny, 1))
    before = store.delta(run_id)
    store.delete_run(run_id)
    store.restore_run(run_id)
    after = store.delta(run_id)
    for kind in ("metrics", "samples", "changes", "checkpoints"):
        assert getattr(after, kind) == getattr(before, kind)
    assert (after.run.status, after.run.spark) == ("paused", before.run.spark)
    assert Checkpoint.from_bytes(store.checkpoint(run_id, 1)).step == 1
    store.restore_run(run_id)  # again is no error


def test_a_run_that_waits_is_not_trained_once_it_is_deleted(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.delete_run(run_id)
    assert store.claim("a") is None
    assert store.queue_state().waiting == ()
    store.restore_run(run_id)
    assert store.run(run_id).status == "stopped"
    store.command(run_id, "resume")
    assert store.claim("a") is not None


def test_a_worker_is_told_to_stop_a_run_that_is_deleted(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    claim = store.claim("a")
    assert claim is not None
    store.delete_run(run_id)
    assert [command.kind for command in store.commands([run_id])] == ["stop"]
    store.record(run_id, [metric(1)], claim=claim.numbers[run_id])  # what it still has is kept
    store.interrupt(claim.numbers, "gone before it could answer")
    store.restore_run(run_id)
    assert store.run(run_id).status == "stopped"
    assert store.metrics(run_id) == [metric(1)]


def test_the_other_runs_of_a_race_go_on_without_one_that_was_deleted(store: Store, tiny: Config) -> None:
    first, second, third = store.create_race([tiny, tiny, tiny], start=False)
    store.delete_run(second)
    assert [run.id for run in store.runs(race=store.run(first).race)] == [first, third]
    store.command(first, "resume")
    claim = store.claim("a")
    assert claim is not None
    assert list(claim.numbers) == [first, third]


def test_resuming_a_race_does_not_wake_a_run_that_was_deleted(store: Store, tiny: Config) -> None:
    first, second = store.create_race([tiny, tiny])
    claim = store.claim("a")
    assert claim is not None
    store.delete_run(second)
    store.command(first, "resume")
    store.interrupt(claim.numbers, "killed before it had heard of either")
    again = store.claim("b")
    assert again is not None
    assert list(again.numbers) == [first]
    store.restore_run(second)
    assert not store.run(second).active


def test_only_what_was_deleted_long_enough_ago_is_removed(store: Store, tiny: Config) -> None:
    old, new, kept = (store.create_run(tiny) for _ in range(3))
    for run_id in (old, new, kept):
        store.record(run_id, [metric(1), RunChange(0, "running")])
        store.put_checkpoint(run_id, checkpoint(tiny, 1))
        store.watch(run_id)
    store.delete_run(old)
    store.delete_run(new)
    deleted_ago(store, old, UNDO_SECONDS + 1)
    assert store.purge() == [old]
    assert {name.split("/")[0] for name in files(store)} == {new, kept}
    with store.reading() as connection:
        for table in schema.OF_A_RUN:
            assert old not in set(connection.scalars(select(table.c.run)))
    with pytest.raises(RunNotFoundError, match="no run"):
        store.restore_run(old)
    store.restore_run(new)
    assert store.purge() == []
    assert len(store.checkpoints(new)) == len(store.metrics(kept)) == 1


def test_a_removal_that_was_cut_short_is_finished_next_time(
    store: Store, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run(tiny)
    store.put_checkpoint(run_id, checkpoint(tiny, 1))
    store.delete_run(run_id)

    def cut_short(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "_delete_unreferenced", cut_short)  # the blobs have gone, the rows are about to
        with pytest.raises(KeyboardInterrupt):
            store.purge(older_than=0)
    with pytest.raises(RunNotFoundError, match="was deleted"):
        store.restore_run(run_id)
    assert store.runs(deleted=True) == []
    assert store.purge() == [run_id]
    assert (files(store), store.sizes()) == (set(), {})


def test_a_text_goes_with_the_last_run_that_names_it(store: Store, tiny: Config) -> None:
    digest = store.put_text("a text of my own")
    own = tiny.with_values(corpus=f"own:{digest}")
    first, second = store.create_run(own), store.create_run(own)
    store.delete_run(first)
    store.purge(older_than=0)
    store.delete_run(second)
    store.purge()
    assert store.text(digest) == "a text of my own", "the second run may still come back"
    store.purge(older_than=0)
    with pytest.raises(StoreError, match="paste or upload it again"):
        store.text(digest)
    assert files(store) == set()
    assert store.put_text("a text of my own") == digest
    assert store.text(digest) == "a text of my own"


def test_a_text_that_no_run_is_made_from_goes_after_a_day(
    store: Store, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, unused = store.put_text("read by a run"), store.put_text("read by none")
    store.create_run(tiny.with_values(corpus=f"own:{named}"))
    store.purge()
    assert store.text(unused) == "read by none"
    monkeypatch.setattr(deletion, "UNUSED_TEXT_SECONDS", 0.0)
    store.purge()
    assert files(store) == {f"texts/{named}"}


def test_what_a_killed_writer_left_behind_goes_but_nothing_that_has_a_name(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    digest = store.put_text("kept")
    store.put_checkpoint(run_id, checkpoint(tiny, 1))
    store.put_live(run_id, checkpoint(tiny, 2))
    named = files(store)
    for folder in (run_id, "0000000000"):
        for name in ("step-9-abc.safetensors", ".step-9-abc.safetensors.1.1"):
            store.blobs.put(folder, name, b"left behind")
    store.blobs.put("reserve", "space", b"of somebody else")
    assert isinstance(store.blobs, FileBlobs)
    long_ago = time.time() - deletion.SWEEP_SECONDS - 10
    for path in store.blobs.root.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    store.blobs.put(run_id, "step-10-abc.safetensors", b"about to be named")
    store.purge()
    assert files(store) == named | {"reserve/space", f"{run_id}/step-10-abc.safetensors"}
    assert store.text(digest) == "kept"


@pytest.mark.parametrize("owner", ["ada", ""])
def test_a_run_is_changed_by_its_owner_and_one_without_by_everyone(store: Store, tiny: Config, owner: str) -> None:
    run_id = store.create_run(tiny, owner=owner)
    changes = (
        lambda by: store.rename(run_id, "mine now", by=by),
        lambda by: store.delete_run(run_id, by=by),
        lambda by: store.restore_run(run_id, by=by),
    )
    assert store.run(run_id).may_be_changed_by("bob") == (owner == "")
    for change in changes:
        if owner:
            with pytest.raises(RunRefusedError, match="another visitor"):
                change("bob")
        change(owner or "bob")
    assert store.run(run_id).name == "mine now"


def test_a_visitor_removes_at_once_only_what_is_theirs(store: Store, tiny: Config) -> None:
    mine, everyones, theirs = (store.create_run(tiny, owner=owner) for owner in ("ada", "", "bob"))
    for run_id in (mine, everyones, theirs):
        store.delete_run(run_id)
    assert set(store.purge(older_than=0, owner="ada")) == {mine, everyones}
    store.restore_run(theirs)


def test_starter_runs_are_everybodys_and_nobody_changes_them() -> None:
    store = Store("sqlite:////proc/none/store.sqlite", StarterRuns(FOLDER))
    run_id = next(iter(store.starters))
    assert not store.run(run_id).may_be_changed_by("")
    for change in (
        lambda: store.delete_run(run_id, by="ada"),
        lambda: store.restore_run(run_id, by="ada"),
        lambda: store.rename(run_id, "mine", by="ada"),
    ):
        with pytest.raises(RunRefusedError, match="read-only"):
            change()


def test_an_emptied_name_gives_back_the_default(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny, name="first")
    store.rename(run_id, "  second  ")
    assert store.run(run_id).name == "second"
    store.rename(run_id, "   ")
    assert store.run(run_id).name == "rnn 3 on hello"
    store.rename(run_id, "x" * 1_000)
    assert store.run(run_id).name == "x" * 200


def test_the_database_file_shrinks_when_runs_go(store: Store, tiny: Config) -> None:
    path = Path(store.engine.url.database or "")
    gone, kept = store.create_run(tiny), store.create_run(tiny)
    for run_id in (gone, kept):
        store.record(run_id, [SampleText(step, "", "x" * 5_000, 0.0, 0) for step in range(1_500)])
    store.close()  # its log is moved into the file
    before = path.stat().st_size
    store.delete_run(gone)
    store.purge(older_than=0)
    store.close()
    assert path.stat().st_size < 0.8 * before
    assert len(store.samples(kept)) == 1_500
