"""Visits of the running app in Chromium: pages in any size and theme, and what went wrong on them."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

Size = Literal["wide", "phone"]
Theme = Literal["light", "dark"]
Screen = tuple[Size, Theme, bool]
"""The last: whether it is touched."""

SIZES: dict[Size, tuple[int, int]] = {"wide": (1280, 800), "phone": (390, 844)}

# A deep link makes Streamlit's own page ask for /PAGE/_stcore/... first: two 404s that are not the app's. The scripts
# of the app's components stand in /_stcore/ itself.
NOT_THE_APPS = re.compile(r"//[^/]+/[^/]+/_stcore/")

# Resolves when every element of the page has stood in the same place for five frames.
_REST = """() => document.fonts.ready.then(() => new Promise((done) => {
  let [before, still] = ["", 0];
  const inside = (one) => (one.shadowRoot ? [one, ...all(one.shadowRoot)] : [one]);
  const all = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  const places = () => JSON.stringify(all(document).map((one) => one.getBoundingClientRect()));
  const look = () => {
    const now = places();
    still = now === before ? still + 1 : 0;
    before = now;
    if (still < 5) requestAnimationFrame(look);
    else done();
  };
  look();
}))"""

PATIENCE = 120.0
"""Seconds that a page has for what a test waits for; generous, because test machines are slow."""


@dataclass
class Visitors:
    """Those who visit the app: each with cookies and a storage of their own, which are empty at first.

    A visitor who has left comes again as another: only the files of Streamlit's front end are still in the browser's
    cache, which take longer to load and to compile than most tests to run. The window stays open meanwhile, on a blank
    tab: for each new window Chromium loads pages of its own, at the cost of a third of an opening of the app.
    """

    browser: Browser
    left: defaultdict[Screen, list[BrowserContext]] = field(default_factory=lambda: defaultdict(list))

    def come(self, screen: Screen) -> BrowserContext:
        """One with such a screen, at a blank tab."""
        if waiting := self.left[screen]:
            return waiting.pop()
        size, theme, touch = screen
        width, height = SIZES[size]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            accept_downloads=True,
            has_touch=touch,
            is_mobile=touch,
        )
        context.new_page()
        return context

    def leave(self, context: BrowserContext, screen: Screen) -> None:
        """All tabs but the blank one are closed, and the browser forgets who it was."""
        _, *tabs = context.pages
        for tab in tabs:
            tab.close()
        context.set_storage_state({"cookies": [], "origins": []})
        self.left[screen].append(context)


@dataclass
class Visits:
    """Opens pages of the app and remembers every message, failed request and error on them.

    Attributes:
        visitors: who visits.
        base: address of the app.
        wrong: what went wrong so far, one sentence each. A test that provokes an error clears it.
    """

    visitors: Visitors
    base: str
    wrong: list[str] = field(default_factory=list)
    contexts: dict[BrowserContext, Screen] = field(default_factory=dict)
    last_visit: set[BrowserContext] = field(default_factory=set)

    def open(
        self,
        path: str = "",
        *,
        size: Size = "wide",
        theme: Theme = "light",
        touch: bool = False,
        beside: Page | None = None,
    ) -> Page:
        """The page at `path`, settled: of a visitor of its own, or in a second tab `beside` another page.

        `touch` is for one whose screen is touched, as a phone's is.
        """
        if beside:
            context = beside.context
        else:
            context = self.visitors.come((size, theme, touch))
            self.contexts[context] = (size, theme, touch)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        page.on("requestfailed", self._on_failed_request)
        page.goto(f"{self.base}/{path.lstrip('/')}")
        settle(page)
        return page

    def stop_the_clock(self, page: Page) -> None:
        """As the function `stop_the_clock`. Whose time was stopped does not come again."""
        self.last_visit.add(page.context)
        stop_the_clock(page)

    def check(self) -> None:
        """Raises AssertionError if anything went wrong, or an exception stands on an open page."""
        for page in self.pages():
            boxes = page.get_by_test_id("stException").all_inner_texts()
            self.wrong += [f"exception on {page.url}: {text[:300]}" for text in boxes]
        assert not self.wrong, "\n".join(self.wrong)

    def pages(self) -> list[Page]:
        """The pages of the app that are open now."""
        return [page for context in self.contexts for page in context.pages[1:]]  # the first tab is the blank one

    def close(self, *, failed: bool = False) -> None:
        """Closes every tab. Requests cut short by this are nobody's fault.

        Nobody comes again after a test that `failed`: what is wrong may be wrong with their browser.
        """
        for page in self.pages():
            page.remove_listener("requestfailed", self._on_failed_request)
        for context, screen in self.contexts.items():
            if failed or context in self.last_visit:
                context.close()
            else:
                self.visitors.leave(context, screen)

    def _on_console(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        if message.type in ("error", "warning") and not NOT_THE_APPS.search(where):
            self.wrong.append(f"console {message.type}: {message.text[:300]} ({where})")

    def _on_failed_request(self, request: Request) -> None:
        # A page that is left or loaded anew drops what it was still asking for.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"request failed: {request.url[:200]} ({request.failure})")


def settle(page: Page, seconds: float = PATIENCE) -> None:
    """Waits until the script has run and nothing is a placeholder any more.

    A page with a live fragment never rests for long; one idle moment is enough.

    Raises:
        AssertionError: not within `seconds`.
    """
    end = time.monotonic() + seconds
    app = page.get_by_test_id("stApp").first
    app.wait_for(timeout=seconds * 1000)
    while time.monotonic() < end:
        idle = app.get_attribute("data-test-script-state") == "notRunning"
        if idle and page.get_by_test_id("stSkeleton").count() == 0 and page.get_by_test_id("stMain").count() > 0:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{page.url} had not settled after {seconds:g} s")


def come_to_rest(page: Page) -> None:
    """Waits until all fonts are there and no element moves any more, for a pointer that is to meet one."""
    settle(page)
    page.bring_to_front()  # one that lies behind another is drawn once a second
    page.evaluate(_REST)


def stop_the_clock(page: Page) -> None:
    """Time stands still on the page until `page.clock.run_for(milliseconds)` or `page.clock.resume()`.

    For what depends on how quickly one thing follows another: the machine has no part in it then. The server is
    heard meanwhile; Streamlit, though, sends what a button asks for only when at least a millisecond has passed.
    """
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 60_000)


def sideways_overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window; 0 or less is right."""
    return page.evaluate("() => document.scrollingElement.scrollWidth - window.innerWidth")


def picture(page: Page, path: Path) -> None:
    """Saves the whole page as PNG, what lies below the fold too."""
    size = page.viewport_size or {"width": 1280, "height": 800}
    height = page.get_by_test_id("stMain").first.evaluate("main => main.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height + 80, 6000))})
    page.wait_for_timeout(500)
    page.screenshot(path=str(path))
    page.set_viewport_size(size)
