"""The unrolled network's picture in the browser: what is drawn, chosen, told, stepped through and taken away."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from server import Server, serving
from train_page import eventually
from unrolled_picture import PicturePage
from visits import Visits, sideways_overflow, stop_the_clock

APP = Path(__file__).parent / "apps" / "unrolled_picture.py"
BEAT = 480
"""Milliseconds for which each step of the passes is shown."""

TARGET = 32
"""Pixels that a finger needs."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with the picture alone, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("picture"), entry=APP) as server:
        yield server


def opened(visits: Visits, link: str = "", **how: str) -> PicturePage:
    """The page, with the picture drawn."""
    page = PicturePage(visits.open(f"?{link}", **how))  # type: ignore[arg-type]
    page.box.locator(".column .norm, .rolled .norm").first.wait_for()
    return page


# ---- choosing


def test_a_click_chooses_the_cell_and_tells_it_once(visits: Visits) -> None:
    page = opened(visits)
    page.column(7).locator(".cell .frame").click()
    assert page.chosen == [7], "the mark does not wait for the server"
    eventually(page.page, "the server was told", lambda: page.told["t"] == 7)
    assert [(word["t"], word["layer"]) for word in page.told["words"]] == [(7, 0)]


def test_of_few_units_each_can_be_chosen(visits: Visits) -> None:
    page = opened(visits, "run=hello-rnn&probe=hello&t=1")
    field = page.column(2).locator(".unit[data-unit='2']").bounding_box()
    assert field is not None
    page.page.mouse.click(field["x"] + field["width"] / 2, field["y"] + field["height"] / 2)
    eventually(page.page, "the server was told", lambda: (page.told["t"], page.told["unit"]) == (2, 2))


def test_a_click_on_what_came_chooses_whose_gradient_is_drawn(visits: Visits) -> None:
    page = opened(visits)
    before = page.column(8).locator(".pull text").text_content()
    page.column(5).locator(".goal").click()
    eventually(page.page, "the server was told", lambda: page.told["target"] == 5)
    eventually(page.page, "no later state matters", lambda: page.column(8).locator(".pull text").text_content() == "0")
    assert before != "0"
    assert page.box.locator(".of select").input_value() == "5"
    page.box.locator(".of select").select_option("sum")
    eventually(page.page, "all losses again", lambda: page.column(8).locator(".pull text").text_content() == before)


def test_an_answer_that_comes_late_does_not_take_the_choice_back(visits: Visits) -> None:
    page = opened(visits, "slow=0.7")
    stop_the_clock(page.page)
    marked = set()

    def taken() -> int:
        page.page.clock.run_for(1)
        marked.update(page.chosen)
        return page.told["t"]

    page.column(6).locator(".cell .frame").click()
    eventually(page.page, "the server works on it", lambda: taken() == 6 or page.server_works)
    marked.clear()
    page.column(8).locator(".cell .frame").click()
    eventually(page.page, "it has taken both", lambda: taken() == 8)
    assert [word["t"] for word in page.told["words"]] == [6, 8]
    assert marked == {8}


def test_a_place_announced_by_another_component_is_marked_at_once(visits: Visits) -> None:
    page = opened(visits)
    page.page.evaluate("window.dispatchEvent(new CustomEvent('unrolled:place', { detail: { t: 6 } }))")
    assert page.chosen == [6]


# ---- scrolling


def test_only_columns_in_and_near_the_window_are_drawn(visits: Visits) -> None:
    page = opened(visits, "repeat=18&t=0")
    assert len(page.drawn) < 25
    page.scroll_to(20_000)
    assert min(t for t in page.drawn if t >= 0) > 150
    assert len(page.drawn) < 25


def test_a_visitors_scrolling_is_left_alone_and_a_chip_leads_back(visits: Visits) -> None:
    page = opened(visits, "t=1")
    assert not page.chip.is_visible()
    page.scroll_to(1_000)
    assert page.scrolled == 1_000
    assert page.chip.inner_text() == "← to t = 2"
    page.column(14).locator(".cell .frame").click()
    eventually(page.page, "the server was told", lambda: page.told["t"] == 14)
    assert page.scrolled == 1_000, "what is chosen here is in sight"
    page.scroll_to(0)
    page.chip.click()
    eventually(page.page, "back at it", lambda: page.column(14).count() and not page.chip.is_visible())


def test_a_column_chosen_elsewhere_comes_into_sight(visits: Visits) -> None:
    page = opened(visits, "t=22")
    assert page.scrolled > 500
    page.page.get_by_role("button", name="To timestep 3").click()
    eventually(page.page, "it is chosen", lambda: page.chosen == [2])
    assert page.scrolled < 300
    assert not page.chip.is_visible()


def test_another_training_step_changes_numbers_and_nothing_else(visits: Visits) -> None:
    page = opened(visits, "t=3")
    page.column(2).locator(".frame").hover()
    page.page.evaluate(
        """() => { const find = (root) => root.querySelector('.column[data-t="2"] .norm') ||
          [...root.querySelectorAll('*')].map((node) => node.shadowRoot && find(node.shadowRoot)).find(Boolean);
          window.kept = find(document); }"""
    )
    before = page.column(2).locator(".norm").first.text_content()
    page.page.get_by_role("button", name="Training step 0").focus()
    page.page.keyboard.press("Enter")
    eventually(
        page.page, "its numbers are others", lambda: page.column(2).locator(".norm").first.text_content() != before
    )
    assert page.page.evaluate("window.kept.isConnected")
    assert page.column(2).locator(".norm").first.text_content() in page.card.inner_text(), (
        "the card under the pointer too"
    )
    assert "at step 0" in page.box.locator(".where").inner_text()


# ---- the passes, step by step


def test_states_travel_right_and_then_the_gradient_travels_left(visits: Visits) -> None:
    page = opened(visits, "run=hello-rnn&probe=hello&t=0")
    page.keys("n")
    assert page.said.startswith("forward, t = 1: ‖a[1]⟨1⟩‖ = ")
    assert page.opacity(".column[data-t='0'] .cell .frame") == [1]
    assert page.opacity(".column[data-t='1'] .cell .frame")[0] < 0.2
    page.keys("n")
    assert "“e” came, loss" in page.said
    page.keys("b", "b")
    assert page.said.startswith("both passes done")
    page.keys(*"n" * 11)
    assert page.said.startswith("backward from all losses: t = 4, ‖∂L/∂s‖ = ")
    shown = page.column(3).locator(".pull text").text_content()
    assert page.said.endswith(f"= {shown}")
    assert page.opacity(".column[data-t='3'] .pull") == [1]
    assert page.opacity(".column[data-t='2'] .pull") == [0]
    page.keys(*"n" * 4)
    assert "before the first token" in page.said
    page.keys("n")
    assert page.said.startswith("both passes done")
    assert set(page.opacity(".column .frame")) == {1}


def test_the_animation_runs_to_the_finished_picture(visits: Visits) -> None:
    page = opened(visits, "run=hello-rnn&probe=hello&t=0")
    stop_the_clock(page.page)
    page.keys("a")
    assert page.said.startswith("forward, t = 1")
    page.page.clock.run_for(10 * BEAT)
    assert page.said.startswith("backward"), "it goes back too"
    page.keys("a")
    still = page.said
    page.page.clock.run_for(2 * BEAT)
    assert page.said == still, "it pauses"
    page.keys("a")
    page.page.clock.run_for(6 * BEAT)
    assert page.said.startswith("both passes done")


def test_keys_are_left_to_a_field_that_is_written_in(visits: Visits) -> None:
    page = opened(visits)
    page.page.get_by_label("A field").fill("")
    page.page.keyboard.type("nab")
    assert page.said.startswith("both passes done")


# ---- folded, changed, unknown


def test_it_folds_into_the_loop_and_unrolls_again(visits: Visits) -> None:
    page = opened(visits, "t=6")
    page.button("fold").click()
    page.box.locator(".rolled .loop").first.wait_for()
    assert page.box.locator(".rolled .when").text_content() == "t = 7 of 27"
    assert page.box.locator(".column").count() == 1
    eventually(page.page, "the server was told", lambda: page.told["folded"] is True)
    page.page.get_by_role("button", name="To timestep 3").click()
    eventually(page.page, "it is stepped", lambda: page.box.locator(".rolled .when").text_content() == "t = 3 of 27")
    page.button("fold").click()
    eventually(page.page, "all columns are back", lambda: len(page.drawn) > 5)
    eventually(page.page, "where they were", lambda: page.column(2).get_attribute("style") in (None, ""))


def test_a_change_is_marked_and_its_predictions_stand_before_and_after(visits: Visits) -> None:
    page = opened(visits, "run=hello-rnn&probe=hello&changed=1&t=2")
    assert page.column(2).locator(".mark").text_content() == "◆"
    assert page.column(1).locator(".mark").text_content() == ""
    assert page.column(1).locator(".norm").text_content() == "Δ 0"
    assert page.column(2).locator(".norm").text_content() != "Δ 0"
    moved = [text for text in page.box.locator(".percent").all_text_contents() if "→" in text]
    assert moved


def test_hovering_shows_the_numbers_in_full(visits: Visits) -> None:
    page = opened(visits)
    page.column(4).locator(".cell .frame").hover()
    text = page.card.inner_text()
    for part in ("changed by", "its unit 1", "‖∂L/∂s‖", "expects", "came next", "nats"):
        assert part in text
    page.page.mouse.move(5, 5)
    assert not page.card.is_visible()


@pytest.mark.parametrize("link", ["", "changed=1", "run=hello-rnn&probe=hello", "run=tales-words&probe=the+cat+sat"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_no_chance_is_written_over_the_end_of_a_bar(visits: Visits, link: str, size: str) -> None:
    page = opened(visits, link, size=size)
    assert page.box.locator(".percent").count() > 5
    assert page.overlaps() == 0


def test_the_strip_below_says_what_it_shows_and_in_which_unit(visits: Visits) -> None:
    page = opened(visits)
    assert re.match(r"loss at every timestep, 0 to [\d.]+ nats", page.box.locator(".strip-name").inner_text())
    short = opened(visits, "probe=cat")
    assert not short.box.locator(".strip-name").is_visible(), "there is no strip where all columns are in sight"


def test_the_keys_grow_with_the_pages_type_as_the_picture_does(visits: Visits) -> None:
    page = opened(visits)
    key, sheet = page.box.locator(".keys svg").first, page.box.locator("svg.sheet")
    before = (key.bounding_box() or {})["height"], (sheet.bounding_box() or {})["height"]
    page.page.evaluate("() => { document.documentElement.style.fontSize = '24px'; }")
    page.page.set_viewport_size({"width": 1200, "height": 800})
    for element, height in zip((key, sheet), before, strict=True):
        eventually(page.page, "it has grown", lambda e=element, h=height: (e.bounding_box() or {})["height"] == 1.5 * h)


@pytest.mark.parametrize("of", ["sum", "12"])
def test_on_a_phone_the_choice_of_a_loss_is_read_whole(visits: Visits, of: str) -> None:
    page = opened(visits, f"of={of}&t=12", size="phone")
    assert page.is_whole(".of select")
    assert sideways_overflow(page.page) <= 0


def test_an_unknown_word_is_drawn_as_itself_and_its_card_says_what_is_read(visits: Visits) -> None:
    page = opened(visits, "run=tales-words&probe=the+zeppelin+and&t=0")
    assert page.column(1).locator(".read").get_attribute("class") == "read unknown"
    assert page.column(1).locator(".token .code").text_content() == "zeppelin"
    assert "= 0" not in (page.column(1).locator(".token").text_content() or ""), "no zero vector is read"
    page.column(1).locator(".cell .frame").hover(force=True)
    assert "not in the vocabulary\nthe model reads <unk>" in page.card.inner_text()
    assert re.search(r"\d nats", page.column(0).locator(".loss").text_content() or "")


def test_what_is_unknown_is_drawn_as_unknown(visits: Visits) -> None:
    page = opened(visits, f"probe={quote('a€b')}&t=0")
    assert page.column(1).locator(".read").get_attribute("class") == "read unknown"
    assert page.column(1).locator(".token .sign").text_content() == "x⟨2⟩ = 0"
    assert page.column(0).locator(".loss").text_content() == "unknown"
    page.column(0).locator(".goal").click()
    eventually(page.page, "nothing to differentiate: the column is chosen", lambda: page.told["words"])
    assert "target" not in page.told["words"][-1]


# ---- taken away, and on a phone


def test_the_whole_picture_is_taken_away(visits: Visits, tmp_path: Path) -> None:
    page = opened(visits, "repeat=2&t=0")
    drawing = page.take("SVG", tmp_path).read_text(encoding="utf-8")
    assert len(re.findall(r'data-t="\d+"', drawing)) == 54
    assert "LSTM on Tales" in drawing
    assert "norm ‖a‖ (box)" in drawing
    assert page.take("PNG", tmp_path).read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(page.take("CSV", tmp_path).read_text(encoding="utf-8").splitlines()))
    assert [row["token"] for row in rows[:4]] == list("They")
    assert len(rows) == 54
    eventually(page.page, "nothing of it stays", lambda: page.box.locator(".printing svg").count() == 0)


def test_on_a_phone_nothing_is_too_wide_or_too_small_to_touch(visits: Visits) -> None:
    page = opened(visits, size="phone")
    assert sideways_overflow(page.page) <= 0
    for button in page.box.locator("button:visible, select:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TARGET
