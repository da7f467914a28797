"""The selection bar in the browser: keys, slider, play, and who is believed when the answers come late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page
from selection_bar_page import SelectionBarPage
from server import Server, serving
from train_page import eventually
from visits import Visits, sideways_overflow, stop_the_clock

APP = Path(__file__).parent / "apps" / "selection_bar.py"
KEPT = [0, 1, 2, 5, 10, 20, 50, *range(100, 1400, 100)]
MANY = "?steps=1000"
"""So many kept steps that no play comes to their end while a test looks on."""

TARGET = 32
"""Pixels that a finger needs."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with the bar alone, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("bar"), entry=APP) as server:
        yield server


def opened(visits: Visits, link: str = "", **how: str) -> SelectionBarPage:
    """The page, with the bar on it."""
    bar = SelectionBarPage(visits.open(link, **how))  # type: ignore[arg-type]
    for mounted in bar.page.locator(".selection").all():
        mounted.locator("input[aria-valuetext]").wait_for()  # from then on it hears keys
    return bar


def written_on(page: Page) -> Locator:
    """A paragraph that can be written on, added to the page: Streamlit lets none through."""
    page.get_by_label("A text").evaluate(
        "text => text.before(Object.assign(document.createElement('p'), { contentEditable: 'true', id: 'page' }))"
    )
    return page.locator("#page")


# ---- keys


def test_keys_move_time_layer_unit_and_training_step(visits: Visits) -> None:
    bar = opened(visits)
    bar.press("ArrowRight")
    bar.comes_to(t=5)
    bar.press("ArrowLeft", "ArrowLeft")
    bar.comes_to(t=3)
    bar.press("ArrowDown")
    bar.comes_to(layer=0)
    bar.press("ArrowUp")
    bar.comes_to(layer=1)
    bar.press("]", "]", "[")
    bar.comes_to(unit=18)
    bar.press(".")
    bar.comes_to(step=500)
    bar.press(",", ",")
    bar.comes_to(step=300)
    assert bar.bubble == "step 300 · 1.95 nats"
    assert bar.shown("t") == "⟨4⟩"
    assert bar.bar.locator(".token").inner_text() == "e"


def test_keys_stop_at_the_ends(visits: Visits) -> None:
    bar = opened(visits, "?tokens=6")
    bar.press("ArrowUp", *["ArrowRight"] * 4)
    assert bar.comes_to(t=5)["layer"] == 1
    bar.press(*["ArrowLeft"] * 9, "]")
    assert bar.comes_to(unit=18)["t"] == 0


def test_no_key_is_taken_from_a_field(visits: Visits) -> None:
    bar = opened(visits)
    page, told = bar.page, []
    fields = [page.get_by_label(name) for name in ("A field", "A text", "A list")]
    for unit, field in enumerate([written_on(page), *fields, bar.unit_field], start=18):
        field.focus()
        bar.press("ArrowRight", "p", "m", " ", ",", "?")
        bar.rest()
        bar.press("]")
        told.append({"count": len(told) + 1, "unit": unit})
        assert bar.comes_to(unit=unit)["words"] == told, "the first that was told is what came after"
        assert page.get_by_role("dialog").count() == 0


def test_no_key_is_taken_while_a_modifier_is_held(visits: Visits) -> None:
    bar = opened(visits)
    told = []
    for unit, modifier in enumerate(["Control", "Alt", "Meta", "Shift"], start=18):
        bar.page.keyboard.down(modifier)
        bar.press("ArrowRight", "[")
        bar.page.keyboard.up(modifier)
        bar.press("]")
        told.append({"count": len(told) + 1, "unit": unit})
        assert bar.comes_to(unit=unit)["words"] == told


def test_a_key_that_does_nothing_is_left_to_the_page(visits: Visits) -> None:
    bar = opened(visits, "?layers=1")
    bar.page.evaluate(
        "() => document.addEventListener('keydown', e => (window.taken ??= []).push([e.key, e.defaultPrevented]))"
    )
    bar.press("ArrowDown", "ArrowRight", "x", "Escape", "Home", " ")
    assert bar.page.evaluate("window.taken") == [
        ["ArrowDown", False],
        ["ArrowRight", True],
        ["x", False],
        ["Escape", False],
        ["Home", False],
        [" ", True],
    ]


def test_twenty_quick_presses_end_where_they_should_in_few_words(visits: Visits) -> None:
    bar = opened(visits, "?tokens=40&slow=0.2")
    stop_the_clock(bar.page)
    for _ in range(20):
        bar.press("ArrowRight")
        bar.page.clock.run_for(25)
    assert bar.shown("t") == "⟨25⟩", "shown at once"
    bar.page.clock.resume()
    last = bar.comes_to(t=24)["words"][-1]
    assert last["t"] == 24
    assert last["count"] <= 7, "the app need not have heard all that was told"


def test_presenter_mode_notation_and_the_legend_have_keys(visits: Visits) -> None:
    bar = opened(visits)
    bar.press("p")
    bar.comes_to(present=True)
    assert bar.bar.get_by_text("Esc", exact=True).first.is_visible(), "the keys are at hand"
    bar.press("m")
    bar.comes_to(notation="cs231n")
    bar.shows("t", "t = 5")
    bar.press("m")
    bar.comes_to(notation="pytorch")
    bar.shows("t", "t = 4")
    bar.press("?")
    legend = bar.page.get_by_role("dialog", name="Keys")
    legend.wait_for()
    rows = [row.split() for row in legend.locator("dl div").all_inner_texts()]
    assert ["M", "next", "notation"] in rows
    assert rows[-1] == ["A", "animate", "<b>both</b>", "passes"], "the page's own keys stand there too, as text"
    bar.press("Escape")
    legend.wait_for(state="hidden")
    assert bar.place["present"], "Esc closed the legend alone"
    bar.press("Escape")
    bar.comes_to(present=False)
    bar.button("Keys").click()
    legend.wait_for()
    bar.press("?")
    legend.wait_for(state="hidden")


def test_the_keys_are_the_pages_again_at_once_when_the_legend_closes(visits: Visits) -> None:
    bar = opened(visits)
    bar.press("?")
    legend = bar.page.get_by_role("dialog", name="Keys")
    legend.wait_for()
    # Before the browser has found the focus a new place.
    legend.locator(".close").evaluate(
        """(button) => {
          button.closest("dialog").close();
          button.dispatchEvent(new KeyboardEvent("keydown", { key: "p", bubbles: true, composed: true }));
        }"""
    )
    bar.comes_to(present=True)


# ---- Space and buttons


def test_space_plays_to_the_end_one_kept_step_after_the_other(visits: Visits) -> None:
    bar = opened(visits, "?steps=10")
    bar.press(",", ",", ",")
    bar.comes_to(step=50)
    before = len(bar.words)
    bar.watch("button", ".play", "aria-label")
    bar.press(" ")
    bar.comes_to(step=300)
    bar.button("Play through training").wait_for()
    assert bar.seen("button") == ["Play through training", "Pause", "Play through training"]
    assert [word["step"] for word in bar.words[before:]] == [100, 200, 300]
    assert bar.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0, "Space does not scroll"
    bar.press(" ")
    bar.hears(step=0)


def test_play_waits_until_each_step_is_drawn(visits: Visits) -> None:
    bar = opened(visits, "?steps=10&slow=1.1")
    bar.press(",", ",", ",", ",")
    bar.comes_to(step=20)
    bar.watch("drawn", "[data-testid=stCode] code")
    bar.press(" ")
    bar.comes_to(step=300)
    drawn = [int(found[1]) for found in map(re.compile(r'"looked_at": (\d+)').search, bar.seen("drawn")) if found]
    assert list(dict.fromkeys(drawn)) == [20, 50, 100, 200, 300]


def test_another_step_stops_the_play_and_another_timestep_does_not(visits: Visits) -> None:
    bar = opened(visits, MANY)
    bar.press(" ", "ArrowRight")
    bar.comes_to(t=5)
    bar.button("Pause").wait_for()
    bar.press(",")
    bar.button("Play through training").wait_for()


def test_space_does_not_press_a_button_that_was_clicked(visits: Visits) -> None:
    bar = opened(visits, MANY)
    bar.page.get_by_role("button", name="To timestep 10").click()
    bar.shows("t", "⟨10⟩")
    bar.press("ArrowRight")
    bar.comes_to(t=10)
    bar.press(" ")
    bar.hears(step=500)
    assert bar.place["t"] == 10, "pressed again, the button would have put it back"
    bar.button("Pause").click()
    bar.button("timestep after").click()
    bar.comes_to(t=11)
    bar.press(" ")
    bar.button("Pause").wait_for()
    assert bar.place["t"] == 11


def test_space_on_a_button_that_was_tabbed_to_presses_it_once(visits: Visits) -> None:
    bar = opened(visits, MANY)
    bar.slider.focus()
    bar.press("Tab", "Tab")
    eventually(bar.page, "a button of the bar has the focus", lambda: bar.bar.locator("button:focus").count() == 1)
    bar.press(" ")
    bar.comes_to(t=3)
    assert bar.words == [{"count": 1, "t": 3}]
    assert bar.button("Play through training").count() == 1
    bar.press("Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab")
    bar.press(" ")
    bar.button("Pause").wait_for()


# ---- the slider


def test_the_slider_speaks_and_has_its_own_arrow_keys(visits: Visits) -> None:
    bar = opened(visits)
    assert bar.slider.get_attribute("aria-valuetext") == "step 400 · 1.85 nats"
    bar.slider.focus()
    bar.press("ArrowRight")
    assert bar.comes_to(step=500)["t"] == 4
    bar.press("End")
    bar.comes_to(step=1300)
    assert bar.bubble == "step 1,300 · 1.62 nats"
    bar.watch("button", ".play", "aria-label")
    bar.press("Home", " ")
    eventually(bar.page, "it plays", lambda: "Pause" in bar.seen("button"))


def test_a_drag_is_shown_at_once_and_told_now_and_then(visits: Visits) -> None:
    bar = opened(visits, "?slow=0.4")
    bar.watch("bubble", ".bubble")
    stop_the_clock(bar.page)
    bar.hold(10, of=20)
    for place in [*range(10, -1, -1), *range(20)]:
        bar.point(place, of=20)
        assert bar.bubble.startswith(f"step {KEPT[place]:,}")
        bar.page.clock.run_for(25)
    bar.page.mouse.up()
    bar.page.clock.resume()
    bar.comes_to(step=KEPT[19])
    assert bar.words[-1]["count"] < 16
    bar.press("ArrowRight")
    bar.comes_to(t=5)


def test_the_pointer_over_the_slider_tells_before_it_chooses(visits: Visits) -> None:
    bar = opened(visits)
    bar.point(2, of=20)
    eventually(bar.page, "what is there is told", lambda: bar.bubble.startswith("step 2 "))
    bar.page.mouse.move(10, 10)
    eventually(bar.page, "what is chosen is told", lambda: bar.bubble.startswith("step 400 "))
    assert bar.words == []


def test_before_the_first_validation_the_loss_in_training_is_told(visits: Visits) -> None:
    bar = opened(visits)
    bar.point(3, of=20)
    eventually(bar.page, "it is told", lambda: bar.bubble == "step 5 · 4.1 nats in training")
    points = {name: bar.bar.locator(f"svg.all .{name}").get_attribute("d") or "" for name in ("early", "line", "area")}
    assert points["early"].count("L") == 3, "steps 1, 2 and 5, and on to the first validation"
    assert points["line"].count("L") == len(range(10, 1301, 45)) - 1
    assert points["area"].endswith("Z")


def test_one_kept_step_is_said_and_cannot_be_moved(visits: Visits) -> None:
    bar = opened(visits, "?steps=1&tokens=1&layers=1&units=1")
    assert bar.slider.is_disabled()
    assert bar.bubble == "step 0 · the only one kept"
    assert bar.button("Play through training").get_attribute("aria-disabled") == "true"
    bar.press(" ", "ArrowRight", ".", "]", "p")
    assert bar.comes_to(present=True)["words"] == [{"count": 1, "present": True}]


def test_a_broken_loss_is_drawn_and_said(visits: Visits) -> None:
    bar = opened(visits, "?nan=1")
    bar.press(".")
    bar.comes_to(step=500)
    assert bar.bubble == "step 500 · NaN"
    marks = bar.bar.locator("svg.all .broken").get_attribute("d") or ""
    assert marks.count("M") == len([step for step in KEPT if step >= 500])


# ---- a run that trains


def test_while_the_run_trains_the_head_stays_at_its_step(visits: Visits) -> None:
    bar = opened(visits, "?live=1")
    before = bar.slider.input_value()
    bar.page.get_by_role("button", name="Keep another step").click()
    eventually(bar.page, "there is one more", lambda: bar.slider.get_attribute("max") == "20")
    assert bar.slider.input_value() == before
    assert bar.bubble.startswith("step 400 ")
    assert bar.words == []


def test_steps_that_come_during_a_drag_wait_for_its_end(visits: Visits) -> None:
    bar = opened(visits, "?live=1")
    bar.hold(12, of=20)
    eventually(bar.page, "it is shown", lambda: bar.bubble.startswith("step 600"))
    bar.comes_to(step=600)
    grow = "[...document.querySelectorAll('button')].find(b => b.textContent.includes('Keep another')).click()"
    bar.page.evaluate(grow)
    bar.page.evaluate("() => new Promise(done => requestAnimationFrame(done))")
    bar.point(14, of=20)
    eventually(bar.page, "the drag goes on", lambda: bar.bubble.startswith("step 800"))
    bar.comes_to(step=800)
    assert bar.slider.get_attribute("max") == "19"
    bar.page.mouse.up()
    eventually(bar.page, "there is one more", lambda: bar.slider.get_attribute("max") == "20")
    assert bar.slider.input_value() == "14"


def test_live_follows_the_newest_weights_until_another_step_is_taken(visits: Visits) -> None:
    bar = opened(visits, "?live=1")
    live = bar.button("Live")
    assert live.get_attribute("aria-pressed") == "false"
    live.click()
    bar.comes_to(step=-1)
    eventually(bar.page, "the newest step is shown", lambda: bar.bubble == "step 1,307")
    assert live.get_attribute("aria-pressed") == "true"
    bar.press(",")
    bar.comes_to(step=1300)
    assert live.get_attribute("aria-pressed") == "false"
    bar.press(".")
    bar.comes_to(step=-1)
    live.click()
    bar.comes_to(step=1300)


def test_nothing_pulses_where_motion_is_unwanted(visits: Visits) -> None:
    bar = opened(visits, "?live=1")
    bar.button("Live").click()
    bar.comes_to(step=-1)
    dot = bar.bar.locator(".live i")
    animated = "element => getComputedStyle(element).animationName"
    assert dot.evaluate(animated) == "pulse"
    bar.page.emulate_media(reduced_motion="reduce")
    assert dot.evaluate(animated) == "none"


# ---- who is believed


def test_late_answers_never_move_it_back(visits: Visits) -> None:
    bar = opened(visits, "?slow=0.3")
    bar.watch("shown", ".t .number")
    for place in range(6, 14):
        bar.press("ArrowRight")
        bar.page.evaluate("() => new Promise(done => setTimeout(done, 90))")
        assert bar.shown("t") == f"⟨{place}⟩"
    bar.comes_to(t=12)
    assert list(bar.seen("shown")) == [f"⟨{place}⟩" for place in range(5, 14)]


def test_what_is_chosen_elsewhere_moves_it(visits: Visits) -> None:
    bar = opened(visits)
    bar.press("ArrowRight")
    bar.comes_to(t=5)
    bar.page.get_by_role("button", name="To timestep 10").click()
    bar.shows("t", "⟨10⟩")
    bar.press("ArrowRight")
    bar.comes_to(t=10)


def test_a_place_told_on_the_page_is_shown_until_the_app_has_it_or_does_not(visits: Visits) -> None:
    bar = opened(visits, "?live=1")
    bar.watch("shown", ".t .number")
    stop_the_clock(bar.page)
    put = "place => window.dispatchEvent(new CustomEvent('unrolled:place', { detail: place }))"
    bar.page.evaluate(put, {"t": 9, "layer": 0})
    assert (bar.shown("t"), bar.shown("layer")) == ("⟨10⟩", "[1]")
    assert bar.words == [], "who has told it has told the app too"
    bar.page.get_by_role("button", name="To timestep 10").click()
    bar.page.clock.run_for(1)
    bar.comes_to(t=9)
    bar.shows("layer", "[2]")
    bar.page.evaluate(put, {"t": 2})
    assert bar.shown("t") == "⟨3⟩"
    bar.page.clock.run_for(1_900)
    assert bar.shown("t") == "⟨3⟩"
    bar.page.clock.resume()
    bar.shows("t", "⟨10⟩")  # nobody has told the app
    assert list(bar.seen("shown")) == ["⟨5⟩", "⟨10⟩", "⟨3⟩", "⟨10⟩"]
    bar.page.evaluate(put, {"t": "<b>1</b>", "layer": 99})
    assert (bar.shown("t"), bar.shown("layer")) == ("⟨10⟩", "[2]")


def test_an_answer_that_knows_nothing_of_it_does_not_take_a_told_place_back(visits: Visits) -> None:
    bar = opened(visits)
    stop_the_clock(bar.page)
    bar.page.evaluate("window.dispatchEvent(new CustomEvent('unrolled:place', { detail: { t: 9 } }))")
    bar.page.get_by_role("button", name="Keep another step").click()
    bar.page.clock.run_for(1)
    eventually(bar.page, "the app has answered", lambda: bar.slider.get_attribute("max") == "20")
    assert bar.shown("t") == "⟨10⟩"


def test_it_tells_the_page_before_the_app_has_answered(visits: Visits) -> None:
    bar = opened(visits, "?slow=1")
    bar.page.evaluate("window.addEventListener('unrolled:place', event => (window.places ??= []).push(event.detail))")
    bar.press("ArrowRight", "ArrowDown", "]")
    assert bar.page.evaluate("window.places") == [
        {"t": 5, "layer": 1, "unit": 17},
        {"t": 5, "layer": 0, "unit": 17},
        {"t": 5, "layer": 0, "unit": 18},
    ]
    bar.comes_to(t=5, layer=0, unit=18)


def test_of_two_bars_one_has_the_keys(visits: Visits) -> None:
    bar = opened(visits, "?twice=1")
    bar.press("ArrowRight")
    assert len(bar.comes_to(t=5)["words"]) == 1
    bar.shows("t", "⟨6⟩")
    bar.press("ArrowRight")
    assert len(bar.comes_to(t=6)["words"]) == 2


def test_what_was_chosen_by_key_is_said_once_it_rests(visits: Visits) -> None:
    bar = opened(visits)
    bar.watch("said", ".said")
    stop_the_clock(bar.page)
    for _ in range(3):
        bar.press("ArrowRight")
        bar.page.clock.run_for(600)
    bar.page.clock.run_for(100)
    assert list(bar.seen("said")) == ["", "timestep 8 of 23, o"]


def test_a_bar_that_goes_and_comes_again_has_the_keys_once(visits: Visits) -> None:
    bar = opened(visits)
    for _ in range(2):
        bar.page.get_by_text("Without the bar").click()
        bar.bar.wait_for(state="detached")
        bar.rest()
        bar.press("ArrowRight", "p")
        bar.page.get_by_text("Without the bar").click()
        bar.bar.wait_for()
        bar.rest()
    bar.press("ArrowRight")
    bar.comes_to(t=5)
    bar.press("ArrowRight")
    assert bar.comes_to(t=6)["present"] is False
    assert bar.page.evaluate("window[Symbol.for('unrolled.keyboards')].length") == 1


# ---- the unit


def test_a_unit_can_be_typed(visits: Visits) -> None:
    bar = opened(visits)
    bar.unit_field.click()
    bar.page.keyboard.type("40")
    bar.press("Enter", "ArrowRight")
    bar.comes_to(unit=39, t=5)
    bar.unit_field.fill("4000")
    bar.press("Enter")
    bar.comes_to(unit=127)
    eventually(bar.page, "the nearest stands there", lambda: bar.unit_field.input_value() == "128")
    bar.unit_field.fill("")
    bar.press("Enter")
    eventually(bar.page, "what is chosen stands there", lambda: bar.unit_field.input_value() == "128")
    bar.unit_field.fill("3")
    bar.press("Escape")
    eventually(bar.page, "what is chosen stands there again", lambda: bar.unit_field.input_value() == "128")
    assert bar.place["unit"] == 127


# ---- room


@pytest.mark.parametrize("link", ["", "?tokens=500&words=1&notation=pytorch&live=1&units=512&steps=40", "?layers=1"])
def test_on_a_phone_nothing_is_cut_off_and_a_finger_meets_every_button(visits: Visits, link: str) -> None:
    bar = opened(visits, link, size="phone")
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


def test_a_button_stays_under_the_pointer_from_token_to_token(visits: Visits) -> None:
    bar = opened(visits, "?words=1&tokens=16")
    after = bar.button("timestep after")
    before = after.bounding_box()
    for place in range(5, 12):
        after.click()
        bar.comes_to(t=place)
        assert after.bounding_box() == before
