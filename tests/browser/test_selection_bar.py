"""The selection bar alone: keys, slider, play, and who is believed when the answers come late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator
from stage import Blank, Stage
from visits import Size, sideways_overflow

from playground.components import selection_bar
from playground.components.selection_bar import LABELS, NEWEST, Bar, fits
from playground.notation import NOTATIONS

TEXT = "Once upon a time, there was a little girl named Lily.\nShe <b>loved</b> to play."
SIGNS = {" ": "␣", "\n": "⏎"}
KEPT = [0, 1, 2, 5, 10, 20, 50, *range(100, 1400, 100)]
TEMPO = 667
"""Milliseconds for which a step is played at least."""

TARGET = 32
"""Pixels that a finger needs."""


def loss_at(step: int, nan: bool) -> float | None:
    """Falls fast, then slowly, and is not measured at first; NaN from step 500 on where it is wanted."""
    if nan and step >= 500:
        return float("nan")
    return None if step < 10 else 1.5 + 2.7 / (1 + step / 60)


def bar_of(state: dict[str, Any]) -> Bar:
    """The bar as the state of the app has it."""
    steps = [0, 1, 2, 5, 10, 20, 50, *(100 * n for n in range(1, state["kept"]))][: state["kept"]]
    newest = state["step"] == NEWEST
    ahead = 7 if state["live"] else 0  # the newest weights of a run that trains are not among the kept
    measured = [(step, loss) for step in range(10, steps[-1] + 1, 45) if (loss := loss_at(step, state["nan"]))]
    tokens = ((TEXT.split() if state["words"] else list(TEXT)) * 7)[: state["tokens"]]
    return Bar(
        steps=steps,
        losses=[loss_at(step, state["nan"]) for step in steps],
        measured=measured,
        training=[None if step == 0 else 4.2 - 0.02 * step for step in steps],
        step=steps[-1] + ahead if newest else max(step for step in steps if step <= state["step"]),
        newest=newest,
        live=state["live"],
        t=min(state["t"], len(tokens) - 1),
        names=[SIGNS.get(token, token) for token in tokens],
        first=0 if state["notation"] == "pytorch" else 1,
        layer=min(state["layer"], state["layers"] - 1),
        layers=state["layers"],
        unit=min(state["unit"], state["units"] - 1),
        units=state["units"],
        labels=LABELS[state["notation"]],
        present=state["present"],
        notations=(NOTATIONS, state["notation"]),
        keys=[("A", "animate <b>both</b> passes")],
    )


@dataclass
class BarStage(Stage):
    """The bar on the blank page."""

    @property
    def bar(self) -> Locator:
        return self.page.locator(".selection").first

    @property
    def slider(self) -> Locator:
        return self.bar.get_by_role("slider", name="Training step")

    @property
    def unit_field(self) -> Locator:
        return self.bar.get_by_role("spinbutton")

    @property
    def bubble(self) -> str:
        """The words above the slider."""
        return self.bar.locator(".bubble").inner_text()

    @property
    def legend(self) -> Locator:
        return self.page.get_by_role("dialog", name="Keys")

    def shown(self, axis: str) -> str:
        """The place that is shown for "t" or "layer"."""
        return self.bar.locator(f".{axis} .number").inner_text()

    def button(self, name: str) -> Locator:
        return self.bar.get_by_role("button", name=name, exact=True)

    def point(self, place: int, of: int = 20) -> None:
        """Move the pointer to the kept step `place` of `of`."""
        box = self.slider.bounding_box()
        assert box is not None
        across = box["x"] + 7 + (box["width"] - 14) * place / (of - 1)
        self.page.mouse.move(across, box["y"] + box["height"] / 2)

    def let_go(self) -> None:
        """The pointer goes up; the browser ends its own drag after that."""
        self.page.mouse.up()
        self.run(1)

    def play(self, steps: int) -> list[int]:
        """Let it play so many steps, each drawn before the next; the steps that were looked at."""
        looked_at = []
        for _ in range(steps):
            looked_at.append(self.answer()["step"])
            self.run(TEMPO)
        return looked_at


@pytest.fixture
def opened(blank: Blank) -> Callable[..., BarStage]:
    """Opens a page with the bar on it, of a state of the app that is changed as a test wants it."""

    def open_page(size: Size = "wide", **changed: Any) -> BarStage:
        place = {"step": 400, "t": 4, "layer": 1, "unit": 17, "present": False, "notation": "ng"}
        form = {"kept": 20, "tokens": 23, "layers": 2, "units": 128, "words": False, "live": False, "nan": False}
        bar = BarStage(blank.open(size), selection_bar._BAR, bar_of, fits, place | form | changed)
        bar.show()
        return bar

    return open_page


Opened = Callable[..., BarStage]


def shown_at(drawn: Sequence[str]) -> list[int]:
    return [int(text.strip("⟨⟩")) for text in drawn]


# ---- keys


def test_keys_move_time_layer_unit_and_training_step(opened: Opened) -> None:
    bar = opened()
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


def test_keys_stop_at_the_ends(opened: Opened) -> None:
    bar = opened(tokens=6)
    bar.press("ArrowUp", *["ArrowRight"] * 4)
    bar.comes_to(t=5, layer=1)
    bar.press(*["ArrowLeft"] * 9, "]")
    bar.comes_to(unit=18, t=0)


def test_no_key_is_taken_from_a_field(opened: Opened) -> None:
    bar = opened()
    fields = [bar.page.get_by_label(name) for name in ("A field", "A text", "A list")]
    for field in (*fields, bar.page.locator("#page"), bar.unit_field):
        field.focus()
        bar.press("ArrowRight", "p", "m", " ", ",", "?")
        assert bar.legend.count() == 0
        field.blur()
    assert [name for message in bar.messages for name in message if name not in ("count", "unit")] == []
    bar.press("]")
    assert bar.hear() == {"count": 1, "unit": 18}, "the first that was sent is what came after"


def test_no_key_is_taken_while_a_modifier_is_held(opened: Opened) -> None:
    bar = opened()
    for unit, modifier in enumerate(["Control", "Alt", "Meta", "Shift"], start=18):
        bar.page.keyboard.down(modifier)
        bar.press("ArrowRight", "[")
        bar.page.keyboard.up(modifier)
        bar.press("]")
        bar.comes_to(unit=unit, t=4)
    assert bar.messages == [{"count": count, "unit": 17 + count} for count in range(1, 5)]


def test_a_key_that_does_nothing_is_left_to_the_page(opened: Opened) -> None:
    bar = opened(layers=1)
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


def test_twenty_quick_presses_end_where_they_should_in_few_messages(opened: Opened) -> None:
    bar = opened(tokens=40)
    for press in range(20):
        bar.press("ArrowRight")
        bar.run(25)
        if press % 8 == 7:  # the app takes 0.2 s for each answer
            bar.show()
    assert bar.shown("t") == "⟨25⟩", "shown at once"
    bar.comes_to(t=24)
    assert bar.messages[-1]["t"] == 24
    assert len(bar.messages) <= 7


def test_presenter_mode_notation_and_the_legend_have_keys(opened: Opened) -> None:
    bar = opened()
    bar.press("p")
    bar.comes_to(present=True)
    assert bar.bar.get_by_text("Esc", exact=True).first.is_visible(), "the keys are at hand"
    bar.press("m")
    bar.comes_to(notation="cs231n")
    assert bar.shown("t") == "t = 5"
    bar.press("m")
    bar.comes_to(notation="pytorch")
    assert bar.shown("t") == "t = 4"
    bar.press("?")
    rows = [row.split() for row in bar.legend.locator("dl div").all_inner_texts()]
    assert ["M", "next", "notation"] in rows
    assert rows[-1] == ["A", "animate", "<b>both</b>", "passes"], "the page's own keys stand there too, as text"
    bar.press("Escape")
    bar.legend.wait_for(state="hidden")
    bar.comes_to(present=True)  # Esc closed the legend alone
    bar.press("Escape")
    bar.comes_to(present=False)
    bar.button("Keys").click()
    bar.legend.wait_for()
    bar.press("?")
    bar.legend.wait_for(state="hidden")


def test_the_keys_are_the_pages_again_at_once_when_the_legend_closes(opened: Opened) -> None:
    bar = opened()
    bar.press("?")
    # Before the browser has found the focus a new place.
    bar.legend.locator(".close").evaluate(
        """(button) => {
          button.closest("dialog").close();
          button.dispatchEvent(new KeyboardEvent("keydown", { key: "p", bubbles: true, composed: true }));
        }"""
    )
    bar.comes_to(present=True)


# ---- Space and buttons


def test_space_plays_to_the_end_one_kept_step_after_the_other(opened: Opened) -> None:
    bar = opened(kept=10, step=50)
    button = bar.watch(bar.bar.locator(".play"), "aria-label")
    bar.press(" ")
    assert bar.play(4) == [100, 200, 300, 300]
    assert button() == ["Play through training", "Pause", "Play through training"]
    assert [message["step"] for message in bar.messages] == [100, 200, 300]
    assert bar.page.evaluate("document.scrollingElement.scrollTop") == 0, "Space does not scroll"
    bar.press(" ")
    bar.comes_to(step=0)


def test_play_waits_until_each_step_is_drawn(opened: Opened) -> None:
    bar = opened(kept=10, step=20)
    bar.press(" ")
    bar.comes_to(step=50)
    bar.works(True)  # the pictures below the bar
    bar.run(3 * TEMPO)
    bar.comes_to(step=50)
    bar.works(False)
    bar.run(50)
    bar.comes_to(step=100)


def test_another_step_stops_the_play_and_another_timestep_does_not(opened: Opened) -> None:
    bar = opened(kept=1000)
    bar.press(" ", "ArrowRight")
    bar.comes_to(t=5)
    assert bar.button("Pause").is_visible()
    bar.press(",")
    assert bar.button("Play through training").is_visible()


def test_space_does_not_press_a_button_that_was_clicked(opened: Opened) -> None:
    bar = opened(kept=1000)
    pressed = (
        "() => document.querySelector('footer button').onclick = () => (window.pressed = (window.pressed ?? 0) + 1)"
    )
    bar.page.evaluate(pressed)
    bar.page.get_by_role("button", name="A button").click()
    bar.press(" ")
    bar.comes_to(step=500)
    assert bar.page.evaluate("window.pressed") == 1
    bar.button("Pause").click()
    bar.button("timestep after").click()
    bar.comes_to(t=5)
    bar.press(" ")
    assert bar.button("Pause").is_visible()
    bar.comes_to(t=5)


def test_space_on_a_button_that_was_tabbed_to_presses_it_once(opened: Opened) -> None:
    bar = opened(kept=1000)
    bar.slider.focus()
    bar.press("Tab", "Tab")
    assert bar.bar.locator("button:focus").count() == 1
    bar.press(" ")
    bar.comes_to(t=3)
    assert bar.messages == [{"count": 1, "t": 3}]
    assert bar.button("Play through training").count() == 1
    bar.press("Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab")
    bar.press(" ")
    assert bar.button("Pause").is_visible()


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
    assert bar.bubble == "step 5 · 4.1 nats in training"
    points = {name: bar.bar.locator(f"svg.all .{name}").get_attribute("d") or "" for name in ("early", "line", "area")}
    assert points["early"].count("L") == 3, "steps 1, 2 and 5, and on to the first validation"
    assert points["line"].count("L") == len(range(10, 1301, 45)) - 1
    assert points["area"].endswith("Z")


def test_one_kept_step_is_said_and_cannot_be_moved(opened: Opened) -> None:
    bar = opened(kept=1, tokens=1, layers=1, units=1)
    assert bar.slider.is_disabled()
    assert bar.bubble == "step 0 · the only one kept"
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
    after = bar.button("timestep after")
    before = after.bounding_box()
    for place in range(5, 12):
        after.click()
        bar.comes_to(t=place)
        assert after.bounding_box() == before
