"""The selection bar alone, by its keys and its buttons."""

from __future__ import annotations

import pytest
from selection_bar_stage import TEMPO, Opened, opener
from stage import Blank


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens a page with the bar on it."""
    return opener(blank)


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
    bar.button("Keyboard shortcuts").click()
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
    bar.button("Next timestep").click()
    bar.comes_to(t=5)
    bar.press(" ")
    assert bar.button("Pause").is_visible()
    bar.comes_to(t=5)


@pytest.mark.parametrize("role", ["tablist", "radiogroup"])
def test_what_arrows_go_through_keeps_its_arrows_and_leaves_the_letters(opened: Opened, role: str) -> None:
    bar = opened()
    bar.page.evaluate(f"""() => document.querySelector("footer button").parentElement.setAttribute("role", "{role}")""")
    bar.page.get_by_role("button", name="A button").click()
    bar.press("ArrowRight", " ")
    assert bar.hear() is None
    bar.press("p")
    assert bar.hear() == {"count": 1, "present": True}


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
