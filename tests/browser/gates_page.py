"""The page "Gates" as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app_page import AppPage, eventually
from playwright.sync_api import Locator
from visits import Visits


@dataclass(frozen=True)
class GatesPage(AppPage):
    """The page "Gates", open in a tab."""

    @property
    def bar(self) -> Locator:
        """The selection bar."""
        return self.main.locator("section.selection")

    @property
    def unit(self) -> str:
        """The unit that the bar shows, with its name."""
        return self.bar.locator(".stepper.unit").get_attribute("aria-label") or ""

    @property
    def text(self) -> Locator:
        """The text that is coloured by the chosen unit."""
        return self.main.locator(".st-key-gates-text-A")

    @property
    def heatmaps(self) -> Locator:
        """The heatmaps of the chosen run."""
        return self.main.locator(".st-key-gates-heatmaps-A")

    @property
    def readout(self) -> str:
        """What is said of the chosen cell."""
        found = self.heatmaps.locator(".readout")
        return " ".join(found.first.inner_text().split()) if found.count() else ""

    def look(self, name: str) -> Locator:
        """The drill-down of that name, once it is open."""
        return self.main.locator(f".st-key-gates-look-{name}")

    def drawn(self) -> None:
        """Wait until the heatmaps are drawn, and say what is chosen."""
        self.heatmaps.locator(".grid").first.wait_for()
        eventually(self.page, "the chosen cell is read out", lambda: re.search(r"unit \d+", self.readout))


def opened(visits: Visits, query: str = "", **how: str) -> GatesPage:
    """The page at a link, once its picture is drawn."""
    page = GatesPage(visits.open(f"gates?{query}", **how))  # type: ignore[arg-type]
    page.drawn()
    return page
