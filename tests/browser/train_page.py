"""The page "Train" as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Locator, Page
from visits import PATIENCE, settle

from engine.config import Config

_STATUS = re.compile(r"^(?P<status>\w+): step (?P<step>[\d,]+)")
_POLL_MS = 50

ENDLESS = Config().with_values(steps=100_000, evaluations=100, units=24, embedding=12, streams=16)
"""A run that is judged within its first steps and that no machine finishes while a test looks at it.

It is small: what is waited for comes after little work.
"""

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


def set_up(config: Config) -> str:
    """The link to the page with this config set up."""
    return f"train?config={quote(config.to_json())}"


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
class TrainPage:
    """The page "Train", open in a tab."""

    page: Page

    @property
    def main(self) -> Locator:
        """The page without its sidebar."""
        return self.page.get_by_test_id("stMain").first

    # ---- what it shows

    @property
    def line(self) -> str:
        """The line above the progress bar."""
        return self.main.get_by_test_id("stProgress").first.inner_text().strip()

    @property
    def status(self) -> str:
        """How the run stands, in lower case: "running", "paused", ...; empty while it waits for a worker."""
        found = _STATUS.match(self.line)
        return found["status"].lower() if found else ""

    @property
    def step(self) -> int:
        """The step that the page shows; 0 while the run waits."""
        found = _STATUS.match(self.line)
        return int(found["step"].replace(",", "")) if found else 0

    @property
    def run(self) -> str:
        """The run in the address, or nothing."""
        found = re.search(r"[?&]run=([\w-]+)", self.page.url)
        return found[1] if found else ""

    @property
    def claim(self) -> str:
        """The sentence at the top."""
        return self.main.get_by_role("heading").first.inner_text()

    @property
    def loss(self) -> LiveChart:
        """The chart of the loss."""
        return LiveChart(self.main.get_by_test_id("stVegaLiteChart").first)

    def says(self, pattern: str) -> Locator:
        """The boxes that tell the visitor something, of those that match."""
        return self.main.get_by_test_id("stAlert").filter(has_text=re.compile(pattern, re.IGNORECASE))

    # ---- what one does

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.main.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """Press a button of the page."""
        self.button(name).click()

    def train(self) -> str:
        """Press Train; the new run, once its first losses are drawn."""
        run, line = self.run, self.line
        self.press("Train")
        eventually(self.page, "a new run stands in the address", lambda: self.run != run)
        eventually(self.page, "the page tells of the new run", lambda: self.line != line and self.step > 0)
        eventually(self.page, "no more is drawn than it has done", lambda: self._drawn_up_to() <= self.step)
        eventually(self.page, "its loss is drawn", lambda: self.loss.rows("training"))
        return self.run

    def _drawn_up_to(self) -> float:
        """The last step that the loss chart shows of what was trained."""
        return max((row["step"] for row in self.loss.rows("training")), default=0.0)

    def pause(self) -> int:
        """Press Pause; the step at which the run rests."""
        self.press("Pause")
        self.reaches("paused")
        return self.step

    def reaches(self, *statuses: str) -> None:
        """Wait until the run stands like this."""
        eventually(self.page, f"the run is {' or '.join(statuses)}", lambda: self.status in statuses)

    def passes(self, step: int) -> None:
        """Wait until the run is beyond this step."""
        eventually(self.page, f"the run is beyond step {step}", lambda: self.step > step)

    def unfold(self, name: str) -> Locator:
        """Open a popover; its contents."""
        body = self.page.get_by_test_id("stPopoverBody")
        if not body.count():
            self.press(name)
        body.first.wait_for()
        return body.first

    def fold(self) -> None:
        """Close the popover that is open."""
        self.page.keyboard.press("Escape")
        self.page.get_by_test_id("stPopoverBody").wait_for(state="detached")

    def tab(self, name: str) -> Locator:
        """Bring a tab of the set-up to the front; its contents."""
        self.main.get_by_role("tab", name=name, exact=True).click()
        return self.main.get_by_role("tabpanel", name=name, exact=True)

    def reload(self) -> None:
        """Load the page anew, as F5 does."""
        self.page.reload()
        settle(self.page)
