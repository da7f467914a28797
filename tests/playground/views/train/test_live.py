"""The live view of a run: its samples as rows, and how often it is looked at."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine.config import Config
from playground.access.runs import watched
from playground.frame import services
from playground.runs.records import FINISHED, HELD_UP, PAUSED, RUNNING, Evaluation, StoreFullError
from playground.runs.store import disk
from playground.runs.store.starter_files import ORDER
from playground.text import escape_markdown
from playground.views.train.live import sample_rows


@pytest.mark.parametrize("run_id", ORDER)
@pytest.mark.usefixtures("idle_trainer")
def test_every_sample_is_a_row_with_the_loss_of_its_step(run_id: str) -> None:
    (snapshot,) = watched(run_id)
    rows = sample_rows(snapshot)
    assert [row.text for row in rows] == [sample.text for sample in snapshot.samples]
    unknown = ", 10.8% of tokens unknown" if run_id == "tales-words" else ""
    assert all(row.loss.endswith(f" bits per character{unknown}") for row in rows)
    assert sum(row.best for row in rows) <= 1


@pytest.mark.usefixtures("idle_trainer")
def test_a_word_model_says_what_is_unknown_and_how_its_bits_are_counted(open_page: Callable[..., AppTest]) -> None:
    app = open_page("train", run="tales-words")
    said = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "7.57% of the training part, 10.8% of the validation part" in said
    assert "the loss, plus 0.617 for spelling unknown tokens" in said
    assert "1.7% of the validation part also occurs verbatim in the training part" in said
    assert "10.8% of the validation tokens are unknown" in app.subheader[0].value.replace("\\", "")


@pytest.mark.usefixtures("idle_trainer")
def test_a_word_model_without_facts_is_shown_in_nats_with_a_sentence(open_page: Callable[..., AppTest]) -> None:
    store = services.store()
    run = store.create_run(Config().with_values(level="word"), start=False)
    store.record(run, [Evaluation(5, 5.0, 1.2, 5.0, True, False, 1.0, 1.0)], best_loss=5.0, best_step=5, step=5)
    app = open_page("train", run=run, loss="bits")
    assert not app.exception
    said = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert "Bits per character unknown" in said
    unit = next(one for one in app.get("button_group") if "Loss unit" in one.proto.label)
    assert [option.content for option in unit.proto.options] == ["nats per token", "perplexity"]


def test_a_waiting_run_says_what_it_waits_for(open_page: Callable[..., AppTest]) -> None:
    run = services.store().create_run(Config())
    app = open_page("train", run=run)
    assert not app.exception
    (bar,) = app.get("progress")
    assert "worker" in bar.proto.text
    assert any("first sample appears with the first evaluation" in caption.value for caption in app.caption)


def test_a_running_run_says_what_it_does_and_what_is_left_and_a_paused_one_its_time(
    open_page: Callable[..., AppTest],
) -> None:
    def line() -> str:
        (bar,) = open_page("train", run=run).get("progress")
        return bar.proto.text

    store = services.store()
    run = store.create_run(Config(), start=False)
    message = "Evaluating: 46% of the validation tokens."
    at_work = {"planned_steps": 300, "step": 150, "seconds": 60.0, "seconds_left": 134.0, "message": message}
    store.record(run, status=RUNNING, **at_work)
    assert line() == f"Running: step 150 of 300, 2 min 14 s left. {message}"
    store.record(run, status=PAUSED, message="Paused at step 150.")
    assert line() == "Paused: step 150 of 300, 1 min in total"


def test_the_time_left_of_a_race_is_that_of_all_its_runs(open_page: Callable[..., AppTest]) -> None:
    store = services.store()
    runs = store.create_race((Config(), Config(), Config()))
    for run, (status, left) in zip(runs, ((RUNNING, 20.0), (FINISHED, 40.0), (RUNNING, 30.0)), strict=True):
        store.record(run, status=status, planned_steps=100, step=50, seconds=9.0, seconds_left=left)
    (bar,) = open_page("train", run=runs[0]).get("progress")
    assert bar.proto.text.endswith(", 50 s left")


def test_a_run_that_is_deleted_elsewhere_gets_a_sentence(open_page: Callable[..., AppTest]) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    services.store().delete_run(run)
    services.reader().forget(run)
    app.run()
    assert not app.exception
    assert "was deleted" in (app.warning[0].value if app.warning else app.error[0].value)


def test_a_run_that_waits_for_the_disk_says_so_on_its_page(open_page: Callable[..., AppTest]) -> None:
    store = services.store()
    run = store.create_run(Config())
    store.claim("trainer")
    sentence = "There is no space left on the store's disk. The run is paused at step 12, kept in memory."
    store.record(run, status=PAUSED, message=sentence, why=HELD_UP, step=12)
    app = open_page("train", run=run)
    assert not app.exception
    assert escape_markdown(sentence) in [warning.value for warning in app.warning]
    assert "Resume" in [button.label for button in app.button]


def test_trouble_with_the_disk_is_found_by_the_page_itself(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk, "CHECK_SECONDS", 0.0)
    app = open_page("train")
    assert not app.error
    with monkeypatch.context() as patch:
        patch.setattr(disk, "_write_beside", full)
        app.run()
        assert not app.exception
        assert any("no space left" in error.value and "continue automatically" in error.value for error in app.error)
    app.run()
    assert not app.error


def test_a_run_can_be_looked_at_while_nothing_can_be_written(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFullError("There is no space left on the store's disk.")

    run = services.store().create_run(Config())
    monkeypatch.setattr(services.store(), "watch", full)
    app = open_page("train", run=run)
    assert not app.exception
    assert not app.error
    assert app.get("progress")
