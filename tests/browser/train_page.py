"""The page "Train" as a visitor works with it: every name and locator that the tests of it rest on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from app_page import AppPage, LiveChart, eventually
from playwright.sync_api import Locator
from visits import come_to_rest, settle

from engine.config import Config

_STATUS = re.compile(r"^(?P<status>\w+): step (?P<step>[\d,]+)")

ENDLESS = Config().with_values(steps=100_000, evaluations=100, units=24, embedding=12, streams=16)
"""A run that is judged within its first steps and that no machine finishes while a test looks at it.

It is small: what is waited for comes after little work.
"""


def set_up(config: Config) -> str:
    """The link to the page with this config set up."""
    return f"train?config={quote(config.to_json())}"


@dataclass(frozen=True)
class TrainPage(AppPage):
    """The page "Train", open in a tab."""

    # ---- what it shows

    @property
    def line(self) -> str:
        """The line above the progress bar; empty while what is set up is shown in the place of a run."""
        bars = self.main.get_by_test_id("stProgress")
        return bars.first.inner_text().strip() if bars.count() else ""

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
    def loss(self) -> LiveChart:
        """The chart of the loss."""
        return LiveChart(self.main.get_by_test_id("stVegaLiteChart").first)

    # ---- what one does

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
        """Wait until the run stands like this. When it no longer trains, its buttons have found their places too: they
        are others then, and a click that meets one on its way is lost."""
        eventually(self.page, f"the run is {' or '.join(statuses)}", lambda: self.status in statuses)
        if "running" not in statuses:
            come_to_rest(self.page)

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
