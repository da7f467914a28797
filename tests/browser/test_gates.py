"""Gates, as a visitor meets it: the unit that was found, the heatmaps, and analyses that the trainer works out."""

from __future__ import annotations

from app_page import eventually
from gates_page import opened
from visits import Visits, sideways_overflow


def test_the_first_thing_one_sees_is_a_unit_that_means_something(visits: Visits) -> None:
    page = opened(visits)
    assert page.claim.startswith("Unit 24 of this LSTM tracks “inside quotation marks”")
    assert "inside quotation marks" in page.unit
    box = page.text.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800, "the coloured text is above the fold"
    assert "“" in page.readout, "the token is read out"
    assert sideways_overflow(page.page) == 0


def test_a_cell_of_a_heatmap_selects_unit_and_timestep_on_every_page(visits: Visits) -> None:
    page = opened(visits, "probe=He+said+that+it+was+late.&t=3")
    canvas = page.heatmaps.locator(".grid").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.75 * box["height"])
    eventually(
        page.page, "the link has another unit", lambda: "unit=" in page.page.url and "unit=23" not in page.page.url
    )
    unit = page.page.url.split("unit=")[1].split("&")[0]
    eventually(page.page, "the bar too", lambda: page.unit.startswith(f"unit {int(unit) + 1} "))
    page.page.keyboard.press("ArrowDown")
    eventually(page.page, "the unit below", lambda: f"unit={int(unit) + 1}" in page.page.url)
    page.go_to("Unrolled")
    eventually(page.page, "it is chosen there too", lambda: page.unit.startswith(f"unit {int(unit) + 2} "))


def test_an_analysis_is_worked_out_and_its_result_stays(visits: Visits) -> None:
    page = opened(visits, "run=tales-words&look=off&unit=58")
    page.look("off").get_by_text("the loss changes by").wait_for()
    metrics = page.look("off").get_by_test_id("stMetric")
    eventually(page.page, "three losses stand below the sentence", lambda: metrics.count() == 3)
    page.choose_look("Unit search")
    page.look("search").get_by_text("tracks “inside quotation marks” best").wait_for()
    page.page.reload()
    page.drawn()
    page.look("search").get_by_text("tracks “inside quotation marks” best").wait_for()


def test_a_unit_that_is_named_has_its_name_in_the_bar(visits: Visits) -> None:
    page = opened(visits, "run=hello-rnn&unit=1")
    page.press("Name unit 2")
    field = page.page.get_by_role("textbox", name="What unit 2 tracks")
    field.fill("the letter l <b>")
    field.press("Enter")
    eventually(page.page, "the bar has it", lambda: page.unit.endswith("the letter l <b>"))


def test_on_a_phone_nothing_is_cut_off(visits: Visits) -> None:
    page = opened(visits, "look=lines", size="phone")
    assert sideways_overflow(page.page) == 0
