"""The unrolled network's picture alone: what is drawn, chosen, sent, stepped through and taken away."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator
from stage import Blank, Stage
from visits import Size, sideways_overflow

from engine.trace import Change
from playground.access.runs import snapshot_of
from playground.components import unrolled
from playground.components.unrolled import Picture, fits
from playground.inside.view import look
from playground.state import Selection
from playground.views.unrolled.picture import picture

BEAT = 480
"""Milliseconds for which each step of the passes is shown."""

TARGET = 32
"""Pixels that a finger needs."""

FOLDING = 500
"""Milliseconds after which the columns have come together."""


def picture_of(state: dict[str, Any]) -> Picture:
    """The picture as the state of the app has it."""
    place = {name: state[name] for name in ("t", "layer", "unit", "probe", "step", "run")}
    view = look(snapshot_of(state["run"]), Selection(**place))
    changes = [Change("hidden", 0, 2, 0, 1.0)] if state["changed"] else []
    return picture(view, state["target"], view.what_if(changes) if changes else None, changes)


@dataclass
class PictureStage(Stage):
    """The picture on the blank page."""

    @property
    def box(self) -> Locator:
        return self.page.locator("section.unrolled")

    @property
    def said(self) -> str:
        """What the transport says of the step it is at."""
        return self.box.locator(".said").inner_text()

    @property
    def drawn(self) -> list[int]:
        """Timesteps that are drawn, counted from 0."""
        return sorted(self.box.locator("svg.sheet .column").evaluate_all("all => all.map(one => +one.dataset.t)"))

    @property
    def chosen(self) -> list[int]:
        """The column that is marked as chosen."""
        marked = self.box.locator(".column:has(.band.chosen)")
        return marked.evaluate_all("all => all.map(one => +one.dataset.t)")

    @property
    def scrolled(self) -> int:
        """Pixels scrolled to the right."""
        return int(self.box.locator(".window").evaluate("window => Math.round(window.scrollLeft)"))

    @property
    def chip(self) -> Locator:
        """The way back to the chosen column."""
        return self.box.locator(".chip")

    @property
    def card(self) -> Locator:
        """What stands under the pointer."""
        return self.box.locator(".card")

    @property
    def fold(self) -> Locator:
        return self.box.locator("button.fold")

    def column(self, t: int) -> Locator:
        return self.box.locator(f".column[data-t='{t}']")

    def opacity(self, selector: str) -> list[float]:
        """How visible the elements of a selector are."""
        return self.box.locator(selector).evaluate_all("all => all.map(one => +getComputedStyle(one).opacity)")

    def scroll_to(self, left: int) -> None:
        """Scroll as a visitor does, until the columns for that place are drawn."""
        scroll = """(window, left) => new Promise((done) => {
          window.addEventListener("scroll", done, { once: true });
          window.scrollLeft = left;
        })"""
        self.box.locator(".window").evaluate(scroll, left)
        self.run(20)

    def overlaps(self) -> int:
        """How many chances of the predicted tokens are written over a bar."""
        written: int = self.box.locator("svg.sheet .out").evaluate_all(
            """all => all.flatMap((out) => {
              const bars = [...out.querySelectorAll("rect")].map((bar) => bar.getBoundingClientRect());
              const texts = [...out.querySelectorAll(".percent")].map((text) => text.getBoundingClientRect());
              return texts.map((text) => bars.some((bar) => bar.width > 0 && bar.right > text.left + 0.5
                && bar.left < text.right && bar.top < text.bottom - 4 && bar.bottom > text.top + 4));
            }).filter(Boolean).length"""
        )
        return written

    def is_whole(self, selector: str) -> bool:
        """Whether a select has room for the words that it stands at, beside its arrow."""
        return bool(
            self.box.locator(selector).evaluate(
                """select => {
                  const style = getComputedStyle(select);
                  const pen = document.createElement("canvas").getContext("2d");
                  pen.font = `${style.fontSize} ${style.fontFamily}`;
                  const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
                  return pen.measureText(select.selectedOptions[0].text).width + 16 <= room;
                }"""
            )
        )

    def take(self, kind: str, folder: Path) -> Path:
        """Download the picture or its table."""
        with self.page.expect_download() as download:
            self.box.locator("button.take", has_text=kind).click()
        target = folder / download.value.suggested_filename
        download.value.save_as(target)
        return target


Opened = Callable[..., PictureStage]


@pytest.fixture
def opened(blank: Blank) -> Opened:
    """Opens a page with the picture on it, of a state of the app that is changed as a test wants it."""

    def open_page(size: Size = "wide", **changed: Any) -> PictureStage:
        place = {"t": 4, "layer": 0, "unit": 0, "target": "sum", "folded": False, "step": -1, "changed": False}
        probe = {"run": "tales-lstm", "probe": "They ate the fish, and then"}
        stage = PictureStage(
            blank.open(size),
            unrolled._PICTURE,
            picture_of,
            fits,
            place | probe | changed,
            lambda state: {"folded": state["folded"]},
        )
        stage.show()
        return stage

    return open_page


# ---- what is drawn, against what it stands for


@dataclass
class Drawn:
    """What is measured in the picture: thicknesses in pixels and colours, by timestep."""

    flows: dict[int, list[float]]
    """of each state's arrow"""
    travels: dict[int, float]
    """of the gradient's arrow; 0 where there is none"""
    fills: dict[str, dict[int, str]]
    """of the boxes of each state ("0", "1", ...), their feet ("foot"), and of what came next ("goal")"""
    hues: dict[str, str]
    """the colour code and the paper"""


def measured(stage: PictureStage) -> Drawn:
    """What stands in the picture now, of its lowest layer."""
    found = stage.box.evaluate(
        """box => {
          // M x top H ... V bottom H x Z
          const thick = (path) => {
            const d = path?.getAttribute("d") || "";
            const [, top] = d.match(/^M[\\d.-]+ ([\\d.-]+)/) || [];
            const [, bottom] = d.match(/V([\\d.-]+)H[\\d.-]+Z$/) || [];
            return d ? Number(bottom) - Number(top) : 0;
          };
          const columns = [...box.querySelectorAll("svg.sheet .column")];
          const by = (read) => columns.map((column) => [Number(column.dataset.t), read(column)]);
          const cell = (column) => column.querySelector(".cell[data-layer='0']");
          const style = getComputedStyle(box);
          const names = ["surprise", "gate", "family"];
          return {
            flows: by((column) => [...cell(column).querySelectorAll(".flow")].map(thick)),
            travels: by((column) => thick(cell(column).querySelector(".pull path:last-of-type"))),
            backs: by((column) => [...cell(column).querySelectorAll(".back")].map((back) => back.getAttribute("fill"))),
            foot: by((column) => cell(column).querySelector(".pull path").getAttribute("fill")),
            goal: by((column) => column.querySelector(".target rect")?.getAttribute("fill") ?? ""),
            hues: Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])),
          };
        }"""
    )
    by_t: dict[str, dict[int, Any]] = {name: dict(found[name]) for name in found if name != "hues"}
    fills = {"foot": by_t["foot"], "goal": by_t["goal"]}
    for lane in range(len(next(iter(by_t["backs"].values())))):
        fills[str(lane)] = {t: backs[lane] for t, backs in by_t["backs"].items()}
    return Drawn(by_t["flows"], by_t["travels"], fills, {**found["hues"], "paper": "#ffffff"})


def mixed(paper: str, hue: str, share: float) -> list[float]:
    """Red, green and blue so far from the paper to a hue."""
    ends = [[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in (paper, hue)]
    return [start + (end - start) * share for start, end in zip(*ends, strict=True)]


def channels(color: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", color)]


@pytest.mark.parametrize(("run", "target"), [("tales-lstm", "sum"), ("tales-lstm", 9), ("hello-rnn", "sum")])
def test_every_arrow_and_colour_is_as_thick_and_as_strong_as_what_it_stands_for(
    opened: Opened, run: str, target: str | int
) -> None:
    """Worked out anew from the recorded states and each loss's own gradient, by the definitions in the keys."""
    state = {"run": run, "probe": "hello" if run == "hello-rnn" else "They ate the fish", "target": target}
    stage = opened(**state, t=1)
    drawn = measured(stage)
    view = look(snapshot_of(run), Selection(run=run, probe=state["probe"]))
    names, length = view.cell.state_names, view.trace.length
    judged = range(length - 1) if target == "sum" else [int(target)]
    ones = {k: view.gradient(k) for k in judged}

    def pull(at: int, since: int) -> float:
        """‖∂L/∂s‖ at a timestep, of the losses at `since` and later."""
        squares = 0.0
        for name in names:
            whole = torch.zeros(view.trace.units, dtype=torch.float64)
            for k in (k for k in judged if k >= since):
                first, grad = ones[k].initial_grad, ones[k].grad
                assert first is not None
                assert grad is not None
                whole += first[name][0] if at < 0 else grad[name][0, at]
            squares += float(whole.square().sum())
        return math.sqrt(squares)

    feet = {t: pull(t, 0) for t in range(-1, length)}
    carried = {t: pull(t - 1, t) for t in range(length)}
    known = [value for value in (*feet.values(), *carried.values()) if value > 0]
    most = max(known)
    least = max(min(known), most * 1e-6)

    def share(value: float) -> float:
        return 0.08 + 0.92 * math.log(max(value, least) / least) / math.log(most / least) if value > 0 else 0.0

    shown = [t for t in drawn.travels if t >= 0]
    assert len(shown) >= min(length, 8)
    for t in shown:
        assert drawn.travels[t] == pytest.approx(1 + 7 * share(carried[t]) if carried[t] > 0 else 0, abs=0.02)
        foot = mixed(drawn.hues["paper"], drawn.hues["surprise"], share(feet[t]))
        assert channels(drawn.fills["foot"][t]) == pytest.approx(foot, abs=1.5)
        loss = float(view.trace.losses[t])
        if math.isfinite(loss):
            strong = min(1, loss / (2 * math.log(view.model.vocabulary_size)))
            goal = mixed(drawn.hues["paper"], drawn.hues["surprise"], strong)
            assert channels(drawn.fills["goal"][t]) == pytest.approx(goal, abs=1.5)
        for lane, name in enumerate(names):
            now, before = view.trace[name][0, t].double(), view.trace.before(name)[0, t].double()
            change = float((now - before).norm() / (now.norm() + before.norm()))
            assert drawn.flows[t][lane] == pytest.approx(1 + 9 * change, abs=0.02)
            norms = view.trace[name][0].double().norm(dim=-1)
            stands = 0.1 + 0.8 * float((norms[t] - norms.min()) / (norms.max() - norms.min()))
            box = mixed(drawn.hues["paper"], drawn.hues["gate"], stands)
            assert channels(drawn.fills[str(lane)][t]) == pytest.approx(box, abs=1.5)


def test_no_gradient_travels_from_a_column_without_a_loss(opened: Opened) -> None:
    stage = opened(probe="They ate", t=7)
    drawn = measured(stage)
    assert stage.column(7).locator(".pull text").text_content() == "0"
    assert stage.column(6).locator(".pull text").text_content() != "0", "a loss enters there"
    assert drawn.travels[7] == 0
    assert all(drawn.travels[t] > 1 for t in range(1, 7))


def test_the_keys_say_what_every_thickness_means(opened: Opened) -> None:
    names = opened().box.locator(".keys .key-name").all_text_contents()
    assert "→ relative change, ‖sₜ − sₜ₋₁‖ / (‖sₜ‖ + ‖sₜ₋₁‖)" in names
    assert "‖∂L/∂s‖ (foot of a box), all losses (log)" in names
    assert "← ‖∂L≥ₜ/∂sₜ₋₁‖ through the recurrence (log)" in names


def test_it_is_marked_where_the_gradient_was_cut_while_the_run_trained(opened: Opened) -> None:
    chunk = snapshot_of("tales-lstm").run.config.data.chunk
    stage = opened(probe="They ate the fish, and then" * 11, t=chunk)
    mark = stage.column(chunk).locator(".cut")
    assert mark.locator("text").text_content() == "✂"
    told = mark.locator("title").text_content() or ""
    assert f"every {chunk} timesteps" in told
    assert f"from t = {chunk + 1} to t = {chunk}" in told
    cut = stage.box.locator(".column .cut text").evaluate_all("all => all.filter(one => one.textContent).length")
    assert cut == 1, "and nowhere else"


# ---- choosing


def test_a_click_chooses_the_cell_and_sends_it_once(opened: Opened) -> None:
    stage = opened()
    places = stage.listen("place")
    stage.column(7).locator(".cell .frame").click()
    assert stage.chosen == [7], "the mark does not wait for the app"
    assert places() == [{"t": 7, "layer": 0, "unit": 0}]
    stage.comes_to(t=7)
    assert stage.messages == [{"count": 1, "t": 7}]


def test_of_few_units_each_can_be_chosen(opened: Opened) -> None:
    stage = opened(run="hello-rnn", probe="hello", t=1)
    field = stage.column(2).locator(".unit[data-unit='2']").bounding_box()
    assert field is not None
    stage.page.mouse.click(field["x"] + field["width"] / 2, field["y"] + field["height"] / 2)
    stage.comes_to(t=2, unit=2)


def test_a_click_on_what_came_chooses_whose_gradient_is_drawn(opened: Opened) -> None:
    stage = opened()
    before = stage.column(8).locator(".pull text").text_content()
    assert before != "0"
    stage.column(5).locator(".goal").click()
    stage.comes_to(target=5)
    assert stage.column(8).locator(".pull text").text_content() == "0", "no later state matters"
    select = stage.box.locator(".of select")
    assert select.input_value() == "5"
    select.select_option("sum")
    stage.comes_to(target="sum")
    assert stage.column(8).locator(".pull text").text_content() == before


def test_an_answer_that_comes_late_does_not_take_the_choice_back(opened: Opened) -> None:
    stage = opened()
    stage.column(6).locator(".cell .frame").click()
    assert stage.hear() == {"count": 1, "t": 6}
    stage.column(8).locator(".cell .frame").click()
    stage.show()  # of the first alone
    assert stage.chosen == [8]
    stage.comes_to(t=8)
    assert stage.chosen == [8]


def test_a_place_announced_by_another_component_is_marked_at_once(opened: Opened) -> None:
    stage = opened()
    stage.tell("place", t=6)
    assert stage.chosen == [6]
    stage.show(t=6)
    stage.run(3000)
    assert stage.chosen == [6]
    assert stage.hear() is None


# ---- scrolling


def test_only_columns_in_and_near_the_window_are_drawn(opened: Opened) -> None:
    stage = opened(probe="They ate the fish, and then" * 18, t=0)
    assert len(stage.drawn) < 25
    stage.scroll_to(20_000)
    assert min(t for t in stage.drawn if t >= 0) > 150
    assert len(stage.drawn) < 25


def test_a_visitors_scrolling_is_left_alone_and_a_chip_leads_back(opened: Opened) -> None:
    stage = opened(t=1)
    assert not stage.chip.is_visible()
    stage.scroll_to(1_000)
    assert stage.scrolled == 1_000
    assert stage.chip.inner_text() == "← to t = 2"
    stage.column(14).locator(".cell .frame").click()
    stage.comes_to(t=14)
    assert stage.scrolled == 1_000, "what is chosen here is in sight"
    stage.page.emulate_media(reduced_motion="reduce")  # so that it is there at once
    stage.scroll_to(0)
    stage.chip.click()
    assert stage.column(14).count() == 1
    assert not stage.chip.is_visible()


def test_a_column_chosen_elsewhere_comes_into_sight(opened: Opened) -> None:
    stage = opened(t=22)
    assert stage.scrolled > 500
    stage.show(t=2)
    assert stage.chosen == [2]
    assert stage.scrolled < 300
    assert not stage.chip.is_visible()


def test_another_training_step_changes_numbers_and_nothing_else(opened: Opened) -> None:
    stage = opened(t=3)
    stage.column(2).locator(".frame").hover()
    norm = stage.column(2).locator(".norm").first
    element, before = norm.element_handle(), norm.text_content()
    stage.show(step=0)
    assert element.evaluate("element => element.isConnected")
    assert norm.text_content() != before
    assert norm.text_content() in stage.card.inner_text(), "the card under the pointer too"
    assert "at step 0" in stage.box.locator(".where").inner_text()


# ---- the passes, step by step


def test_states_travel_right_and_then_the_gradient_travels_left(opened: Opened) -> None:
    stage = opened(run="hello-rnn", probe="hello", t=0)
    stage.press("n")
    assert stage.said.startswith("forward, t = 1: ‖a[1]⟨1⟩‖ = ")
    assert stage.opacity(".column[data-t='0'] .cell .frame") == [1]
    assert stage.opacity(".column[data-t='1'] .cell .frame")[0] < 0.2
    stage.press("n")
    assert "next token “e”, loss" in stage.said
    stage.press("b", "b")
    assert stage.said.startswith("both passes done")
    stage.press(*"n" * 11)
    assert stage.said.startswith("backward from all losses: t = 4, ‖∂L/∂s‖ = ")
    shown = stage.column(3).locator(".pull text").text_content()
    assert stage.said.endswith(f"= {shown}")
    assert stage.opacity(".column[data-t='3'] .pull") == [1]
    assert stage.opacity(".column[data-t='2'] .pull") == [0]
    stage.press(*"n" * 4)
    assert "before the first token" in stage.said
    stage.press("n")
    assert stage.said.startswith("both passes done")
    assert set(stage.opacity(".column .frame")) == {1}


def test_the_animation_runs_to_the_finished_picture(opened: Opened) -> None:
    stage = opened(run="hello-rnn", probe="hello", t=0)
    stage.press("a")
    assert stage.said.startswith("forward, t = 1")
    stage.run(10 * BEAT)
    assert stage.said.startswith("backward"), "it goes back too"
    stage.press("a")
    still = stage.said
    stage.run(2 * BEAT)
    assert stage.said == still, "it pauses"
    stage.press("a")
    stage.run(6 * BEAT)
    assert stage.said.startswith("both passes done")


def test_keys_are_left_to_a_field_that_is_written_in(opened: Opened) -> None:
    stage = opened()
    stage.page.get_by_label("A field").focus()
    stage.press(*"nab")
    assert stage.said.startswith("both passes done")


# ---- folded, changed, unknown


def test_it_folds_into_the_loop_and_unrolls_again(opened: Opened) -> None:
    stage = opened(t=6)
    stage.fold.click()
    assert stage.hear() == {"count": 1, "folded": True}
    stage.show()  # while it folds
    stage.run(FOLDING)
    when = stage.box.locator(".rolled .when")
    assert when.text_content() == "t = 7 of 27"
    assert stage.box.locator(".title").inner_text() == "The network as a loop, at one timestep of the input text"
    assert stage.box.locator(".column").count() == 1
    stage.show(t=2)
    assert when.text_content() == "t = 3 of 27"
    stage.fold.click()
    stage.comes_to(folded=False)
    stage.run(FOLDING)
    assert len(stage.drawn) > 5
    assert not stage.column(2).get_attribute("style"), "where they were"
    assert stage.box.locator(".title").inner_text() == "The network, unrolled over the input text"


def test_unrolled_again_while_it_folds_it_stays_unrolled(opened: Opened) -> None:
    stage = opened()
    stage.fold.click()
    stage.fold.click()
    stage.run(2 * FOLDING)
    stage.comes_to(folded=False)
    assert len(stage.drawn) > 5
    assert stage.fold.inner_text() == "Show as loop"


def test_a_change_is_marked_and_its_predictions_stand_before_and_after(opened: Opened) -> None:
    stage = opened(run="hello-rnn", probe="hello", changed=True, t=2)
    assert stage.column(2).locator(".mark").text_content() == "◆"
    assert stage.column(1).locator(".mark").text_content() == ""
    assert stage.column(1).locator(".norm").text_content() == "Δ 0"
    assert stage.column(2).locator(".norm").text_content() != "Δ 0"
    moved = [text for text in stage.box.locator(".percent").all_text_contents() if "→" in text]
    assert moved


def test_hovering_shows_the_numbers_in_full(opened: Opened) -> None:
    stage = opened()
    stage.column(4).locator(".cell .frame").hover()
    text = stage.card.inner_text()
    for part in ("relative change", "unit 1", "‖∂L/∂s‖", "predicts", "next token", "nats"):
        assert part in text
    stage.page.mouse.move(1, 1)
    assert not stage.card.is_visible()


@pytest.mark.parametrize(
    "state",
    [{}, {"changed": True}, {"run": "hello-rnn", "probe": "hello"}, {"run": "tales-words", "probe": "the cat sat"}],
)
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_no_chance_is_written_over_the_end_of_a_bar(opened: Opened, state: dict[str, Any], size: Size) -> None:
    stage = opened(size, **({"t": 1} | state))
    assert stage.box.locator(".percent").count() > 5
    assert stage.overlaps() == 0
    tall = "all => [...new Set(all.map((bar) => Math.round(bar.getBoundingClientRect().height)))]"
    assert stage.box.locator(".out rect.room").evaluate_all(tall) == [14], "the whole of a bar is seen behind it"


def test_the_strip_below_says_what_it_shows_and_in_which_unit(opened: Opened) -> None:
    stage = opened()
    assert re.match(r"loss at every timestep, 0 to [\d.]+ nats", stage.box.locator(".strip-name").inner_text())
    short = opened(probe="cat", t=0)
    assert not short.box.locator(".strip-name").is_visible(), "there is no strip where all columns are in sight"


def test_the_keys_grow_with_the_pages_type_as_the_picture_does(opened: Opened) -> None:
    stage = opened()
    stage.box.locator("summary").click()
    elements = stage.box.locator(".keys svg").first, stage.box.locator("svg.sheet")
    before = [(element.bounding_box() or {})["height"] for element in elements]
    stage.page.evaluate("() => { document.documentElement.style.fontSize = '24px'; }")
    stage.page.set_viewport_size({"width": 1200, "height": 800})
    stage.page.evaluate("() => new Promise((done) => new ResizeObserver(done).observe(document.body))")
    for element, height in zip(elements, before, strict=True):
        assert (element.bounding_box() or {})["height"] == pytest.approx(1.5 * height)


def test_the_legend_is_one_line_until_it_is_opened_and_no_text_is_smaller_than_12_px(opened: Opened) -> None:
    stage = opened()
    line = stage.box.locator("summary")
    assert (line.bounding_box() or {})["height"] <= 34
    assert not stage.box.locator(".keys").is_visible()
    line.click()
    assert stage.box.locator(".keys svg").first.is_visible()
    sizes = stage.box.locator("svg text").evaluate_all(
        "texts => texts.map(text => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= 12


@pytest.mark.parametrize("target", ["sum", 12])
def test_on_a_phone_the_choice_of_a_loss_is_read_whole(opened: Opened, target: str | int) -> None:
    stage = opened("phone", target=target, t=12)
    assert stage.is_whole(".of select")
    assert sideways_overflow(stage.page) <= 0


def test_an_unknown_word_is_drawn_as_itself_and_its_card_says_what_is_read(opened: Opened) -> None:
    stage = opened(run="tales-words", probe="the zeppelin and", t=0)
    assert stage.column(1).locator(".read").get_attribute("class") == "read unknown"
    assert stage.column(1).locator(".token .code").text_content() == "zeppelin"
    assert "= 0" not in (stage.column(1).locator(".token").text_content() or ""), "no zero vector is read"
    stage.column(1).locator(".cell .frame").hover(force=True)
    assert "not in the vocabulary\nthe model reads <unk>" in stage.card.inner_text()
    assert re.search(r"\d nats", stage.column(0).locator(".loss").text_content() or "")


def test_what_is_unknown_is_drawn_as_unknown(opened: Opened) -> None:
    stage = opened(probe="a€b", t=1)
    assert stage.column(1).locator(".read").get_attribute("class") == "read unknown"
    assert stage.column(1).locator(".token .sign").text_content() == "x⟨2⟩ = 0"
    assert stage.column(0).locator(".loss").text_content() == "unknown"
    stage.column(0).locator(".goal").click()
    assert stage.hear() == {"count": 1, "t": 0}, "there is nothing to differentiate: the column is chosen"


# ---- taken away, and on a phone


def test_the_whole_picture_is_taken_away(opened: Opened, tmp_path: Path) -> None:
    stage = opened(probe="They ate the fish, and then" * 2, t=0)
    drawing = stage.take("SVG", tmp_path).read_text(encoding="utf-8")
    assert len(re.findall(r'data-t="\d+"', drawing)) == 54
    assert "LSTM on Tales" in drawing
    assert "norm ‖a‖ (box)" in drawing
    assert stage.take("PNG", tmp_path).read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(stage.take("CSV", tmp_path).read_text(encoding="utf-8").splitlines()))
    assert [row["token"] for row in rows[:4]] == list("They")
    assert len(rows) == 54
    stage.run(6000)
    assert stage.box.locator(".printing svg").count() == 0, "nothing of it stays"


def test_on_a_phone_nothing_is_too_wide_or_too_small_to_touch(opened: Opened) -> None:
    stage = opened("phone")
    assert sideways_overflow(stage.page) <= 0
    for button in stage.box.locator("button:visible, select:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TARGET
