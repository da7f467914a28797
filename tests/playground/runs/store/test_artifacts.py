from dataclasses import replace

import pytest
import torch

from engine.config import Config
from engine.training.checkpoint import Best, Checkpoint
from playground.runs.records import ClaimLostError, StoreError, TextLostError
from playground.runs.store import Store, schema


def checkpoint(config: Config, step: int, full: bool = False, best: int = 0) -> Checkpoint:
    tensors = {"model.weight": torch.full((2,), float(step))}
    if full:
        tensors["optimizer.weight"] = torch.ones(2)
    return Checkpoint(
        step=step,
        full=full,
        config=config,
        corpus_sha256="",
        vocabulary="{}",
        planned_steps=100,
        best=Best(best, 1.0) if best else Best(),
        tensors=tensors,
    )


def test_a_checkpoint_comes_back_whole(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.put_checkpoint(run_id, checkpoint(tiny, 7, full=True), durable=True)
    again = Checkpoint.from_bytes(store.checkpoint(run_id, 7))
    assert (again.step, again.full, again.config) == (7, True, tiny)
    assert torch.equal(again.tensors["model.weight"], torch.full((2,), 7.0))
    (info,) = store.checkpoints(run_id)
    assert (info.step, info.full, info.bytes) == (7, True, len(store.checkpoint(run_id, 7)))


def test_only_the_newest_two_and_the_best_stay_full(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    for step in (10, 20, 30, 40, 50):
        store.put_checkpoint(run_id, checkpoint(tiny, step, full=True, best=20))
    assert {info.step: info.full for info in store.checkpoints(run_id)} == {
        10: False,
        20: True,
        30: False,
        40: True,
        50: True,
    }
    slim = Checkpoint.from_bytes(store.checkpoint(run_id, 30))
    assert not slim.full
    assert set(slim.tensors) == {"model.weight"}


def test_at_most_forty_are_kept_with_first_best_and_newest(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    for step in range(0, 600, 10):
        store.put_checkpoint(run_id, checkpoint(tiny, step, full=step % 100 == 0, best=300))
    kept = {info.step: info for info in store.checkpoints(run_id)}
    assert len(kept) <= 40
    assert {0, 300, 590} <= set(kept)
    assert [step for step, info in kept.items() if info.full] == [300, 400, 500]
    assert store.blobs.size() == sum(info.bytes for info in kept.values()), "what is thinned out is gone"


def test_a_damaged_full_one_is_given_up_and_the_run_goes_on(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.put_checkpoint(run_id, checkpoint(tiny, 10, full=True))
    (path,) = (store.blobs.root / run_id).iterdir()  # type: ignore[attr-defined]
    path.write_bytes(b"")
    for step in (20, 30):
        store.put_checkpoint(run_id, checkpoint(tiny, step, full=True))
    assert [info.step for info in store.checkpoints(run_id)] == [20, 30]


def test_a_worker_that_lost_its_claim_takes_nothing_away(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    old = store.claim("a")
    assert old is not None
    store.put_checkpoint(run_id, checkpoint(tiny, 7, full=True), claim=old.numbers[run_id])
    store.interrupt(old.numbers, "gone")
    store.command(run_id, "resume")
    store.claim("b")
    for step in (7, 8):
        with pytest.raises(ClaimLostError):
            store.put_checkpoint(run_id, checkpoint(tiny, step, full=True), claim=old.numbers[run_id])
    assert Checkpoint.from_bytes(store.checkpoint(run_id, 7)).step == 7
    assert store.blobs.size() == len(store.checkpoint(run_id, 7))


def test_a_missing_or_damaged_checkpoint_is_refused_by_step(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.put_checkpoint(run_id, checkpoint(tiny, 7))
    with pytest.raises(StoreError, match="no checkpoint at step 8"):
        store.checkpoint(run_id, 8)
    (path,) = (store.blobs.root / run_id).iterdir()  # type: ignore[attr-defined]
    path.write_bytes(b"")  # as after a power cut
    with pytest.raises(StoreError, match="damaged"):
        store.checkpoint(run_id, 7)
    path.unlink()
    with pytest.raises(StoreError, match="missing"):
        store.checkpoint(run_id, 7)


def test_a_checkpoint_of_a_removed_run_leaves_no_file(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    claim = store.claim("a")
    assert claim is not None
    store.delete_run(run_id)
    store.purge(older_than=0)
    with pytest.raises(ClaimLostError):
        store.put_checkpoint(run_id, checkpoint(tiny, 1), claim=claim.numbers[run_id])
    assert store.blobs.size() == 0


def test_the_live_slot_holds_the_newest_weights_only(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    assert store.live(run_id) is None
    for step in (3, 4, 4):
        store.put_live(run_id, checkpoint(tiny, step))
    live = store.live(run_id)
    assert live is not None
    assert live.step == Checkpoint.from_bytes(live.raw).step == store.run(run_id).live_step == 4
    assert store.blobs.size() == len(live.raw)
    store.drop_live(run_id)
    assert store.live(run_id) is None
    assert store.run(run_id).live_step is None
    assert store.blobs.size() == 0


def test_a_run_is_watched_for_a_while_after_a_look(store: Store, tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store.create_run(tiny)
    assert not store.watched(run_id)
    store.watch(run_id)
    assert store.watched(run_id)
    monkeypatch.setattr("playground.runs.store.artifacts.WATCHED_SECONDS", 0.0)
    assert not store.watched(run_id)


def test_a_full_disk_is_said(store: Store, tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store.create_run(tiny)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.runs.store.blobs.os.replace", full)
    with pytest.raises(StoreError, match="no space left"):
        store.put_checkpoint(run_id, checkpoint(tiny, 1))
    assert store.checkpoints(run_id) == []


def test_a_config_with_other_values_is_another_checkpoint(store: Store, tiny: Config) -> None:
    run_id = store.create_run(tiny)
    store.put_checkpoint(run_id, checkpoint(tiny, 5, full=True))
    changed = replace(checkpoint(tiny, 5, full=True), changes=((5, "learning_rate", 0.1),))
    store.put_checkpoint(run_id, changed)
    assert Checkpoint.from_bytes(store.checkpoint(run_id, 5)).changes == ((5, "learning_rate", 0.1),)
    (info,) = store.checkpoints(run_id)
    assert store.blobs.size() == info.bytes


def test_a_text_is_called_by_its_file_or_by_its_first_words(store: Store) -> None:
    text = "Call me Ishmael. Some years ago, never mind how long precisely."
    digest = store.put_text(text)
    assert store.text_name(digest) == "Call me Ishmael. Some years ago…"
    assert store.put_text(text, "moby \n dick " + "x" * 100) == digest
    assert store.text_name(digest) == "Call me Ishmael. Some years ago…", "who has it already finds it by its name"
    other = store.put_text(text * 2, "moby \n dick " + "x" * 100)
    assert store.text_name(other) == ("moby dick " + "x" * 100)[:60]
    with store.writing() as connection:
        connection.execute(schema.texts.update().values(name=""))  # as an earlier version left it
    assert store.text_name(digest) == "Call me Ishmael. Some years ago…"
    with pytest.raises(TextLostError):
        store.text_name("0" * 64)
