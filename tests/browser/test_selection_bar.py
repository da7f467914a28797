"""The selection bar alone: slider, live runs, and who is believed when the answers come late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Error
from selection_bar_stage import KEPT, Opened, opener
from stage import Blank
from visits import sideways_overflow

from playground.components.selection_bar import NEWEST

TARGET = 32
"""Pixels that a finger needs."""


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens a page with the bar on it."""
    return opener(blank)


def shown_at(drawn: Sequence[str]) -> list[int]:
    return [int(text.strip("⟨⟩")) for text in drawn]


# ---- the slider


def test_the_slider_speaks_and_has_its_own_arrow_keys(opened: Opened) -> None:
    bar = opened()
    assert bar.slider.get_attribute("aria-valuetext") == "step 400 · 1.85 nats"
    bar.slider.focus()
    bar.press("ArrowRight")
    bar.comes_to(step=500, t=4)
    bar.press("End")
    bar.comes_to(step=1300)
    assert bar.bubble == "step 1,300 · 1.62 nats"
    bar.press("Home", " ")
    assert bar.button("Pause").is_visible()


def test_a_drag_is_shown_at_once_and_sent_now_and_then(opened: Opened) -> None:
    bar = opened()
    bar.point(10)
    bar.page.mouse.down()
    for move, place in enumerate([*range(10, -1, -1), *range(20)]):
        bar.point(place)
        assert bar.bubble.startswith(f"step {KEPT[place]:,}")
        bar.run(25)
        if move % 16 == 15:  # the app takes 0.4 s for each answer
            bar.show()
    bar.let_go()
    bar.comes_to(step=KEPT[19])
    assert len(bar.messages) < 16
    bar.press("ArrowRight")
    bar.comes_to(t=5)


def test_the_pointer_over_the_slider_tells_before_it_chooses(opened: Opened) -> None:
    bar = opened()
    bar.point(2)
    assert bar.bubble.startswith("step 2 ")
    bar.page.mouse.move(1, 1)
    assert bar.bubble.startswith("step 400 ")
    assert bar.hear() is None


def test_before_the_first_validation_the_loss_in_training_is_told(opened: Opened) -> None:
    bar = opened()
    bar.point(3)
    assert bar.bubble == "step 5 · 4.1 nats (training)"
    points = {name: bar.bar.locator(f"svg.all .{name}").get_attribute("d") or "" for name in ("early", "line", "area")}
    assert points["early"].count("L") == 3, "steps 1, 2 and 5, and on to the first validation"
    assert points["line"].count("L") == len(range(10, 1301, 45)) - 1
    assert points["area"].endswith("Z")


def test_one_kept_step_is_said_and_cannot_be_moved(opened: Opened) -> None:
    bar = opened(kept=1, tokens=1, layers=1, units=1)
    assert bar.slider.is_disabled()
    assert bar.bubble == "step 0 · the only saved step"
    assert bar.button("Play through training").get_attribute("aria-disabled") == "true"
    bar.press(" ", "ArrowRight", ".", "]", "p")
    assert bar.hear() == {"count": 1, "present": True}


def test_a_broken_loss_is_drawn_and_said(opened: Opened) -> None:
    bar = opened(nan=True)
    bar.press(".")
    bar.comes_to(step=500)
    assert bar.bubble == "step 500 · NaN"
    marks = bar.bar.locator("svg.all .broken").get_attribute("d") or ""
    assert marks.count("M") == len([step for step in KEPT if step >= 500])


# ---- a run that trains


def test_while_the_run_trains_the_head_stays_at_its_step(opened: Opened) -> None:
    bar = opened(live=True)
    before = bar.slider.input_value()
    bar.show(kept=21)
    assert bar.slider.get_attribute("max") == "20"
    assert bar.slider.input_value() == before
    assert bar.bubble.startswith("step 400 ")
    assert bar.hear() is None


def test_steps_that_come_during_a_drag_wait_for_its_end(opened: Opened) -> None:
    bar = opened(live=True)
    bar.point(12)
    bar.page.mouse.down()
    bar.comes_to(step=600)
    bar.show(kept=21)
    bar.point(14)
    assert bar.bubble.startswith("step 800")
    bar.comes_to(step=800)
    assert bar.slider.get_attribute("max") == "19"
    bar.let_go()
    assert bar.slider.get_attribute("max") == "20"
    assert bar.slider.input_value() == "14"


def test_live_follows_the_newest_weights_until_another_step_is_taken(opened: Opened) -> None:
    bar = opened(live=True)
    live = bar.button("Live")
    assert live.get_attribute("aria-pressed") == "false"
    live.click()
    bar.comes_to(step=NEWEST)
    assert bar.bubble == "step 1,307"
    assert live.get_attribute("aria-pressed") == "true"
    bar.press(",")
    bar.comes_to(step=1300)
    assert live.get_attribute("aria-pressed") == "false"
    bar.press(".")
    bar.comes_to(step=NEWEST)
    live.click()
    bar.comes_to(step=1300)


def test_nothing_pulses_where_motion_is_unwanted(opened: Opened) -> None:
    bar = opened(live=True, step=NEWEST)
    dot = bar.bar.locator(".live i")
    animated = "element => getComputedStyle(element).animationName"
    assert dot.evaluate(animated) == "pulse"
    bar.page.emulate_media(reduced_motion="reduce")
    assert dot.evaluate(animated) == "none"


# ---- who is believed


def test_late_answers_never_move_it_back(opened: Opened) -> None:
    bar = opened()
    shown = bar.watch(bar.bar.locator(".t .number"))
    late = None  # what the app draws of the message before the last
    for place in range(6, 14):
        bar.press("ArrowRight")
        bar.run(90)
        if late is not None:
            bar.show()
        late = bar.hear()
        assert bar.shown("t") == f"⟨{place}⟩"
    bar.comes_to(t=12)
    assert shown_at(shown()) == list(range(5, 14))


def test_a_message_repeats_what_is_not_acknowledged(opened: Opened) -> None:
    bar = opened()
    bar.press("ArrowRight")
    bar.hear()
    bar.press("]")
    bar.run(1000)
    assert bar.hear() == {"count": 2, "t": 5, "unit": 18}, "the first may have been overtaken"
    bar.show()
    bar.press("]")
    assert bar.hear() == {"count": 3, "unit": 19}


def test_what_is_chosen_elsewhere_moves_it(opened: Opened) -> None:
    bar = opened()
    bar.press("ArrowRight")
    bar.comes_to(t=5)
    bar.show(t=9)
    assert bar.shown("t") == "⟨10⟩"
    bar.press("ArrowRight")
    bar.comes_to(t=10)


def test_a_place_told_on_the_page_is_shown_until_the_app_has_it_or_does_not(opened: Opened) -> None:
    bar = opened(live=True)
    shown = bar.watch(bar.bar.locator(".t .number"))
    bar.tell("place", t=9, layer=0)
    assert (bar.shown("t"), bar.shown("layer")) == ("⟨10⟩", "[1]")
    assert bar.hear() is None, "who has told it has told the app too"
    bar.show(t=9)
    assert bar.shown("layer") == "[2]"
    bar.tell("place", t=2)
    bar.run(1_900)
    assert bar.shown("t") == "⟨3⟩"
    bar.run(200)
    assert bar.shown("t") == "⟨10⟩", "nobody has told the app"
    assert shown_at(shown()) == [5, 10, 3, 10]
    bar.tell("place", t="<b>1</b>", layer=99)
    assert (bar.shown("t"), bar.shown("layer")) == ("⟨10⟩", "[2]")


def test_an_answer_that_knows_nothing_of_it_does_not_take_a_told_place_back(opened: Opened) -> None:
    bar = opened()
    bar.tell("place", t=9)
    bar.show(kept=21)
    assert bar.slider.get_attribute("max") == "20"
    assert bar.shown("t") == "⟨10⟩"


def test_a_place_told_while_a_message_is_on_its_way_is_sent_too(opened: Opened) -> None:
    bar = opened()
    bar.press("ArrowRight")
    bar.hear()
    bar.tell("place", t=9)
    assert bar.hear() == {"count": 2, "t": 9}, "the message before could overtake it"


def test_it_tells_the_page_before_the_app_has_answered(opened: Opened) -> None:
    bar = opened()
    places = bar.listen("place")
    bar.press("ArrowRight", "ArrowDown", "]")
    assert places() == [
        {"t": 5, "layer": 1, "unit": 17},
        {"t": 5, "layer": 0, "unit": 17},
        {"t": 5, "layer": 0, "unit": 18},
    ]
    bar.comes_to(t=5, layer=0, unit=18)


def test_of_two_bars_one_has_the_keys(opened: Opened) -> None:
    bar = opened()
    bar.show("second")
    bar.press("ArrowRight")
    bar.run(150)
    assert len(bar.page.evaluate("window.stage.sent")) == 1
    assert bar.shown("t") == "⟨6⟩", "and the other is told"


def test_what_was_chosen_by_key_is_said_once_it_rests(opened: Opened) -> None:
    bar = opened()
    said = bar.watch(bar.bar.locator(".said"))
    for _ in range(3):
        bar.press("ArrowRight")
        bar.run(600)
    bar.run(100)
    assert said() == ["", "timestep 8 of 23, o"]


def test_a_bar_that_goes_and_comes_again_has_the_keys_once(opened: Opened) -> None:
    bar = opened()
    for _ in range(2):
        bar.take_away()
        bar.press("ArrowRight", "p")
        bar.show()
    bar.press("ArrowRight")
    bar.comes_to(t=5, present=False)
    assert bar.messages == [{"count": 1, "t": 5}]
    assert bar.page.evaluate("window[Symbol.for('unrolled.keyboards')].length") == 1


def test_a_bar_whose_data_are_overtaken_by_newer_ones_stays_the_same(opened: Opened) -> None:
    bar = opened()
    bar.press("Home", " ")
    bar.overtake()
    bar.show()
    assert bar.button("Pause").is_visible(), "it plays on"
    assert bar.page.evaluate("window[Symbol.for('unrolled.keyboards')].length") == 1


def test_a_bar_that_has_gone_before_its_module_was_loaded_never_starts(opened: Opened) -> None:
    bar = opened()
    bar.show("other", gone=True)
    assert bar.page.evaluate("window[Symbol.for('unrolled.keyboards')].length") == 1


def test_a_bar_that_cannot_draw_its_data_is_stopped(opened: Opened) -> None:
    bar = opened()
    call = """() => {
      const { root, module } = window.stage.parts.get("part");
      return module.default({ data: {}, parentElement: root, setStateValue() {} });
    }"""
    with pytest.raises(Error):
        bar.page.evaluate(call)
    assert bar.page.evaluate("window[Symbol.for('unrolled.keyboards')].length") == 0


# ---- the unit


def test_a_unit_can_be_typed(opened: Opened) -> None:
    bar = opened()
    bar.unit_field.click()
    bar.page.keyboard.type("40")
    bar.press("Enter", "ArrowRight")
    bar.comes_to(unit=39, t=5)
    for typed, then in (("4000", "128"), ("", "128")):
        bar.unit_field.fill(typed)
        bar.press("Enter")
        bar.comes_to(unit=127)
        assert bar.unit_field.input_value() == then
    bar.unit_field.fill("3")
    bar.press("Escape")
    assert bar.unit_field.input_value() == "128"
    bar.comes_to(unit=127)


# ---- room


@pytest.mark.parametrize(
    "state",
    [{}, {"tokens": 500, "words": True, "notation": "pytorch", "live": True, "units": 512, "kept": 40}, {"layers": 1}],
)
def test_on_a_phone_nothing_is_cut_off_and_a_finger_meets_every_button(opened: Opened, state: dict[str, Any]) -> None:
    bar = opened("phone", **state)
    assert sideways_overflow(bar.page) <= 0
    frame = bar.bar.bounding_box()
    assert frame is not None
    for part in bar.bar.locator("button:visible, input:visible, .token, .number, .caption").all():
        box = part.bounding_box()
        assert box is not None
        assert frame["x"] <= box["x"], part
        assert box["x"] + box["width"] <= frame["x"] + frame["width"], part
    for target in bar.bar.locator("button:visible, input:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TARGET, target


def test_a_button_stays_under_the_pointer_from_token_to_token(opened: Opened) -> None:
    bar = opened(words=True, tokens=16)
    after = bar.button("Next timestep")
    before = after.bounding_box()
    for place in range(5, 12):
        after.click()
        bar.comes_to(t=place)
        assert after.bounding_box() == before
