"""The page "Runs" as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from app_page import AppPage, LiveChart, eventually
from playwright.sync_api import Locator
from visits import Visits


@dataclass(frozen=True)
class RunsPage(AppPage):
    """The page "Runs", open in a tab."""

    # ---- the table

    @property
    def rows(self) -> Locator:
        """The rows that the table shows."""
        return self.main.locator(".runs .row")

    @property
    def count(self) -> int:
        """How many runs the table has, those below the fold too, which are drawn a moment later."""
        return int(self.main.locator(".runs .count").inner_text().split()[0])

    @property
    def names(self) -> list[str]:
        """The names in the table, from the top."""
        return self.rows.locator(".name strong").all_inner_texts()

    def row(self, name: str) -> Locator:
        """The row of the run with this name."""
        return self.rows.filter(has=self.page.get_by_text(name, exact=True)).first

    def of(self, run: str) -> Locator:
        """The row of the run with this id."""
        return self.main.locator(f".runs .row[data-run='{run}']")

    @property
    def bits(self) -> list[float]:
        """The losses in the table that are known, from the top."""
        return [float(text) for text in self.rows.locator(".bits").all_inner_texts() if text]

    def shows(self, *names: str) -> None:
        """Wait until the table has these names, in this order, and no others."""
        eventually(self.page, f"the table shows {names}", lambda: tuple(self.names) == names)

    def find(self, words: str) -> None:
        """Write into the field above the table."""
        self.main.get_by_role("searchbox", name="Find runs").fill(words)

    def narrow(self, filter_: str, value: str) -> None:
        """Choose in one of the lists above the table."""
        self.main.get_by_role("combobox", name=filter_, exact=True).select_option(value)

    def sort(self, column: str) -> None:
        """Press the head of a column."""
        self.main.locator(".runs .head").get_by_role("button", name=column, exact=True).click()

    def tick(self, *names: str) -> None:
        """Tick these runs, one after the other, and wait until the page knows."""
        for name in names:
            self.row(name).get_by_role("checkbox").check()
        if 2 <= len(self.ticked) <= 4:
            eventually(self.page, "the link has what is ticked", lambda: len(self.compared) == len(self.ticked))

    @property
    def ticked(self) -> list[str]:
        """The names of the ticked runs, from the top."""
        return self.rows.filter(has=self.page.locator("input:checked")).locator(".name strong").all_inner_texts()

    # ---- the link

    @property
    def compared(self) -> list[str]:
        """The runs that the address compares."""
        found = re.search(r"[?&]compare=([^&]+)", self.page.url)
        return unquote(found[1]).split(",") if found else []

    # ---- the rest

    @property
    def loss(self) -> LiveChart:
        """The chart of the runs that are compared."""
        return LiveChart(self.main.get_by_test_id("stVegaLiteChart").first)

    def table(self, head: str) -> list[list[str]]:
        """The cells of the table below a heading, line by line."""
        tables = self.main.get_by_test_id("stTable")
        place = {"Scores": 0, "Settings that differ": 1}[head]
        return [line.locator("th, td").all_inner_texts() for line in tables.nth(place).locator("tr").all()]

    def rename(self, name: str) -> None:
        """Give the ticked run another name."""
        self.press("Rename")
        body = self.page.get_by_test_id("stPopoverBody").first
        body.get_by_role("textbox", name="Name").fill(name)
        body.get_by_role("button", name="Rename").click()

    def download(self, button: str, folder: Path) -> Path:
        """Press a download; the file."""
        with self.page.expect_download() as download:
            self.press(button)
        target = folder / download.value.suggested_filename
        download.value.save_as(target)
        return target

    def upload(self, name: str, raw: bytes) -> None:
        """Hand a file to the uploader."""
        files = self.main.locator("input[type=file]")
        files.set_input_files({"name": name, "mimeType": "application/zip", "buffer": raw})


def opened(visits: Visits, query: str = "", **how: str) -> RunsPage:
    """The page at a link, once the runs are listed: before that nobody hears what is chosen in the lists above."""
    page = RunsPage(visits.open(f"runs?{query}", **how))  # type: ignore[arg-type]
    page.rows.first.wait_for()
    return page
