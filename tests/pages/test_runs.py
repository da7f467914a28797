"""Runs, without a browser: what can be done to which run, what is refused, and what is compared."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Protocol

import pandas as pd
import pytest
from at_work import press
from streamlit.testing.v1 import AppTest

from engine.config import Config
from playground.frame import services
from playground.runs.archive import pack
from playground.runs.records import FINISHED, PAUSED, QUEUED, CheckpointInfo, RunNotFoundError
from playground.runs.store import schema
from playground.runs.store.starter_files import ORDER
from playground.views.runs import exporting
from playground.views.runs.actions import refusal

OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]
Charts = Callable[[AppTest], dict[str, Any]]


class Trainer(Protocol):
    submitted: list[str]


def _kept(name: str = "Mine", config: Config | None = None, *, status: str = FINISHED, owner: str = "") -> str:
    """A run in the store, by default one that nobody owns."""
    store = services.store()
    run = store.create_run(config or Config(), name=name, owner=owner, start=False)
    store.record(run, status=status, step=10, best_loss=1.5, best_step=10)
    return run


def _tick(app: AppTest, *runs: str) -> AppTest:
    """As the table tells the page that these runs are ticked."""
    app.session_state["runs.ticked"] = runs
    return app.run()


def _labels(app: AppTest) -> list[str]:
    return [button.label for button in app.main.button]


def test_without_a_run_of_ones_own_the_starter_runs_are_there(open_page: OpenPage, said: Text, read: Text) -> None:
    app = open_page("runs")
    assert not app.exception
    assert said(app) == ""
    assert f"{len(ORDER)} runs; on Tales, the best run is “LSTM on Tales”" in read(app)
    assert "Tick one run" in read(app)
    assert "of 4 GB" in read(app)
    assert "When it is full, no run can be started" in read(app)


def test_a_run_is_deleted_and_brought_back(open_page: OpenPage, link: Link, read: Text) -> None:
    run, other = _kept("Gone"), _kept("Stays")
    app = open_page("runs", run=run, compare=f"{run},{other}")
    _tick(press(app, "Clear"), run)
    press(app, "Delete")
    with pytest.raises(RunNotFoundError):
        services.store().run(run)
    assert link(app) == {}, "nothing looks at it any more"
    assert "Deleted “Gone”. It can be restored for another 10 min." in read(app)
    press(app, "Undo")
    assert services.store().run(run).name == "Gone"
    assert "Undo" not in _labels(app)
    assert not app.exception


def test_several_are_deleted_and_brought_back_together(open_page: OpenPage, read: Text) -> None:
    runs = [_kept(f"Run {place}") for place in range(5)]
    app = _tick(open_page("runs"), *runs, "tales-lstm")
    assert "tick at most 4 to compare them" in read(app)
    press(app, "Delete 5")
    assert not [run for run in services.store().runs() if run.id in runs]
    assert "Deleted “Run 0” and 4 more" in read(app)
    press(app, "Undo")
    assert {run.id for run in services.store().runs()} >= set(runs)


def test_a_run_is_renamed_by_its_owner(open_page: OpenPage, read: Text) -> None:
    run = _kept("Before")
    app = _tick(open_page("runs"), run)
    app.text_input(key=f"runs.name.{run}.0").set_value("  **After** ")
    press(app, "Rename")
    assert services.store().run(run).name == "**After**"
    app.text_input(key=f"runs.name.{run}.1").set_value("   ")
    press(app, "Rename")
    assert services.store().run(run).name == "**After**"
    assert "A run needs a name" in app.warning[0].value


@pytest.mark.parametrize("whose", ["starter", "somebody's"])
def test_what_is_not_ones_own_is_looked_at_and_not_changed(open_page: OpenPage, read: Text, whose: str) -> None:
    run = "tales-gru" if whose == "starter" else _kept("Theirs", owner="somebody")
    app = _tick(open_page("runs"), run)
    assert not {"Delete", "Rename"} & set(_labels(app))
    assert {"Open in Train", "Open in Unrolled", "Open in Generate", "Duplicate", "Clear"} <= set(_labels(app))
    assert "duplicate" in read(app)


def test_a_run_that_changed_hands_meanwhile_is_refused_with_a_sentence(open_page: OpenPage, said: Text) -> None:
    run = _kept("Mine for now")
    app = _tick(open_page("runs"), run)
    services.store().record(run, owner="somebody")
    press(app, "Delete")
    assert "another visitor" in said(app)
    assert services.store().run(run).deleted is None


def test_a_duplicate_sets_train_up(open_page: OpenPage) -> None:
    config = Config().with_values(cell="gru", units=33)
    app = _tick(open_page("runs"), _kept(config=config))
    press(app, "Duplicate")
    assert not app.exception
    assert app.session_state["draft"].setup.configs == (config,)
    assert any(button.key == "train" for button in app.main.button), "Train is open"


def test_a_duplicate_says_what_it_is_and_that_nothing_runs_yet(open_page: OpenPage, read: Text) -> None:
    app = _tick(open_page("runs"), _kept("Mine"))
    press(app, "Duplicate")
    assert "Settings copied from “Mine”. Training has not started." in read(app)
    app.button(key="train").click().run()
    assert services.store().run(app.session_state["selection"].run).name == "Mine, copy"


def test_a_branch_says_what_it_branched_from_also_when_that_is_gone(open_page: OpenPage, read: Text) -> None:
    parent = _kept("Trunk")
    run = services.store().create_run(Config(), name="Twig", start=False, parent=(parent, 40))
    assert "Branch of “Trunk” at step 40." in read(_tick(open_page("runs"), run))
    services.store().delete_run(parent)
    assert f"Branch of the deleted run {parent} at step 40." in read(_tick(open_page("runs"), run))


def test_another_visitors_run_is_not_resumed(open_page: OpenPage) -> None:
    app = _tick(open_page("runs"), _kept("Theirs", status=PAUSED, owner="somebody"))
    assert "Resume" not in _labels(app)


def test_a_run_on_a_file_of_the_server_is_not_duplicated(open_page: OpenPage, said: Text) -> None:
    app = _tick(open_page("runs"), _kept(config=Config().with_values(corpus="file:/etc/passwd")))
    press(app, "Duplicate")
    assert "cannot read files on the server" in said(app)


def test_a_resting_run_is_resumed(open_page: OpenPage, idle_trainer: Trainer) -> None:
    run = _kept(status=PAUSED)
    app = _tick(open_page("runs"), run)
    press(app, "Resume")
    assert services.store().run(run).status == QUEUED
    assert idle_trainer.submitted[-1:] == [run]
    assert "Resume" not in _labels(app)


def test_a_run_is_chosen_for_all_pages(open_page: OpenPage, link: Link) -> None:
    run = _kept()
    app = press(_tick(open_page("runs"), run), "Make current")
    assert link(app) == {"run": run}


def test_the_link_compares_and_letters_with_words_only_in_bits(open_page: OpenPage, charts: Charts) -> None:
    app = open_page("runs", compare="tales-lstm,tales-words")
    assert not app.exception
    drawn = charts(app)["loss"]
    assert "bits per character" in drawn.text
    best = drawn.rows.query("series == 'best'").set_index("label")["value"]
    for run, label in (("tales-lstm", "A · LSTM on Tales"), ("tales-words", "B · LSTM on Tales, word by word")):
        measured = min(one.bits_per_character for one in services.store().evaluations(run))
        assert best[label] == pytest.approx(measured, rel=1e-3)


def test_the_comparison_is_invited_with_runs_that_are_there(open_page: OpenPage, link: Link, charts: Charts) -> None:
    app = press(open_page("runs"), "Compare three cells")
    assert link(app) == {"compare": "tales-lstm,tales-gru,tales-rnn"}
    assert len(charts(app)["loss"].rows.query("series == 'key'")) == 3
    press(app, "Clear")
    assert link(app) == {}


@pytest.mark.parametrize("given", ["tales-lstm", "a,b,c,d,e", "a,a", "a,../b", ",", "<b>,x"])
def test_a_link_that_cannot_be_compared_gets_a_sentence(
    open_page: OpenPage, said: Text, link: Link, given: str
) -> None:
    app = open_page("runs", compare=given)
    assert not app.exception
    assert "comparison" in said(app)
    assert link(app) == {}


def test_a_compared_run_that_is_gone_gets_a_sentence_and_the_rest_stays(open_page: OpenPage, said: Text) -> None:
    run = _kept("Short-lived")
    services.store().delete_run(run)
    app = open_page("runs", compare=f"tales-lstm,{run},tales-gru")
    assert not app.exception
    assert "deleted" in said(app)
    assert app.session_state["selection"].compare == "tales-lstm,tales-gru"


def test_a_name_is_never_markup(open_page: OpenPage) -> None:
    name = "<b>x</b> **bold** $x$ :red[no] [a](b) | c"
    run = _kept(name)
    app = open_page("runs", run=run, compare=f"{run},tales-lstm")
    assert not app.exception
    written = [box.value for box in (*app.main.markdown, *app.main.caption, *app.main.subheader)]
    assert not any("**bold**" in text or ":red[" in text for text in written)
    assert not any("**bold**" in str(head) for table in app.main.table for head in table.value.columns)


def test_a_run_file_is_brought_in_and_chosen(open_page: OpenPage, link: Link) -> None:
    app = open_page("runs")
    raw = pack(services.store(), "hello-rnn")
    app.get("file_uploader")[0].set_value(("hello.zip", raw, "application/zip")).run()
    assert not app.exception
    assert "Imported" in app.success[0].value
    run = services.store().run(link(app)["run"])
    assert (run.name, run.owner) == ("hello, with three units", app.session_state["visitor"])
    assert app.session_state["runs.ticked"] == (run.id,)


@pytest.mark.parametrize("raw", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 200], ids=["empty", "text", "broken"])
def test_a_file_that_is_no_run_is_refused_by_name(open_page: OpenPage, said: Text, raw: bytes) -> None:
    app = open_page("runs")
    before = len(services.store().runs())
    app.get("file_uploader")[0].set_value(("*my* run.zip", raw, "application/zip")).run()
    assert not app.exception
    assert "“*my* run.zip”: The run file was not imported" in said(app)
    assert len(services.store().runs()) == before


def test_a_race_goes_on_without_a_run_that_was_deleted(open_page: OpenPage, charts: Charts) -> None:
    first, second, third = services.store().create_race([Config()] * 3, names=["A", "B", "C"])
    assert len(charts(open_page("train", run=first))["loss"].rows.query("series == 'key'")) == 3
    services.store().delete_run(second)
    app = open_page("train", run=third)
    assert not app.exception
    assert len(charts(app)["loss"].rows.query("series == 'key'")) == 2


def test_the_weights_shown_are_the_best_that_are_kept_else_the_newest() -> None:
    infos = [CheckpointInfo(step, False, 1, "") for step in (0, 100, 200)]
    run = services.Store("sqlite:////nowhere").starters["tales-lstm"].run
    assert run.best_step not in (0, 100, 200)
    chosen = exporting.best_or_newest(run, infos)
    assert chosen is not None
    assert chosen.step == 200
    best = CheckpointInfo(run.best_step or 0, False, 1, "")
    assert exporting.best_or_newest(run, [*infos, best, CheckpointInfo(9_999, False, 1, "")]) == best
    assert exporting.best_or_newest(run, []) is None


def test_the_measurements_are_one_line_a_step_with_validation_where_it_was_judged(open_page: OpenPage) -> None:
    open_page("home")
    table = pd.read_csv(io.BytesIO(exporting.measurements("tales-lstm")))
    stored = services.store().delta("tales-lstm")
    assert table["step"].is_monotonic_increasing
    assert table["step"].is_unique
    assert table["loss"].count() == len(stored.metrics)
    assert table["val_loss"].count() == len(stored.evaluations)
    assert table["val_loss"].min() == pytest.approx(min(one.val_loss for one in stored.evaluations))


def test_who_may_change_a_run_is_said_in_a_sentence() -> None:
    starter = services.Store("sqlite:////nowhere").starters["tales-lstm"].run
    assert "Starter runs are read-only" in refusal(starter, "me")


def test_a_store_of_a_newer_unrolled_is_named_and_the_starter_runs_are_there(open_page: OpenPage, read: Text) -> None:
    store = services.Store(services.AppSettings.from_environment().store)
    with store.writing() as connection:
        connection.execute(schema.schema_version.update().values(version=99))
    store.close()
    app = open_page("runs", compare="tales-lstm,tales-gru")
    assert not app.exception
    assert f"{len(ORDER)} runs" in read(app)
    assert "version 99" in app.error[0].value
    assert "cannot be reached" in read(app)


def test_a_comparison_says_when_the_texts_are_not_the_same(open_page: OpenPage, read: Text) -> None:
    assert "trained on different texts" in read(open_page("runs", compare="tales-rnn,hello-rnn"))
    said = read(open_page("runs", compare="tales-lstm,tales-words"))
    assert "trained on different texts" not in said
    assert "bits per character of the whole text" in said
