"""What can be done to a run: each button and knob gives its command, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine.config import Config
from playground.frame import services

OpenPage = Callable[..., AppTest]


@pytest.fixture
def sent(idle_trainer, monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """The commands that reach the store."""
    commands: list[tuple] = []
    monkeypatch.setattr(services.store(), "command", lambda *command: commands.append(command))
    return commands


def _buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.main.button if str(button.key).startswith("command.")]


def _knob(app: AppTest, name: str):
    return next(knob for knob in app.main.number_input if str(knob.key).startswith(f"knob.{name}"))


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


@pytest.mark.parametrize(("knob", "value"), [("learning_rate", 0.5), ("clip_threshold", 2.5), ("clip_threshold", 0.0)])
def test_a_knob_that_is_turned_gives_its_command_once(
    open_page: OpenPage, sent: list[tuple], knob: str, value: float
) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    _knob(app, knob).set_value(value).run()
    assert not app.exception
    assert sent == [(run, knob, value)]


def test_a_knob_that_is_heard_of_again_without_a_turn_gives_none(open_page: OpenPage, sent: list[tuple]) -> None:
    """As after a stop, when a browser still speaks of the knobs that have just gone."""
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    _knob(app, "learning_rate").set_value(Config().training.learning_rate).run()
    assert sent == []


def test_a_value_out_of_range_gets_a_sentence(open_page: OpenPage, sent: list[tuple]) -> None:
    run = services.store().create_run(Config(), start=False)
    app = open_page("train", run=run)
    _knob(app, "learning_rate").set_value(0.0).run()
    assert not app.exception
    assert sent == []
    assert "learning" in app.warning[0].value


def test_a_starter_run_can_only_be_branched_from_and_downloaded(open_page: OpenPage) -> None:
    assert _buttons(open_page("train")) == []
