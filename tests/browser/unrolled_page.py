"""The page "Unrolled" as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app_page import AppPage, LiveChart, eventually
from playwright.sync_api import Locator
from visits import Visits

_STEP = re.compile(r"at step ([\d,]+)")
_NORMS = "texts => texts.map(text => text.textContent)"


@dataclass(frozen=True)
class Network:
    """One picture of the unrolled network."""

    box: Locator

    @property
    def sheet(self) -> Locator:
        """What is drawn."""
        return self.box.locator("svg.sheet")

    @property
    def step(self) -> int:
        """The training step that it says it shows."""
        found = _STEP.search(self.box.locator(".where").inner_text())
        return int(found[1].replace(",", "")) if found else -1

    @property
    def norms(self) -> list[str]:
        """The sizes of the states that are in sight, as they are written."""
        return self.sheet.locator("text.norm").evaluate_all(_NORMS)

    @property
    def columns(self) -> list[int]:
        """The timesteps that are drawn, counted from 0."""
        found = self.sheet.locator(".column").evaluate_all("columns => columns.map(column => Number(column.dataset.t))")
        return sorted(t for t in found if t >= 0)

    def choose(self, t: int) -> None:
        """Click on the top layer's cell in a column."""
        self.sheet.locator(f".column[data-t='{t}'] .cell .frame").first.click(force=True)


@dataclass(frozen=True)
class UnrolledPage(AppPage):
    """The page "Unrolled", open in a tab."""

    @property
    def networks(self) -> list[Network]:
        """The pictures, the chosen run's first."""
        boxes = self.main.locator("section.unrolled")
        return [Network(boxes.nth(place)) for place in range(boxes.count())]

    @property
    def network(self) -> Network:
        """The chosen run's picture."""
        return self.networks[0]

    @property
    def bar(self) -> Locator:
        """The selection bar."""
        return self.main.locator("section.selection")

    @property
    def t(self) -> int:
        """The timestep that the bar shows, as it is written."""
        label = self.bar.locator(".stepper.t").get_attribute("aria-label") or ""
        found = re.search(r"(\d+) of", label)
        return int(found[1]) if found else -1

    @property
    def place(self) -> str:
        """The place whose arithmetic is open, in its own words."""
        found = self.main.locator("section.arithmetic .place")
        return found.inner_text() if found.count() else ""

    def chart(self, title: str) -> LiveChart:
        """The chart of a drill-down."""
        shown = self.main.locator(".st-key-inside-below").get_by_test_id("stVegaLiteChart")
        return LiveChart(shown.nth({"first": 0, "second": 1}[title]))

    def look(self, name: str) -> Locator:
        """The drill-down of that name, once it is open."""
        return self.main.locator(f".st-key-unrolled-look-{name}")

    # ---- what one does

    def keys(self, *names: str) -> None:
        """Press keys while nothing has the focus."""
        self.page.evaluate("() => document.activeElement && document.activeElement.blur()")
        for name in names:
            self.page.keyboard.press(name)

    def scrub(self, key: str) -> None:
        """Move along training: "Home" is the first step, "End" the newest."""
        slider = self.bar.get_by_role("slider", name="Training step")
        slider.focus()
        slider.press(key)

    def drawn(self) -> None:
        """Wait until the picture has its numbers, and the bar above it hears keys."""
        self.bar.locator("input[aria-valuetext]").wait_for()
        eventually(self.page, "the network is drawn", lambda: self.networks and self.network.norms)


def opened(visits: Visits, query: str = "", **how: str) -> UnrolledPage:
    """The page at a link, once its picture is drawn."""
    page = UnrolledPage(visits.open(f"unrolled?{query}", **how))  # type: ignore[arg-type]
    page.drawn()
    return page
