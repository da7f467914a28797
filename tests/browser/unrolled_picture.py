"""The picture of the unrolled network as a visitor works with it: every name and locator that its tests rest on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

# Scrolls, and resolves when the columns for that place are drawn: a frame after the one that scrolls.
_SCROLL = """(window, left) => new Promise((done) => {
  window.scrollLeft = left;
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
})"""


@dataclass(frozen=True)
class PicturePage:
    """A page with the picture, open in a tab."""

    page: Page

    @property
    def box(self) -> Locator:
        """All of it."""
        return self.page.locator("section.unrolled")

    @property
    def window(self) -> Locator:
        """What is scrolled."""
        return self.box.locator(".window")

    @property
    def said(self) -> str:
        """What the transport says of the step it is at."""
        return self.box.locator(".said").inner_text()

    @property
    def told(self) -> dict[str, Any]:
        """What the server has taken, and under "words" all that it was told."""
        found: dict[str, Any] = json.loads(self.page.get_by_test_id("stCode").first.inner_text())
        return found

    @property
    def server_works(self) -> bool:
        """Whether the server is at what it was last asked for."""
        return self.page.get_by_test_id("stApp").first.get_attribute("data-test-script-state") == "running"

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
        return int(self.window.evaluate("window => Math.round(window.scrollLeft)"))

    @property
    def chip(self) -> Locator:
        """The way back to the chosen column."""
        return self.box.locator(".chip")

    @property
    def card(self) -> Locator:
        """What stands under the pointer."""
        return self.box.locator(".card")

    def column(self, t: int) -> Locator:
        """A timestep's column."""
        return self.box.locator(f".column[data-t='{t}']")

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

    def opacity(self, selector: str) -> list[float]:
        """How visible the elements of a selector are."""
        return self.box.locator(selector).evaluate_all("all => all.map(one => +getComputedStyle(one).opacity)")

    def button(self, name: str) -> Locator:
        """A button of the transport, by its class."""
        return self.box.locator(f"button.{name}")

    def scroll_to(self, left: int) -> None:
        """Scroll as a visitor does."""
        self.window.evaluate(_SCROLL, left)

    def keys(self, *names: str) -> None:
        """Press keys while nothing has the focus."""
        self.page.evaluate("() => document.activeElement && document.activeElement.blur()")
        for name in names:
            self.page.keyboard.press(name)

    def take(self, kind: str, folder: Path) -> Path:
        """Download the picture or its table."""
        with self.page.expect_download() as download:
            self.box.locator("button.take", has_text=kind).click()
        target = folder / download.value.suggested_filename
        download.value.save_as(target)
        return target
