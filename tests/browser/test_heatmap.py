"""Grids of values on a blank page: their colours, the crosshair over all of them, what is chosen and taken away."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator
from stage import Blank, Stage
from visits import Size, sideways_overflow

from playground import theme
from playground.components import heatmap
from playground.components.heatmap import Axis, Heatmaps, Panel, fits
from playground.notation import Symbol
from playground.text import number

LENGTH, UNITS = 24, 40
TEXT = "“Hi,” she said. Then go␣"
DARK = ":root { --st-background-color: #12161d; --st-text-color: #e6e8ec; } body { background: #12161d; }"


def heatmaps_of(state: dict[str, Any]) -> Heatmaps:
    """A gate and a state of made-up numbers; the state has what is no number, and a few far from the rest."""
    drawn = torch.Generator().manual_seed(state["step"])
    units = state["units"]
    gate = torch.rand(units, LENGTH, generator=drawn)
    cell = torch.randn(units, LENGTH, generator=drawn)
    cell[3, 5], cell[3, 6], cell[7, 2] = torch.nan, torch.inf, -40.0
    panels = [Panel("forget gate", gate, True, Symbol("Γ", "f")), Panel("cell state", cell, False, Symbol("c"))]
    order = list(reversed(range(units))) if state["reversed"] else None
    return Heatmaps(
        panels * state["times"],
        Axis("timestep", LENGTH, "t", chosen=state["t"], first=1, form="t = {}", texts=TEXT),
        Axis("unit", units, "unit", state["unit"], 1, "unit {}", names={9: "inside quotation marks"}, order=order),
        about="Units by timesteps.",
        file="a-run-step-1",
    )


Opened = Callable[..., Stage]


def open_page(blank: Blank, size: Size, *, dark: bool = False, choosable: bool = True, **changed: Any) -> Stage:
    """A page with the panels on it, of a state of the app that is changed as a test wants it."""
    state = {"step": 1, "t": 2, "unit": 4, "reversed": False, "times": 1, "units": UNITS}
    page = blank.open(size)
    if dark:
        page.add_style_tag(content=DARK)
    more = {"choosable": choosable}
    stage = Stage(page, heatmap._HEATMAPS, heatmaps_of, fits, state | changed, lambda _: more)
    stage.show()
    return stage


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens such pages."""
    return lambda size="wide", **changed: open_page(blank, size, **changed)


@pytest.fixture
def touched(browser: Browser, blank_pages: Blank) -> Iterator[Stage]:
    """The panels on a phone."""
    context = browser.new_context(has_touch=True)
    blank = Blank(context, blank_pages.address)
    yield open_page(blank, "phone")
    blank.leave()
    context.close()


def grid(stage: Stage, panel: int) -> Locator:
    return stage.page.locator(".grid").nth(panel)


def spot(stage: Stage, panel: int, unit: int, t: int) -> tuple[float, float]:
    """The middle of a cell on the screen, where units stand in their own order."""
    box = grid(stage, panel).bounding_box()
    assert box is not None
    return box["x"] + (t + 0.5) * box["width"] / LENGTH, box["y"] + (unit + 0.5) * box["height"] / UNITS


def readout(stage: Stage) -> str:
    return re.sub(r"\s+", " ", stage.page.locator(".readout").inner_text())


def crosshairs(stage: Stage, kind: str) -> list[str | None]:
    """What is outlined in each panel; None where nothing is."""
    read = "all => all.map((one) => getComputedStyle(one).visibility === 'hidden' ? null : one.getAttribute('d'))"
    found: list[str | None] = stage.page.locator(f".{kind} .lines").evaluate_all(read)
    return found


# ---- colours


def shade(value: float, full: float, hues: tuple[str, str], paper: str) -> list[float]:
    """A value's colour by the rule: from the paper to the hue of its sign, in 127 steps."""
    share = round(127 * max(-1.0, min(1.0, value / full))) / 127
    start, end = ([int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in (paper, hues[value > 0]))
    return [a + (b - a) * abs(share) for a, b in zip(start, end, strict=True)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_cell_has_the_colour_of_its_value(opened: Opened, dark: bool) -> None:
    stage = opened(dark=dark, reversed=True)
    data = heatmaps_of(stage.state)
    paper = theme.DARK_PAPER if dark else theme.LIGHT_PAPER
    for place, panel in enumerate(data.panels):
        read = "one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"
        found = torch.tensor(grid(stage, place).evaluate(read)).reshape(UNITS, LENGTH, 4).flip(0)
        scale = heatmap.scale_of(panel.values, panel.gate)
        hues = (theme.GATE, theme.GATE) if panel.gate else (theme.SIGNED_BLUE, theme.SIGNED_ORANGE)
        for (unit, t), value in [
            ((u, t), float(panel.values[u, t])) for u in range(0, UNITS, 3) for t in range(LENGTH)
        ]:
            missing = theme.NAN if not torch.isfinite(torch.tensor(value)) else None
            wanted = shade(1.0, 1.0, (missing, missing), paper) if missing else shade(value, scale.full, hues, paper)
            assert found[unit, t, :3].tolist() == pytest.approx(wanted, abs=1), f"{panel.name}, unit {unit}, t {t}"


def test_what_the_scale_does_not_hold_is_hatched_and_said(opened: Opened) -> None:
    stage = opened()
    note = stage.page.locator(".note").nth(1).inner_text()
    assert re.fullmatch(r"beyond: \d+ values up to −40 · 1 NaN · 1 infinite", note)
    hatched = stage.page.locator(".hatched .lined").evaluate_all("all => all.map((one) => one.getAttribute('d'))")
    assert hatched[0] == ""
    assert hatched[1].count("M") == 1, "two beside each other"
    assert stage.page.locator(".note").nth(0).inner_text() == ""


# ---- the crosshair


def test_the_crosshair_is_in_all_panels_and_the_readout_has_all_their_values(opened: Opened) -> None:
    stage = opened()
    forget, cell = (float(panel.values[9, 17]) for panel in heatmaps_of(stage.state).panels)
    stage.page.mouse.move(*spot(stage, 0, 9, 17))
    one, other = crosshairs(stage, "hovered")
    assert one == other != crosshairs(stage, "chosen")[0]
    found = re.fullmatch(
        r"pointer t = 18 “h”, unit 10 \(inside quotation marks\) Γf (\S+) c (\S+)", readout(stage).strip()
    )
    assert found, readout(stage)
    assert [float(text.replace("−", "-")) for text in found.groups()] == pytest.approx([forget, cell], rel=5e-3)
    stage.page.mouse.move(2, 2)
    assert set(crosshairs(stage, "hovered")) == {None}
    assert readout(stage).startswith("selected t = 3 “i”, unit 5 ")


def test_new_numbers_leave_the_crosshair_and_the_focus_where_they_are(opened: Opened) -> None:
    stage = opened()
    stage.page.locator(".panels").focus()
    stage.page.mouse.move(*spot(stage, 1, 9, 17))
    stage.page.locator(".panel").first.evaluate("panel => (panel.mine = true)")
    before, text = crosshairs(stage, "hovered"), readout(stage)
    stage.show(step=2)
    assert crosshairs(stage, "hovered") == before
    assert readout(stage) != text
    assert readout(stage)[:20] == text[:20]
    assert stage.page.locator(".panel").first.evaluate("panel => panel.mine")
    assert stage.page.locator(".panels").evaluate("panels => panels.getRootNode().activeElement === panels")


def test_of_levels_the_chosen_row_and_column_are_exact_and_others_about_right(opened: Opened) -> None:
    stage = opened(units=1024, times=5)
    values = heatmaps_of(stage.state).panels[1].values
    assert re.search(rf"c {number(float(values[4, 2])).replace('+', '.')}(?!\d)", readout(stage)), "the chosen cell"
    box = grid(stage, 0).bounding_box()
    assert box is not None

    def point(unit: int, t: int) -> str:
        stage.page.mouse.move(
            box["x"] + (t + 0.5) * box["width"] / LENGTH, box["y"] + (unit + 0.5) * box["height"] / 1024
        )
        return readout(stage)

    said = point(700, 9)
    assert re.search(r"Γf ≈ 0\.\d", said)
    place = int(re.findall(r"unit ([\d,]+)", said)[0].replace(",", "")) - 1
    assert float(re.findall(r"c ≈ (\S+)", said)[0].replace("−", "-")) == pytest.approx(
        float(values[place, 9]), abs=0.06
    )
    assert "≈" not in point(700, 2), "the chosen column"


# ---- choosing


def test_a_click_chooses_row_and_column_and_tells_the_page(opened: Opened) -> None:
    stage = opened()
    heard = stage.listen("place")
    stage.page.mouse.click(*spot(stage, 1, 30, 11))
    stage.comes_to(t=11, unit=30)
    assert stage.messages == [{"count": 1, "t": 11, "unit": 30}]
    assert heard() == [{"t": 11, "unit": 30}]
    stage.tell("place", t=3, layer=0, unit=6)
    stage.page.mouse.move(2, 2)
    assert "t = 4 “,”, unit 7 " in readout(stage)


def test_arrow_keys_move_in_the_order_that_is_shown_and_no_other_keyboard_hears_them(opened: Opened) -> None:
    stage = opened(reversed=True)
    stage.page.evaluate("document.addEventListener('keydown', (event) => (window.free = !event.defaultPrevented))")
    stage.page.locator(".panels").focus()
    stage.press("ArrowRight", "ArrowDown", "ArrowDown")
    stage.comes_to(t=3, unit=2)
    stage.press("PageUp")
    stage.comes_to(t=3, unit=12)
    stage.press("End", "ArrowUp")
    stage.comes_to(t=LENGTH - 1, unit=13)
    assert stage.page.evaluate("window.free") is False
    stage.press("Home")
    stage.comes_to(t=0, unit=13)
    stage.run(1000)
    assert stage.page.locator("[role=status]").inner_text().startswith("t = 1 ““”, unit 14: forget gate 0.")
    stage.press("p")
    assert stage.page.evaluate("window.free") is True, "letters are the page's"


def test_the_readout_follows_the_keys_while_the_pointer_rests(opened: Opened) -> None:
    stage = opened()
    stage.page.mouse.click(*spot(stage, 1, 30, 11))
    assert readout(stage).startswith("pointer t = 12 ")
    stage.press("ArrowRight", "ArrowUp")
    assert readout(stage).startswith("selected t = 13 “i”, unit 30 ")


def test_a_named_row_can_be_chosen_by_its_name(opened: Opened) -> None:
    stage = opened()
    stage.page.get_by_role("button", name="unit 10: inside quotation marks").click()
    stage.comes_to(t=2, unit=9)


def test_where_nothing_can_be_chosen_keys_move_the_crosshair_alone(opened: Opened) -> None:
    stage = opened(choosable=False)
    stage.page.mouse.click(*spot(stage, 1, 30, 11))
    stage.press("ArrowRight")
    assert "t = 13 " in readout(stage)
    stage.answer()
    assert stage.messages == []


def drag(stage: Stage, *points: tuple[float, float]) -> None:
    """Put a finger down, move it, and lift it."""
    finger = stage.page.context.new_cdp_session(stage.page)
    for at, (x, y) in enumerate(points):
        kind = "touchMove" if at else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_tap_chooses_and_a_finger_takes_the_crosshair_along(touched: Stage) -> None:
    touched.page.touchscreen.tap(*spot(touched, 0, 20, 6))
    touched.page.wait_for_function("window.stage.sent.length > 0")
    touched.comes_to(t=6, unit=20)
    assert "selected t = 7 " in readout(touched)
    drag(touched, *(spot(touched, 0, 20, t) for t in range(4, 15)))
    assert "pointer t = 15 " in readout(touched)
    touched.answer()
    assert len(touched.messages) == 1


def test_a_finger_that_goes_up_scrolls_the_page_and_chooses_nothing(touched: Stage) -> None:
    x, y = spot(touched, 0, 20, 6)
    drag(touched, *((x, y - 15 * move) for move in range(15)))
    touched.page.wait_for_function("scrollY > 100")
    assert set(crosshairs(touched, "hovered")) == {None}
    touched.answer()
    assert touched.messages == []


# ---- room


@pytest.mark.parametrize(("width", "across"), [(1032, 3), (740, 2), (390, 1)])
def test_panels_stand_side_by_side_where_there_is_room(opened: Opened, width: int, across: int) -> None:
    stage = opened("phone", times=3)
    stage.page.set_viewport_size({"width": width, "height": 800})
    stage.page.wait_for_function(
        "across => new Set([...window.stage.parts.get('part').root.querySelectorAll('.panel')]"
        ".map((one) => Math.round(one.getBoundingClientRect().left))).size === across",
        arg=across,
    )
    assert sideways_overflow(stage.page) <= 0


# ---- taking away


def test_numbers_and_pictures_can_be_taken_away(opened: Opened) -> None:
    stage = opened(reversed=True)
    saved = {}
    for kind in ("CSV", "SVG", "PNG"):
        with stage.page.expect_download() as download:
            stage.page.get_by_role("button", name=kind, exact=True).click()
        assert download.value.suggested_filename == f"a-run-step-1.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    heads, *rows = csv.reader(saved["CSV"].decode().splitlines())
    assert heads == ["panel", "unit", "timestep", "token", "value"]
    assert len(rows) == 2 * UNITS * LENGTH
    found = {(name, int(unit), int(t)): (token, float(value)) for name, unit, t, token, value in rows}
    for panel in heatmaps_of(stage.state).panels:
        for unit, values in enumerate(panel.values.tolist()):
            for t, value in enumerate(values):
                wanted = (TEXT[t], pytest.approx(value, rel=1e-6, nan_ok=True))
                assert found[panel.name, unit + 1, t + 1] == wanted
    picture = saved["SVG"].decode()
    assert picture.count("<image") == 4, "two grids and two keys"
    assert ">timestep</text>" in picture
    assert saved["PNG"].startswith(b"\x89PNG")
