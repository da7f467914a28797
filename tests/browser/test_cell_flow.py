"""The flow inside a cell in the browser: what lights up, what is told, and what stays while numbers change."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from server import Server, serving
from train_page import eventually
from visits import Visits, come_to_rest, settle, sideways_overflow

from engine.cells import CELLS

APP = Path(__file__).parent / "apps" / "cell_flow.py"

# A place on the wire that can be pointed at: the middle of its longest path.
_MIDDLE = """group => {
  const path = [...group.querySelectorAll('.reach')].sort((a, b) => b.getTotalLength() - a.getTotalLength())[0];
  const { x, y } = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
  return [x, y];
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with the panel alone, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("flow"), entry=APP) as server:
        yield server


def opened(visits: Visits, link: str = "", **how: Any) -> Page:
    """The page, with the drawing on it."""
    page = visits.open(link, **how)
    page.locator(".cell-flow .node").first.wait_for()
    come_to_rest(page)
    return page


def node(page: Page, name: str) -> Locator:
    return page.locator(f".node[data-name={name}]")


def point_at_wire(page: Page, name: str) -> None:
    group = page.locator(f".net[data-name={name}]")
    group.scroll_into_view_if_needed()
    x, y = group.evaluate(_MIDDLE)
    page.mouse.move(x, y)


def lit(page: Page, kind: str) -> set[str]:
    """Names of what is lit up: "net", "node" or "tag"."""
    return set(page.locator(f".{kind}.lit").evaluate_all("all => all.map((one) => one.dataset.name)"))


def lit_terms(page: Page) -> str:
    """The pieces of the equations that name what is lit, in order."""
    return " ".join(page.locator(".equations .piece.own").all_inner_texts()).replace("\n", "")


def on_tag(page: Page, name: str) -> str:
    return page.locator(f".tag[data-name={name}] .number").text_content() or ""


def known(page: Page) -> dict[str, Any]:
    """What the app knows."""
    return json.loads(page.get_by_test_id("stCode").inner_text())


# ---- lighting up


def test_pointing_at_a_wire_lights_it_and_its_term_in_every_equation(visits: Visits) -> None:
    page = opened(visits)
    point_at_wire(page, "forget")
    assert lit(page, "net") == {"forget"}
    assert lit(page, "node") == {"forget"}
    assert lit(page, "tag") == {"forget"}
    # The forget gate is computed in one equation and used in another.
    assert page.locator(".equation:has(.piece.own)").count() == 2
    assert "How much of the cell state is kept" in page.locator(".card").inner_text()
    assert re.search(r"unit 2: −?0\.\d+ · mean 0\.\d+", page.locator(".card .numbers").inner_text())


def test_pointing_at_a_term_lights_its_wire(visits: Visits) -> None:
    page = opened(visits)
    # The new cell state: forget ⊙ cell before + update ⊙ candidate
    equation = page.locator(".equation").filter(has=page.locator(".piece[data-name=kept]"))
    terms = equation.locator(".piece[data-name]")
    written = terms.evaluate_all("all => all.map((one) => one.dataset.name)")
    assert written == ["cell", "forget", "kept", "cell_before", "cell", "update", "written", "candidate"]
    terms.nth(written.index("kept")).hover()
    assert lit(page, "net") == {"kept"}
    page.mouse.move(2, 2)
    assert lit(page, "net") == set()


def test_a_click_keeps_the_light_and_another_takes_it_back(visits: Visits) -> None:
    page = opened(visits)
    node(page, "candidate").click()
    page.mouse.move(2, 2)
    assert lit(page, "net") == {"candidate"}
    point_at_wire(page, "forget")
    assert lit(page, "net") == {"forget"}
    page.mouse.move(2, 2)
    assert lit(page, "net") == {"candidate"}
    node(page, "candidate").click()
    page.mouse.move(2, 2)
    assert lit(page, "net") == set()


def test_the_keyboard_goes_from_operation_to_operation(visits: Visits) -> None:
    page = opened(visits)
    node(page, "cell_before").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert lit(page, "node") == {"input"}
    page.keyboard.press("End")
    assert lit(page, "node") == {"hidden", "hidden_out"}
    page.keyboard.press("Enter")
    assert node(page, "hidden").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert node(page, "hidden").get_attribute("aria-pressed") == "false"
    label = node(page, "forget").get_attribute("aria-label") or ""
    assert label.startswith("Γ(f), how much of the cell state is kept: ")


def test_terms_are_lit_across_panels(visits: Visits) -> None:
    page = opened(visits)
    page.evaluate("window.heard = []; addEventListener('unrolled:term', (e) => heard.push(e.detail.quantity))")
    point_at_wire(page, "output")
    page.mouse.move(2, 2)
    assert page.evaluate("heard") == ["output", None]
    say = "quantity => dispatchEvent(new CustomEvent('unrolled:term', { detail: { quantity, from: 'elsewhere' } }))"
    page.evaluate(say, "weight:update")
    assert lit(page, "net") == {"update_pre"}
    page.evaluate(say, None)
    assert lit(page, "net") == set()
    assert page.evaluate("heard.length") == 4  # nothing is echoed


# ---- values


def test_the_number_on_a_wire_is_the_chosen_units(visits: Visits) -> None:
    page = opened(visits)
    value = known(page)["hidden"][1]
    assert float(on_tag(page, "hidden").replace("−", "-")) == pytest.approx(value, abs=6e-4)


def test_the_whole_vector_is_summed_up_as_its_norm_or_its_mean(visits: Visits) -> None:
    page = opened(visits)
    page.get_by_role("button", name="whole vector").click()
    hidden = known(page)["hidden"]
    norm = sum(value * value for value in hidden) ** 0.5
    assert float(on_tag(page, "hidden").strip("‖")) == pytest.approx(norm, abs=6e-3)
    assert on_tag(page, "forget").startswith("ø 0.")
    page.get_by_role("button", name="unit 2").click()
    assert "‖" not in on_tag(page, "hidden")


def test_a_unit_chosen_in_the_strip_is_shown_at_once_and_told(visits: Visits) -> None:
    page = opened(visits)
    node(page, "hidden").click()
    before = on_tag(page, "hidden")
    strip = page.locator(".card .strip")
    box = strip.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 5.5 / 24, box["y"] + box["height"] / 2)
    assert on_tag(page, "hidden") != before
    eventually(page, "the app has the unit", lambda: known(page)["unit"] == 5)
    assert page.get_by_role("button", name="unit 6").count() == 1


def test_a_unit_chosen_elsewhere_is_shown_before_the_server_answers(visits: Visits) -> None:
    page = opened(visits)
    page.evaluate("dispatchEvent(new CustomEvent('unrolled:place', { detail: { t: 4, layer: 0, unit: 7 } }))")
    value = known(page)["hidden"][7]
    assert float(on_tag(page, "hidden").replace("−", "-")) == pytest.approx(value, abs=6e-4)


def test_nan_is_said_and_hatched(visits: Visits) -> None:
    page = opened(visits, "?nan=1")
    assert on_tag(page, "hidden") == "NaN"
    fills = page.locator(".tag[data-name=hidden_out] .cells rect, .tag[data-name=hidden] .cells rect")
    assert "url(#nan-" in (fills.first.get_attribute("fill") or "")
    assert "NaN" in page.locator(".legend").inner_text()


# ---- what stays


def test_new_numbers_come_into_the_same_drawing(visits: Visits) -> None:
    page = opened(visits)
    node(page, "forget").click()
    page.get_by_role("button", name="One operation on").click()
    page.locator(".picture").evaluate("picture => (picture.querySelector('.node').mine = true)")
    before = on_tag(page, "cell")
    page.get_by_role("button", name="Next step").click()
    eventually(page, "other numbers stand there", lambda: on_tag(page, "cell") != before)
    assert page.locator(".picture").evaluate("picture => picture.querySelector('.node').mine")
    assert node(page, "forget").get_attribute("aria-pressed") == "true"
    assert page.locator(".at").inner_text() == "1 of 14"


def test_another_notation_names_everything_anew(visits: Visits) -> None:
    page = opened(visits)
    assert page.locator(".tag[data-name=forget] .name").text_content() == "Γf\u200b"
    page.get_by_role("button", name="PyTorch").click()
    name = page.locator(".tag[data-name=forget] .name")
    eventually(page, "the gate is f", lambda: name.text_content() == "f")
    assert "Γ" not in page.locator(".cell-flow").inner_text()


def test_the_panel_goes_and_comes_back(visits: Visits) -> None:
    page = opened(visits)
    page.get_by_text("Without the panel").click()
    eventually(page, "it is gone", lambda: page.locator(".cell-flow").count() == 0)
    page.get_by_text("Without the panel").click()
    page.locator(".cell-flow .node").first.wait_for()
    come_to_rest(page)
    point_at_wire(page, "forget")
    assert lit(page, "net") == {"forget"}


# ---- the step in slow motion


def test_the_step_is_followed_operation_by_operation(visits: Visits) -> None:
    page = opened(visits)
    on = page.get_by_role("button", name="One operation on")
    on.click()
    page.mouse.move(2, 2)
    assert lit(page, "node") == {"joined"}
    on.click()
    page.mouse.move(2, 2)
    assert lit(page, "node") == {"forget_pre"}
    ahead = set(page.locator(".node.ahead").evaluate_all("all => all.map((one) => one.dataset.name)"))
    assert {"forget", "cell", "hidden", "hidden_out"} <= ahead
    assert not {"joined", "forget_pre", "input", "cell_before"} & ahead
    page.get_by_role("button", name="One operation back").click()
    assert page.locator(".at").inner_text() == "1 of 14"
    page.get_by_role("button", name="Show the whole step").click()
    assert page.locator(".ahead").count() == 0


def test_it_plays_to_the_end(visits: Visits) -> None:
    page = opened(visits, "?cell=rnn")
    page.get_by_role("button", name="Play the step").click()
    eventually(page, "the last operation is reached", lambda: page.locator(".at").inner_text() == "4 of 4")
    eventually(page, "it stops there", lambda: page.get_by_role("button", name="Go on").count() == 1)
    page.mouse.move(2, 2)
    assert lit(page, "node") == {"hidden", "hidden_out"}


# ---- every cell


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_drawn_with_all_its_words_in_their_places(visits: Visits, cell: str) -> None:
    for notation in ("ng", "plain"):
        page = opened(visits, f"?cell={cell}&notation={notation}", size="phone")
        assert sideways_overflow(page) <= 0
        widths = page.locator(".label, .name").evaluate_all(
            "all => all.map((text) => [text.textContent, text.getBBox().width, text.closest('.tag') ? 66 :"
            " text.parentNode.querySelector('.shape').getBBox().width])"
        )
        assert [text for text, wide, room in widths if wide > room + 1] == []


# ---- taking away


def test_numbers_and_pictures_can_be_taken_away(visits: Visits) -> None:
    page = opened(visits)
    hidden = known(page)["hidden"]
    saved = {}
    for kind in ("CSV", "SVG", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        assert download.value.suggested_filename == f"a-run-step-1-cell-t5-layer1.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    rows = list(csv.reader(saved["CSV"].decode().splitlines()))
    assert rows[0] == ["quantity", "written", "place", "value"]
    found = {int(place): float(value) for name, _, place, value in rows[1:] if name == "hidden"}
    assert found == {place + 1: pytest.approx(value, rel=1e-6) for place, value in enumerate(hidden)}
    assert b"<svg" in saved["SVG"]
    assert saved["PNG"].startswith(b"\x89PNG")
    settle(page)
