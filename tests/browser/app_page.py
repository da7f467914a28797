"""What a visitor does on any page, and the charts that are fed while one looks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page
from visits import PATIENCE, settle

from playground.frame import navigation

_POLL_MS = 50

PAGES = tuple(page.title for page in navigation.PAGES)
"""The titles of all pages, as the navigation lists them."""

# Streamlit keeps the Vega view of a chart in a hook of React's; nothing in the DOM leads to it but the fibers.
VEGA_VIEW = """element => {
  for (const node of [element, ...element.querySelectorAll('*')]) {
    const name = Object.keys(node).find(key => key.startsWith('__reactFiber$'));
    let fiber = name && node[name];
    for (let up = 0; fiber && up < 12; up++, fiber = fiber.return) {
      let hook = fiber.memoizedState;
      for (let n = 0; hook && typeof hook === 'object' && 'memoizedState' in hook && n < 80; n++, hook = hook.next) {
        const held = hook.memoizedState && hook.memoizedState.current;
        if (held && typeof held.runAsync === 'function') return held;
      }
    }
  }
  return null;
}"""


def eventually(page: Page, what: str, holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first value of `holds()` that is true; asks again and again while the page lives on.

    Raises:
        AssertionError: `what` did not come about within `seconds`.
    """
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"after {seconds:g} s still not: {what}"
        page.wait_for_timeout(_POLL_MS)


@dataclass(frozen=True)
class LiveChart:
    """A chart that is fed while a run trains."""

    box: Locator

    def _ask(self, question: str, argument: Any = None) -> Any:
        """The value of a JavaScript function of (view, argument, element); None while there is no view."""
        asked = f"(element, argument) => {{ const view = ({VEGA_VIEW})(element); "
        asked += f"return view ? ({question})(view, argument, element) : null; }}"
        return self.box.evaluate(asked, argument)

    def rows(self, series: str = "") -> list[dict[str, Any]]:
        """The rows the chart draws now, of one series or of all."""
        # A view that is still being built has no data; it says so by an error.
        named = "(name) => { try { return view.data(name); } catch { return []; } }"
        plain = f"view => ({named})('source').map(row => Object.fromEntries(Object.entries(row)))"
        found = self._ask(plain) or []
        return [row for row in found if not series or row["series"] == series]

    def values(self, series: str) -> list[float]:
        """The values of a line, in the order of their steps."""
        rows = sorted(self.rows(series), key=lambda row: row["step"])
        return [row["value"] for row in rows if row["value"] is not None]

    def x_domain(self) -> list[float]:
        """First and last value of the horizontal axis, as zoomed."""
        return self._ask("view => view.scale('x').domain()")

    def mark(self, name: str) -> None:
        """Leave a mark on the view and on its canvas: both go when the chart is built anew."""
        self._ask(
            "(view, name, element) => { view.leftMark = name; element.querySelector('canvas').leftMark = name; }", name
        )

    def marks(self) -> list[str | None]:
        """The marks left on the view and on the canvas."""
        return self._ask(
            "(view, _, element) => [view.leftMark ?? null, element.querySelector('canvas').leftMark ?? null]"
        )


@dataclass(frozen=True)
class AppPage:
    """A page of the app, open in a tab."""

    page: Page

    @property
    def main(self) -> Locator:
        """The page without its sidebar."""
        return self.page.get_by_test_id("stMain").first

    @property
    def claim(self) -> str:
        """The sentence at the top."""
        return self.main.get_by_role("heading").first.inner_text()

    @property
    def run(self) -> str:
        """The run in the address, or nothing."""
        found = re.search(r"[?&]run=([\w-]+)", self.page.url)
        return found[1] if found else ""

    def says(self, pattern: str) -> Locator:
        """Text of the page that matches."""
        return self.main.get_by_text(re.compile(pattern)).first

    def alerts(self, pattern: str) -> Locator:
        """The boxes that tell the visitor something, of those that match."""
        return self.main.get_by_test_id("stAlert").filter(has_text=re.compile(pattern, re.IGNORECASE))

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.main.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """Press a button of the page."""
        self.page.bring_to_front()  # behind another, where it is drawn once a second, it would take seconds
        self.button(name).click()

    def choose_look(self, name: str) -> None:
        """Open a drill-down."""
        self.main.get_by_role("radio", name=name).or_(self.button(name)).first.click()

    def go_to(self, title: str) -> None:
        """Go to another page by the navigation; there once it has settled."""
        entry = self.page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(f"{title}$"))
        entry.click()
        eventually(self.page, f"{title} is open", lambda: entry.get_attribute("aria-current") == "page")
        settle(self.page)
