"""What can be done to a run: each button and field gives its command, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from engine.config import Config
from playground.frame import services
from playground.runs.records import RunChange, StoreError
from playground.state import draft as drafts

OpenPage = Callable[..., AppTest]


@pytest.fixture
def sent(idle_trainer, monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """The commands that reach the store."""
    commands: list[tuple] = []
    monkeypatch.setattr(services.store(), "command", lambda *command, by: commands.append(command))
    return commands


def _buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.main.button if str(button.key).startswith("command.")]


def _live_setting(app: AppTest, name: str):
    return next(field for field in app.main.number_input if str(field.key).startswith(f"live-setting.{name}"))


def test_a_waiting_run_can_be_paused_and_stopped(open_page: OpenPage) -> None:
    run = services.store().create_run(Config())
    assert _buttons(open_page("train", run=run)) == ["Pause", "Stop"]


def test_a_paused_run_can_go_on_by_any_number_of_steps(open_page: OpenPage, sent: list[tuple]) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    assert _buttons(app) == ["Resume", "Stop", "Step", "Step × 10"]
    for label, command in (
        ("Resume", (run, "resume", None)),
        ("Step", (run, "step", 1)),
        ("Step × 10", (run, "step", 10)),
        ("Stop", (run, "stop", None)),
    ):
        app.button(key=f"command.{label}.{run}").click().run()
        assert not app.exception
        assert sent.pop() == command


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 0.5), ("clip_threshold", 2.5), ("clip_threshold", 0.0)])
def test_a_live_setting_that_is_changed_gives_its_command_once(
    open_page: OpenPage, sent: list[tuple], name: str, value: float
) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    _live_setting(app, name).set_value(value).run()
    assert not app.exception
    assert sent == [(run, name, value)]


def test_a_live_setting_that_is_heard_of_again_unchanged_gives_none(open_page: OpenPage, sent: list[tuple]) -> None:
    """As after a stop, when a browser still speaks of the fields that have just gone."""
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    _live_setting(app, "learning_rate").set_value(Config().training.learning_rate).run()
    assert sent == []


def test_a_value_out_of_range_gets_a_sentence(open_page: OpenPage, sent: list[tuple]) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    _live_setting(app, "learning_rate").set_value(0.0).run()
    assert not app.exception
    assert sent == []
    assert "“Learning rate” is 0" in app.warning[0].value


def test_a_starter_run_is_not_commanded_but_duplicated(open_page: OpenPage) -> None:
    app = open_page("train", run="hello-rnn")
    assert _buttons(app) == []
    assert "Starter run" in [caption.value for caption in app.main.caption]
    app.button(key="duplicate.hello-rnn").click().run()
    assert not app.exception
    assert app.session_state["draft"].setup.config == services.store().run("hello-rnn").config


@pytest.mark.parametrize("status", ["queued", "running", "paused", "stopped", "finished", "diverged"])
def test_another_visitors_run_has_no_commands_but_says_whose_it_is(open_page: OpenPage, status: str) -> None:
    run = services.store().create_run(Config().with_values(units=33), name="Theirs", owner="f" * 32)
    services.store().record(run, status=status, why="steps")
    app = open_page("train", run=run)
    assert not app.exception
    assert _buttons(app) == []
    assert list(app.main.number_input) == [
        field for field in app.main.number_input if "live-setting" not in str(field.key)
    ]
    assert "Started by another visitor" in [caption.value for caption in app.main.caption]
    app.button(key=f"duplicate.{run}").click().run()
    assert app.session_state["draft"].setup.config.model.units == 33
    assert any("Settings copied from “Theirs”" in caption.value for caption in app.main.caption)


def test_a_command_to_a_run_that_changed_hands_is_refused_with_a_sentence(open_page: OpenPage) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    services.store().record(run, owner="f" * 32)
    app.button(key=f"command.Resume.{run}").click().run()
    assert services.store().run(run).status == "paused"
    assert "belongs to another visitor" in app.warning[0].value


def test_a_command_that_does_not_reach_the_store_says_so(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, by: str) -> None:
        raise StoreError("The store is locked.")

    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    monkeypatch.setattr(services.store(), "command", locked)
    app.button(key=f"command.Step.{run}").click().run()
    assert "The command was not sent" in app.warning[0].value
    assert "The store is locked" in app.warning[0].value


def test_a_finished_run_goes_on_by_steps_at_the_rate_where_its_schedule_ended(open_page: OpenPage) -> None:
    """A cosine ends at 2% of its peak, and so does one whose peak was turned down while it trained."""
    store = services.store()
    run = store.create_run(Config().with_values(learning_rate=0.01, schedule="cosine"), start=False)
    store.record(run, [RunChange(5, "learning_rate", 0.005)], status="finished", step=10, planned_steps=10, why="steps")
    app = open_page("train", run=run)
    assert _buttons(app) == ["Step", "Step × 10"]
    assert "final learning rate of its schedule, 1e−4." in app.button(key=f"command.Step.{run}").help
    app.button(key=f"command.Step × 10.{run}").click().run()
    assert (store.run(run).status, store.steps_wanted(run)) == ("queued", 10)


def test_a_finished_run_goes_on_no_further_than_runs_may(open_page: OpenPage) -> None:
    store = services.store()
    run = store.create_run(Config(), start=False)
    store.record(run, status="finished", step=200_000, why="steps")
    app = open_page("train", run=run)
    app.button(key=f"command.Step.{run}").click().run()
    assert store.run(run).status == "finished"
    said = app.warning[0].value.replace("\\", "")
    assert "would have 200,001 steps; 200,000 are allowed here" in said


def test_a_run_can_be_started_paused(open_page: OpenPage) -> None:
    app = open_page("train", preset="hello")
    (box,) = (box for box in app.main.checkbox if box.label == "Start paused")
    assert box.value, "the lesson of single steps waits for the first"
    app.button(key="train").click().run()
    run = app.session_state["selection"].run
    assert services.store().steps_wanted(run) == 0
    (box,) = (box for box in app.main.checkbox if box.label == "Start paused")
    box.uncheck().run()
    app.button(key="train").click().run()
    other = app.session_state["selection"].run
    assert services.store().steps_wanted(other) is None
    assert services.store().run(other).name == "Hello (2)", "told apart from the first"


def test_a_branch_says_what_it_is_a_branch_of(open_page: OpenPage) -> None:
    app = open_page("train", run="hello-rnn")
    drafted = app.session_state["draft"].setup
    config = services.store().run("hello-rnn").config
    app.session_state["draft"] = drafts.SetUp(replace(drafted, configs=(config,), preset="", parent=("hello-rnn", 8)))
    app.run()
    app.button(key="train").click().run()
    made = services.store().run(app.session_state["selection"].run)
    assert made.parent == ("hello-rnn", 8)
    assert made.name == "hello, with three units, branch at 8"
