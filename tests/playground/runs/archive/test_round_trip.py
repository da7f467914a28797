"""What was taken away comes back equal elsewhere, and goes on as if it had never moved."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import run_files

from engine.cells import CELLS
from engine.config import Config
from engine.data import WordVocabulary, corpora
from engine.training.optimizers import OPTIMIZERS
from playground.runs.archive import RunArchive, RunArchiveError, pack, unpack
from playground.runs.archive.importing import IMPORTED, import_run
from playground.runs.archive.layout import checkpoint_name
from playground.runs.records import HELD_UP, INTERRUPTED, PAUSED, Metric, RunChange, SampleText
from playground.runs.settings import AppSettings
from playground.runs.store import Store
from playground.runs.store.starter_files import StarterRuns


def comparable(rows: list[Any]) -> list[str]:
    """Rows as text: NaN equals NaN there."""
    return [repr(row) for row in rows]


def moved(store: Store, run_id: str, other: Store) -> str:
    return import_run(other, unpack(pack(store, run_id), AppSettings()), owner="me")


def losses(store: Store, run_id: str) -> list[tuple[int, float, float]]:
    return [(metric.step, metric.loss, metric.grad_norm) for metric in store.metrics(run_id)]


def judged(store: Store, run_id: str) -> list[tuple[int, float]]:
    return [(evaluation.step, evaluation.val_loss) for evaluation in store.evaluations(run_id)]


def test_everything_comes_back_equal(
    make_store: Callable[[], Store], train: Callable[..., None], small: Config
) -> None:
    store, other = make_store(), make_store()
    run_id = store.create_run(small, name="mine, früher", owner="someone")
    train(store)
    odd = Metric(41, math.nan, math.inf, -math.inf, 1e-300, None, 0.1 + 0.2, 1e22, 5e-324)
    store.record(run_id, [odd, SampleText(41, "he", '"quoted", \n\t=1+1 🙂', math.nan, 0)])
    store.record(
        run_id, [RunChange(40, "learning_rate", 0.003, when=12.5), RunChange(40, "refused", text="=HYPERLINK(0)")]
    )
    with pytest.raises(RunArchiveError, match="step 41"):
        unpack(pack(store, run_id), AppSettings())  # a step that the run does not have
    store.truncate_after(run_id, 40)
    store.record(run_id, [replace(odd, step=39), SampleText(39, "he", '"quoted", \n\t=1+1 🙂', math.nan, 0)])

    arrived = moved(store, run_id, other)

    assert arrived != run_id
    for rows in ("metrics", "evaluations", "samples"):
        assert comparable(getattr(other, rows)(arrived)) == comparable(getattr(store, rows)(run_id)), rows
    *changes, mark = other.changes(arrived)
    assert changes == store.changes(run_id)
    assert (mark.step, mark.key) == (40, IMPORTED)
    here, there = store.run(run_id), other.run(arrived)
    kept = (
        "name", "status", "config", "step", "planned_steps", "parameters", "evaluation_steps", "best_step", "best_loss",
        "val_loss", "last_loss", "seconds", "train_seconds", "tokens_per_second", "message", "why", "started", "ended",
        "threads", "device", "corpus_sha256", "text_facts", "visibility",
    )  # fmt: skip
    assert here.text_facts is not None
    assert {name: getattr(there, name) for name in kept} == {name: getattr(here, name) for name in kept}
    assert (there.owner, there.race, there.parent, there.starter) == ("me", None, None, False)
    steps = [(info.step, info.full, info.sha256, info.created) for info in store.checkpoints(run_id)]
    assert [(info.step, info.full, info.sha256, info.created) for info in other.checkpoints(arrived)] == steps
    for step, *_ in steps:
        assert other.checkpoint(arrived, step) == store.checkpoint(run_id, step)


def test_a_paused_run_goes_on_elsewhere_with_the_losses_of_an_undisturbed_one(
    make_store: Callable[[], Store], train: Callable[..., None], small: Config, own_text: str
) -> None:
    here, there = make_store(), make_store()
    config = small.with_values(corpus=f"own:{here.put_text(own_text)}", cell="lstm", dropout=0.2, averaging=0.9)
    undisturbed, run_id = here.create_run(config), here.create_run(config)
    train(here)
    train(here, pause_at=17)
    assert here.run(run_id).status == PAUSED

    arrived = moved(here, run_id, there)

    assert there.text(config.data.corpus.removeprefix("own:")) == own_text
    assert there.run(arrived).status == PAUSED
    there.command(arrived, "resume")
    train(there)
    assert losses(there, arrived) == losses(here, undisturbed)
    assert judged(there, arrived) == judged(here, undisturbed)
    assert [sample.text for sample in there.samples(arrived)] == [sample.text for sample in here.samples(undisturbed)]


def test_a_run_taken_away_while_it_trains_arrives_interrupted_and_goes_on_exactly(
    make_store: Callable[[], Store], train: Callable[..., None], small: Config
) -> None:
    here, there = make_store(), make_store()
    undisturbed, run_id = here.create_run(small), here.create_run(small)
    train(here)
    files: list[bytes] = []
    train(here, at=33, then=lambda: files.append(pack(here, run_id)))
    archive = unpack(files[0], AppSettings())
    assert (archive.run.status, archive.metrics[-1].step) == ("running", 33)
    assert archive.resumes_at == 22, "the newest evaluation before"

    arrived = import_run(there, archive, owner="")

    run = there.run(arrived)
    assert run.status == INTERRUPTED
    assert "step 33" in run.message
    assert "from step 22" in run.message
    there.command(arrived, "resume")
    train(there)
    assert losses(there, arrived) == losses(here, undisturbed)


def test_a_waiting_run_arrives_paused(store: Store, other: Store, small: Config) -> None:
    arrived = moved(store, store.create_run(small), other)
    assert other.run(arrived).status == PAUSED
    assert other.queue_state().waiting == ()


def test_a_run_whose_worker_waited_for_a_disk_arrives_paused(store: Store, other: Store, small: Config) -> None:
    run_id = store.create_run(small, start=False)
    store.record(run_id, why=HELD_UP, message="The disk is full: it waits for space.", step=7)
    run = other.run(moved(store, run_id, other))
    assert (run.status, run.why) == (PAUSED, "")
    assert "At step 7, when it was exported, it could not be saved" in run.message


VARIANTS = [
    *({"optimizer": name} for name in OPTIMIZERS),
    {"optimizer": "momentum", "momentum": 0.0},
    *({"cell": name, "layers": 2} for name in CELLS),
    {"embedding": 0, "bias": False},
    {"averaging": 0.9, "precision": "bfloat16", "cell": "lstm"},
]


@pytest.mark.parametrize("values", VARIANTS, ids=str)
def test_every_kind_of_model_and_optimiser_passes_its_own_checks(
    make_store: Callable[[], Store], train: Callable[..., None], small: Config, values: dict[str, Any]
) -> None:
    store = make_store()
    run_id = store.create_run(small.with_values(**values))
    train(store, pause_at=9)
    archive = unpack(pack(store, run_id), AppSettings())
    assert archive.left_out == ()
    assert archive.resumes_at == 9
    for info in archive.checkpoints:
        assert archive.checkpoint(info.step) == store.checkpoint(run_id, info.step)


def test_every_starter_run_can_be_taken_away(make_store: Callable[[], Store]) -> None:
    store = Store(make_store().url, StarterRuns.default())
    for run_id in store.starters:
        archive = unpack(pack(store, run_id), AppSettings())
        assert (archive.run.name, archive.left_out) == (store.run(run_id).name, ())
        assert [info.step for info in archive.checkpoints] == [info.step for info in store.checkpoints(run_id)]
    store.close()


def test_a_parent_is_kept_only_where_it_is_everywhere(
    make_store: Callable[[], Store], train: Callable[..., None], small: Config
) -> None:
    store = make_store()
    parent = store.create_run(small)
    train(store)
    branch = store.create_run(small.with_values(training__seed=7), parent=(parent, 40))
    with pytest.raises(RunArchiveError, match="pause it first"):
        pack(store, branch)
    train(store, pause_at=5)
    elsewhere = make_store()
    run = elsewhere.run(moved(store, branch, elsewhere))
    assert (run.parent, run.resumable) == (None, True)
    starters = Store(make_store().url, StarterRuns.default())
    hello = starters.create_run(starters.run("hello-rnn").config, parent=("hello-rnn", 500))
    assert starters.run(moved(starters, hello, starters)).parent == ("hello-rnn", 500)
    starters.close()


def test_checkpoints_that_hold_no_numbers_are_left_out_and_said(
    make_store: Callable[[], Store], train: Callable[..., None], small: Config
) -> None:
    from engine.training.checkpoint import Checkpoint

    store, other = make_store(), make_store()
    run_id = store.create_run(small)
    train(store)
    broken = Checkpoint.from_bytes(store.checkpoint(run_id, 16))
    broken.tensors["model.head_weight"][0, 0] = math.nan
    store.put_checkpoint(run_id, broken)
    archive = unpack(pack(store, run_id), AppSettings())
    assert archive.left_out == (16,)
    arrived = import_run(other, archive, owner="")
    assert "without 1 of its checkpoints" in other.changes(arrived)[-1].text


def test_control_characters_and_a_text_that_is_gone_do_not_keep_a_run_from_moving(
    store: Store, other: Store, small: Config
) -> None:
    run_id = store.create_run(small, name="bell \x07 and\nline", start=False)
    store.record(run_id, message="one\x07two")
    run = other.run(moved(store, run_id, other))
    assert (run.name, run.message) == ("bell   and line", "one two")
    gone = store.create_run(small.with_values(corpus="own:" + "0" * 64))
    assert other.run(moved(store, gone, other)).config.data.corpus == "own:" + "0" * 64


def test_a_run_that_reads_a_file_of_this_machine_stays_here(store: Store, small: Config) -> None:
    with pytest.raises(RunArchiveError, match="from a path"):
        pack(store, store.create_run(small.with_values(corpus="file:/etc/hostname")))


def test_a_file_has_room_for_some_checkpoints_only(
    monkeypatch: pytest.MonkeyPatch, make_store: Callable[[], Store], train: Callable[..., None], small: Config
) -> None:
    store = make_store()
    run_id = store.create_run(small)
    train(store)
    infos = store.checkpoints(run_id)
    full = [info.step for info in infos if info.full]
    room = sum(info.bytes for info in infos if info.full) + 2 * infos[0].bytes
    monkeypatch.setattr("playground.runs.archive.layout.MAX_CHECKPOINT_BYTES", room)
    archive = unpack(pack(store, run_id), AppSettings())
    assert set(full) < {info.step for info in archive.checkpoints}
    assert sum(info.bytes for info in archive.checkpoints) <= room
    assert set(archive.left_out) == {info.step for info in infos} - {info.step for info in archive.checkpoints}


def test_the_parcel_says_what_it_holds(packed: bytes) -> None:
    archive = unpack(packed, AppSettings())
    assert isinstance(archive, RunArchive)
    assert (archive.run.name, archive.run.status, archive.run.step, archive.resumes_at) == (
        "small run",
        "paused",
        25,
        25,
    )
    assert archive.made_by.startswith("Unrolled")
    assert archive.bytes == sum(len(archive.checkpoint(info.step)) for info in archive.checkpoints)
    with pytest.raises(RunArchiveError, match="step-000999"):
        archive.checkpoint(999)
    assert checkpoint_name(25) in run_files.opened(packed)


def test_a_run_whose_words_are_those_of_the_whole_text_goes_on_here_and_elsewhere(
    make_store: Callable[[], Store],
    train: Callable[..., None],
    small: Config,
    own_text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Vocabularies were once made so: such a run keeps its words, its losses, and what it was judged on."""
    here, there = make_store(), make_store()
    text = own_text + "a zebu came by\n" * 3
    config = small.with_values(corpus=f"own:{here.put_text(text)}", level="word", cell="lstm", sampling__length=5)
    with monkeypatch.context() as before:
        before.setattr(corpora, "_vocabulary", lambda split, data: WordVocabulary.build(split.text, 100))
        undisturbed, run_id = here.create_run(config), here.create_run(config)
        train(here)
        train(here, pause_at=17)
    here.record(run_id, text_facts=None)

    arrived = moved(here, run_id, there)

    for store, run in ((here, run_id), (there, arrived)):
        store.command(run, "resume")
        train(store)
        assert losses(store, run) == losses(here, undisturbed)
        assert store.run(run).corpus_sha256 == here.run(undisturbed).corpus_sha256
        assert store.run(run).text_facts == here.run(undisturbed).text_facts
