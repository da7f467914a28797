"""The flow inside a cell alone: what lights up, what is sent, and what stays while numbers change."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Locator
from stage import Blank, Stage
from test_equations_hold import holds
from visits import Size, sideways_overflow

from engine import LanguageModel, ModelConfig, record
from engine.cells import CELLS
from playground.components import cell_flow as component
from playground.components.cell_flow import Flow, fits
from playground.inside.view import View
from playground.views.unrolled.cell_flow import cell_flow

TEXT = "hello, world"
BEAT = 900
"""Milliseconds for which an operation is shown."""

# A place on the wire that can be pointed at: the middle of its longest path.
_MIDDLE = """group => {
  const path = [...group.querySelectorAll('.reach')].sort((a, b) => b.getTotalLength() - a.getTotalLength())[0];
  const { x, y } = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
  return [x, y];
}"""


def flow_of(state: dict[str, Any]) -> Flow:
    """One step of a model with weights of its own."""
    settings: Any = {name: state[name] for name in ("cell", "units", "layers")}
    model = LanguageModel(ModelConfig(**settings, embedding=8), len(TEXT), seed=state["step"]).requires_grad_(False)
    if state["nan"]:
        model.stack.layer_parameters(0)["weight_hh"].fill_(float("nan"))
    loaded: Any = SimpleNamespace(model=model, vocabulary=None)
    some: Any = SimpleNamespace(name="a run", names=tuple(TEXT))
    trace, top = record(model, range(len(TEXT))), state["layers"] - 1
    return cell_flow(
        View(some, (0,), state["step"], False, loaded, some, some, trace, 4, top, state["unit"], state["notation"])
    )


@dataclass
class FlowStage(Stage):
    """The panel on the blank stage.page."""

    def node(self, name: str) -> Locator:
        return self.page.locator(f".node[data-name={name}]")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def point_at_wire(self, name: str) -> None:
        group = self.page.locator(f".net[data-name={name}]")
        group.scroll_into_view_if_needed()
        x, y = group.evaluate(_MIDDLE)
        self.page.mouse.move(x, y)

    def point_away(self) -> None:
        self.page.mouse.move(2, 2)

    def lit(self, kind: str) -> set[str]:
        """Names of what is lit up: "net", "node" or "tag"."""
        return set(self.page.locator(f".{kind}.lit").evaluate_all("all => all.map((one) => one.dataset.name)"))

    def on_tag(self, name: str) -> str:
        return self.page.locator(f".tag[data-name={name}] .number").text_content() or ""

    @property
    def hidden(self) -> list[float]:
        """The values of the hidden state."""
        return [float(value) for value in self.draw(self.state).streams["hidden"].values]


Opened = Callable[..., FlowStage]


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens a page with the panel on it, of a state of the app that is changed as a test wants it."""

    def open_page(size: Size = "wide", **changed: Any) -> FlowStage:
        state = {"cell": "lstm", "units": 24, "layers": 1, "step": 1, "unit": 1, "notation": "ng", "nan": False}
        stage = FlowStage(blank.open(size), component._PANEL, flow_of, fits, state | changed)
        stage.show()
        return stage

    return open_page


# ---- lighting up


def test_pointing_at_a_wire_lights_it_and_its_term_in_every_equation(opened: Opened) -> None:
    stage = opened()
    stage.point_at_wire("forget")
    assert stage.lit("net") == {"forget"}
    assert stage.lit("node") == {"forget"}
    assert stage.lit("tag") == {"forget"}
    # The forget gate is computed in one equation and used in another.
    assert stage.page.locator(".equation:has(.piece.own)").count() == 2
    assert "How much of the previous cell state is kept" in stage.page.locator(".card").inner_text()
    assert re.search(
        r"unit 2: σ\(−?\d\.\d+\) = 0\.\d+ · mean 0\.\d+", stage.page.locator(".card .numbers").inner_text()
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm-course"])
def test_the_card_says_how_a_unit_was_computed_and_it_holds_as_printed(opened: Opened, cell: str) -> None:
    stage = opened(cell=cell)
    checked = 0
    for name in stage.page.locator(".node").evaluate_all("all => all.map((one) => one.dataset.name)"):
        stage.node(name).hover()
        said = re.match(r"unit 2: (.*) = (\S+) ·", stage.page.locator(".card .numbers").inner_text())
        if said:
            checked += 1
            assert holds(said[1], said[2]), f"{said[1]} = {said[2]}"
    assert checked >= 6


def test_pointing_at_a_term_lights_its_wire(opened: Opened) -> None:
    stage = opened()
    # The new cell state: forget ⊙ cell before + update ⊙ candidate
    equation = stage.page.locator(".equation").filter(has=stage.page.locator(".piece[data-name=kept]"))
    terms = equation.locator(".piece[data-name]")
    written = terms.evaluate_all("all => all.map((one) => one.dataset.name)")
    assert written == ["cell", "forget", "kept", "cell_before", "cell", "update", "written", "candidate"]
    terms.nth(written.index("kept")).hover()
    assert stage.lit("net") == {"kept"}
    stage.point_away()
    assert stage.lit("net") == set()


def test_a_click_keeps_the_light_and_another_takes_it_back(opened: Opened) -> None:
    stage = opened()
    stage.node("candidate").click()
    stage.point_away()
    assert stage.lit("net") == {"candidate"}
    stage.point_at_wire("forget")
    assert stage.lit("net") == {"forget"}
    stage.point_away()
    assert stage.lit("net") == {"candidate"}
    stage.node("candidate").click()
    stage.point_away()
    assert stage.lit("net") == set()


def test_the_keyboard_goes_from_operation_to_operation(opened: Opened) -> None:
    stage = opened()
    stage.node("cell_before").focus()
    stage.page.keyboard.press("ArrowRight")
    stage.page.keyboard.press("ArrowRight")
    assert stage.lit("node") == {"input"}
    stage.page.keyboard.press("End")
    assert stage.lit("node") == {"hidden", "hidden_out"}
    stage.page.keyboard.press("Enter")
    assert stage.node("hidden").get_attribute("aria-pressed") == "true"
    stage.page.keyboard.press("Escape")
    assert stage.node("hidden").get_attribute("aria-pressed") == "false"
    label = stage.node("forget").get_attribute("aria-label") or ""
    assert label.startswith("Γ(f), how much of the previous cell state is kept: ")


def test_terms_are_lit_across_panels(opened: Opened) -> None:
    stage = opened()
    heard = stage.listen("term")
    stage.point_at_wire("output")
    stage.point_away()
    assert heard() == [{"quantity": "output"}, {"quantity": None}]
    stage.tell("term", quantity="weight:update")
    assert stage.lit("net") == {"update_pre"}
    stage.tell("term", quantity=None)
    assert stage.lit("net") == set()
    assert len(heard()) == 4, "nothing is echoed"


# ---- values


def test_the_number_on_a_wire_is_the_chosen_units(opened: Opened) -> None:
    stage = opened()
    value = stage.hidden[1]
    assert float(stage.on_tag("hidden").replace("−", "-")) == pytest.approx(value, abs=6e-4)


def test_the_whole_vector_is_summed_up_as_its_norm_or_its_mean(opened: Opened) -> None:
    stage = opened()
    stage.button("whole vector").click()
    hidden = stage.hidden
    norm = sum(value * value for value in hidden) ** 0.5
    assert float(stage.on_tag("hidden").strip("‖")) == pytest.approx(norm, abs=6e-3)
    assert stage.on_tag("forget").startswith("ø 0.")
    stage.button("unit 2").click()
    assert "‖" not in stage.on_tag("hidden")


def test_a_unit_chosen_in_the_strip_is_shown_at_once_and_told(opened: Opened) -> None:
    stage = opened()
    stage.node("hidden").click()
    before = stage.on_tag("hidden")
    strip = stage.page.locator(".card .strip")
    box = strip.bounding_box()
    assert box is not None
    stage.page.mouse.click(box["x"] + box["width"] * 5.5 / 24, box["y"] + box["height"] / 2)
    assert stage.on_tag("hidden") != before
    stage.comes_to(unit=5)
    assert stage.messages == [{"count": 1, "unit": 5}]
    assert stage.button("unit 6").count() == 1


def test_a_unit_chosen_elsewhere_is_shown_before_the_server_answers(opened: Opened) -> None:
    stage = opened()
    stage.tell("place", t=4, layer=0, unit=7)
    value = stage.hidden[7]
    assert float(stage.on_tag("hidden").replace("−", "-")) == pytest.approx(value, abs=6e-4)


def test_nan_is_said_and_hatched(opened: Opened) -> None:
    stage = opened(nan=True)
    assert stage.on_tag("hidden") == "NaN"
    fills = stage.page.locator(".tag[data-name=hidden_out] .cells rect, .tag[data-name=hidden] .cells rect")
    assert "url(#nan-" in (fills.first.get_attribute("fill") or "")
    assert "NaN" in stage.page.locator(".legend").inner_text()


# ---- what stays


def test_new_numbers_come_into_the_same_drawing(opened: Opened) -> None:
    stage = opened()
    stage.node("forget").click()
    stage.button("Next operation").click()
    stage.page.locator(".picture").evaluate("picture => (picture.querySelector('.node').mine = true)")
    before = stage.on_tag("cell")
    stage.show(step=2)
    assert stage.on_tag("cell") != before
    assert stage.page.locator(".picture").evaluate("picture => picture.querySelector('.node').mine")
    assert stage.node("forget").get_attribute("aria-pressed") == "true"
    assert stage.page.locator(".at").inner_text() == "1 of 14"


def test_another_notation_names_everything_anew(opened: Opened) -> None:
    stage = opened()
    assert stage.page.locator(".tag[data-name=forget] .name").text_content() == "Γf\u200b"
    stage.show(notation="pytorch")
    assert stage.page.locator(".tag[data-name=forget] .name").text_content() == "f"
    assert "Γ" not in stage.page.locator(".cell-flow").inner_text()


def test_the_panel_goes_and_comes_back(opened: Opened) -> None:
    stage = opened()
    stage.take_away()
    assert stage.page.locator(".cell-flow").count() == 0
    stage.show()
    stage.point_at_wire("forget")
    assert stage.lit("net") == {"forget"}


# ---- the step in slow motion


def test_the_step_is_followed_operation_by_operation(opened: Opened) -> None:
    stage = opened()
    on = stage.button("Next operation")
    on.click()
    stage.point_away()
    assert stage.lit("node") == {"joined"}
    on.click()
    stage.point_away()
    assert stage.lit("node") == {"forget_pre"}
    ahead = set(stage.page.locator(".node.ahead").evaluate_all("all => all.map((one) => one.dataset.name)"))
    assert {"forget", "cell", "hidden", "hidden_out"} <= ahead
    assert not {"joined", "forget_pre", "input", "cell_before"} & ahead
    stage.button("Previous operation").click()
    assert stage.page.locator(".at").inner_text() == "1 of 14"
    stage.button("Show the whole step").click()
    assert stage.page.locator(".ahead").count() == 0


def test_it_plays_to_the_end(opened: Opened) -> None:
    stage = opened(cell="rnn")
    stage.button("Play the step").click()
    stage.run(3 * BEAT)
    assert stage.page.locator(".at").inner_text() == "4 of 4"
    stage.run(BEAT)
    assert stage.button("Resume").count() == 1, "it stops there"
    stage.point_away()
    assert stage.lit("node") == {"hidden", "hidden_out"}


# ---- every cell


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_drawn_with_all_its_words_in_their_places(opened: Opened, cell: str) -> None:
    for notation in ("ng", "plain"):
        stage = opened("phone", cell=cell, notation=notation)
        assert sideways_overflow(stage.page) <= 0
        widths = stage.page.locator(".label, .name").evaluate_all(
            "all => all.map((text) => [text.textContent, text.getBBox().width, text.closest('.tag') ? 66 :"
            " text.parentNode.querySelector('.shape').getBBox().width])"
        )
        assert [text for text, wide, room in widths if wide > room + 1] == []


# ---- taking away


def test_numbers_and_pictures_can_be_taken_away(opened: Opened) -> None:
    stage = opened()
    hidden = stage.hidden
    saved = {}
    for kind in ("CSV", "SVG", "PNG"):
        with stage.page.expect_download() as download:
            stage.page.get_by_role("button", name=kind, exact=True).click()
        assert download.value.suggested_filename == f"a-run-step-1-cell-t5-layer1.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    rows = list(csv.reader(saved["CSV"].decode().splitlines()))
    assert rows[0] == ["quantity", "written", "place", "value"]
    found = {int(place): float(value) for name, _, place, value in rows[1:] if name == "hidden"}
    assert found == {place + 1: pytest.approx(value, rel=1e-6) for place, value in enumerate(hidden)}
    assert b"<svg" in saved["SVG"]
    assert saved["PNG"].startswith(b"\x89PNG")
