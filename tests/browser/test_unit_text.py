"""The text coloured by units on a blank page: its colours, its bands, what is chosen and taken away."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator
from stage import Blank, Stage
from test_heatmap import DARK, shade
from visits import Size, sideways_overflow

from playground import theme
from playground.components import unit_text
from playground.components.heatmap import Axis, scale_of
from playground.components.unit_text import Line, UnitText, fits

TEXT = "She said, “Come <b>here</b>!”\nAnd they went to the park together, all of them. " * 3


def text_of(state: dict[str, Any]) -> UnitText:
    """Made-up values along the text; one is no number."""
    drawn = torch.Generator().manual_seed(state["step"])
    cell = torch.randn(state["lines"], len(TEXT), generator=drawn)
    cell[0, 6] = torch.nan
    lines = [
        Line(f"c {7 * at + 1}", f"cell state of unit {7 * at + 1}", cell[at], False, 7 * at) for at in range(len(cell))
    ]
    lines[1:2] = [Line("Γf 8", "forget gate of unit 8", cell[1].sigmoid(), True, 7)] if len(cell) > 1 else []
    axis = Axis("timestep", len(TEXT), "t", state["t"], 1, "t = {}", [{"\n": "⏎"}.get(one, one) for one in TEXT])
    marks = [one in "“Come”" for one in TEXT]
    return UnitText(list(TEXT), axis, lines, 64, "A text.", "a-run", state["unit"], marks, "inside quotation marks")


Opened = Callable[..., Stage]


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens a page with the text on it, of a state of the app that is changed as a test wants it."""

    def open_page(size: Size = "wide", *, dark: bool = False, **changed: Any) -> Stage:
        page = blank.open(size)
        if dark:
            page.add_style_tag(content=DARK)
        state = {"step": 1, "t": 3, "unit": 5, "lines": 3} | changed
        stage = Stage(page, unit_text._TEXT, text_of, fits, state, lambda _: {"choosable": True})
        stage.show()
        return stage

    return open_page


def token(stage: Stage, t: int) -> Locator:
    return stage.page.locator(".text .token").nth(t)


def colors_at(stage: Stage, points: list[tuple[float, float]]) -> list[list[int]]:
    """What is drawn behind the text at points of the screen."""
    read = """(one, points) => {
      const box = one.getBoundingClientRect();
      const { data, width } = one.getContext('2d').getImageData(0, 0, one.width, one.height);
      const place = ([x, y]) => 4 * (Math.floor(y - box.top) * width + Math.floor(x - box.left));
      return points.map(place).map((at) => [...data.slice(at, at + 3)]);
    }"""
    found: list[list[int]] = stage.page.locator(".page canvas").evaluate(read, points)
    return found


def wanted(line: Line, t: int, paper: str) -> Any:
    hues = (theme.GATE, theme.GATE) if line.gate else (theme.SIGNED_BLUE, theme.SIGNED_ORANGE)
    return pytest.approx(shade(float(line.values[t]), scale_of(line.values, line.gate).full, hues, paper), abs=1)


def readout(stage: Stage) -> str:
    return re.sub(r"\s+", " ", stage.page.locator(".readout").inner_text())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_one_unit_is_the_ground_of_every_token(opened: Opened, dark: bool) -> None:
    stage = opened(dark=dark, lines=1)
    (line,) = text_of(stage.state).lines
    paper = theme.DARK_PAPER if dark else theme.LIGHT_PAPER
    some = (0, 1, 8, 20, 33, 60)
    boxes = [token(stage, t).bounding_box() for t in some]
    found = colors_at(stage, [(box["x"] + 2, box["y"] + 2) for box in boxes if box])
    assert found == [wanted(line, t, paper) for t in some]


def test_several_units_are_bands_below_each_token_in_their_order(opened: Opened) -> None:
    stage = opened("phone")
    lines = text_of(stage.state).lines
    points, colors = [], []
    for t in (1, 12, 80):
        box = token(stage, t).bounding_box()
        assert box is not None
        middle, below = box["x"] + box["width"] / 2, box["y"] + box["height"]
        points += [(middle, below + (0.12 + 0.66 * at + 0.29) * 16) for at in range(3)]
        colors += [wanted(line, t, theme.LIGHT_PAPER) for line in lines]
    assert colors_at(stage, points) == colors
    assert sideways_overflow(stage.page) <= 0


def test_the_text_is_text_and_its_scales_are_said(opened: Opened) -> None:
    stage = opened()
    assert stage.page.locator(".text").text_content() == TEXT
    assert stage.page.locator(".text b").count() == 0
    assert stage.page.locator(".marked").inner_text() == "dotted underline: inside quotation marks"
    cell, forget, _ = stage.page.locator(".line .ends").all_inner_texts()
    assert "1 NaN" in cell
    assert re.sub(r"\s+", " ", forget).strip() == "0 1"


def test_pointing_at_a_token_says_the_value_of_every_unit(opened: Opened) -> None:
    stage = opened()
    token(stage, 11).hover()
    assert readout(stage).strip() == "pointer t = 12 “C”"
    said = [float(text.replace("−", "-")) for text in stage.page.locator(".now").all_inner_texts()]
    assert said == pytest.approx([float(line.values[11]) for line in text_of(stage.state).lines], rel=5e-3)
    stage.show(step=2)
    assert readout(stage).strip() == "pointer t = 12 “C”"


def test_a_click_chooses_a_token_and_a_name_its_unit(opened: Opened) -> None:
    stage = opened()
    heard = stage.listen("place")
    token(stage, 12).click()
    stage.comes_to(t=12, unit=5)
    stage.page.get_by_role("button", name="forget gate of unit 8").click()
    stage.comes_to(t=12, unit=7)
    assert heard() == [{"t": 12}, {"unit": 7}]


def test_arrow_keys_go_along_the_text_and_from_row_to_row(opened: Opened) -> None:
    stage = opened()
    stage.page.evaluate("document.addEventListener('keydown', (event) => (window.free = !event.defaultPrevented))")
    stage.page.locator(".page").focus()
    stage.press("ArrowRight", "ArrowRight")
    stage.comes_to(t=5)
    stage.press("ArrowDown")
    below = stage.answer()["t"]
    assert token(stage, below).bounding_box()["x"] == pytest.approx(token(stage, 5).bounding_box()["x"], abs=5)
    assert below > TEXT.index("\n")
    stage.press("ArrowUp")
    stage.comes_to(t=5)
    stage.press("End")
    stage.comes_to(t=len(TEXT) - 1)
    assert stage.page.evaluate("window.free") is False


def test_values_and_pictures_can_be_taken_away(opened: Opened) -> None:
    stage = opened()
    saved = {}
    for kind in ("CSV", "SVG", "PNG"):
        with stage.page.expect_download() as download:
            stage.page.get_by_role("button", name=kind, exact=True).click()
        saved[kind] = Path(download.value.path()).read_bytes()
    heads, *rows = csv.reader(saved["CSV"].decode().splitlines())
    lines = text_of(stage.state).lines
    assert heads == ["timestep", "token", *(line.name for line in lines), "inside quotation marks"]
    for at, line in enumerate(lines):
        found = [float(row[2 + at]) for row in rows]
        assert found == pytest.approx(line.values.tolist(), rel=1e-6, nan_ok=True)
    picture = saved["SVG"].decode()
    assert ">“Come</text>" in picture or all(f">{letter}</text>" in picture for letter in "Come")
    assert picture.count("<image") == 4, "the bands and three keys"
    assert saved["PNG"].startswith(b"\x89PNG")
