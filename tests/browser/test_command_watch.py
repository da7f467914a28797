"""The watch over commands alone: what it says, and when, of commands that the app does not answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator
from stage import Blank, Stage

from playground.components import command_watch

PATIENCE = command_watch.PATIENCE_MS

_CONTROLS = """() => document.querySelector("footer").insertAdjacentHTML("beforeend",
  `<div class="st-key-command-pause-x1"><button>Pause</button></div>
   <div class="st-key-live-setting-rate-x1">
     <input type="number" aria-label="Rate" value="0.006" max="10" step="any">
   </div>`)"""


@pytest.fixture
def stage(blank: Blank) -> Stage:
    """The watch beside a button and a field that give commands; the app has answered none."""
    page = blank.open()
    page.evaluate(_CONTROLS)
    stage = Stage(
        page,
        command_watch._WATCH,
        draw=lambda state: {"answered": state["answered"], "patience": PATIENCE, "said": command_watch.LOST},
        fits=lambda drawn: {},
        state={"answered": 0},
    )
    stage.show()
    return stage


def note(stage: Stage) -> Locator:
    """What the watch says."""
    return stage.page.get_by_role("alert").filter(has_text=command_watch.LOST)


def pause(stage: Stage) -> None:
    stage.page.get_by_role("button", name="Pause").click()


def enter(stage: Stage, value: str) -> None:
    field = stage.page.get_by_role("spinbutton", name="Rate")
    field.fill(value)
    field.press("Enter")


def test_a_command_that_is_not_answered_in_time_is_told_until_it_arrives(stage: Stage) -> None:
    pause(stage)
    stage.run(PATIENCE - 1)
    assert not note(stage).is_visible(), "it may still be on its way"
    stage.run(1)
    assert note(stage).is_visible()
    stage.show(answered=1)
    assert not note(stage).is_visible()


def test_nothing_is_said_of_a_command_that_was_answered(stage: Stage) -> None:
    pause(stage)
    stage.show(answered=1)
    stage.run(2 * PATIENCE)
    assert not note(stage).is_visible()


def test_each_command_is_waited_for_by_itself(stage: Stage) -> None:
    pause(stage)
    stage.run(PATIENCE // 2)
    pause(stage)
    stage.show(answered=1)
    stage.run(PATIENCE // 2)
    assert not note(stage).is_visible(), "the first was answered, the second has time"
    stage.run(PATIENCE // 2)
    assert note(stage).is_visible()
    stage.show(answered=2)
    assert not note(stage).is_visible()


def test_a_field_gives_a_command_where_its_value_changes(stage: Stage) -> None:
    enter(stage, "0.006")
    stage.run(PATIENCE)
    assert not note(stage).is_visible(), "nothing was changed"
    enter(stage, "0.001")
    stage.run(PATIENCE)
    assert note(stage).is_visible()


def test_a_value_that_the_field_refuses_is_no_command(stage: Stage) -> None:
    enter(stage, "5000")
    enter(stage, "")
    stage.run(2 * PATIENCE)
    assert not note(stage).is_visible(), "Streamlit sends neither"


def test_of_two_quick_changes_of_a_setting_one_answer_is_enough(stage: Stage) -> None:
    enter(stage, "0.001")
    enter(stage, "0.002")
    stage.show(answered=1)
    stage.run(2 * PATIENCE)
    assert not note(stage).is_visible(), "the app may hear of the last alone"


def test_a_watch_that_has_gone_says_nothing(stage: Stage) -> None:
    pause(stage)
    stage.take_away()
    stage.run(PATIENCE)
    assert not note(stage).count()
