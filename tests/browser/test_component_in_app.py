"""A component on a page of Streamlit's: it comes, is heard, and goes, as the app itself does it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_page import eventually
from playwright.sync_api import Page
from server import Server, serving
from visits import Visits, settle

APP = Path(__file__).parent / "apps" / "selection_bar.py"

# What stands in the app's answer from now on, change by change.
_WATCH = """() => {
  const answer = document.querySelector("[data-testid=stCode] code");
  window.seen = [];
  new MutationObserver(() => window.seen.push(answer.textContent))
    .observe(answer, { childList: true, characterData: true, subtree: true });
}"""

# Scripts that the page adds from now on.
_WATCH_SCRIPTS = """() => {
  window.scripts = [];
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]);
    window.scripts.push(...added.filter((node) => node.nodeName === "SCRIPT").map((node) => node.src));
  }).observe(document.documentElement, { childList: true, subtree: true });
}"""

# Streamlit sends what was written by a timer of no length. Keys overtake timers: one pressed before it has fired would
# go into the same message. A timer that is set later fires later.
_SENT = """() => new Promise((done) => {
  setTimeout(() => requestAnimationFrame(() => setTimeout(done, 1)), 1);
})"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with the bars alone, in place of the whole app."""
    with serving(tmp_path_factory.mktemp("bars"), entry=APP) as server:
        yield server


def opened(visits: Visits, link: str = "") -> Page:
    """The page, once its bars hear keys."""
    page = visits.open(link)
    mounted(page)
    return page


def mounted(page: Page) -> None:
    for place in range(2):
        page.locator(".selection").nth(place).locator("input[aria-valuetext]").wait_for()


def known(page: Page) -> dict[str, Any]:
    """What the app has."""
    found: dict[str, Any] = json.loads(page.get_by_test_id("stCode").inner_text())
    return found


def comes_to(page: Page, **values: Any) -> list[dict[str, Any]]:
    """Wait until the app has these values; the messages it was sent."""
    eventually(page, f"the app has {values}", lambda: values.items() <= known(page).items())
    return known(page)["messages"]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def rest(page: Page) -> None:
    """Take the focus from wherever it is, and wait until the app has taken what was written there."""
    page.mouse.click(5, 400)
    page.evaluate(_SENT)
    settle(page)


def test_of_two_bars_one_is_heard_and_both_are_moved(visits: Visits) -> None:
    page = opened(visits)
    press(page, "ArrowRight")
    assert comes_to(page, t=5) == [{"count": 1, "t": 5}]
    for bar in page.locator(".selection .t .number").all():
        eventually(page, "it has moved", lambda bar=bar: bar.inner_text() == "⟨6⟩")
    press(page, "]")
    assert comes_to(page, unit=18) == [{"count": 1, "t": 5}, {"count": 2, "unit": 18}]


def test_no_key_is_taken_from_a_field(visits: Visits) -> None:
    page = opened(visits)
    for unit, field in enumerate(("A field", "A text"), start=18):
        page.get_by_label(field).focus()
        press(page, "ArrowRight", "p", "m", " ", ",", "?")
        rest(page)
        press(page, "]")
        assert comes_to(page, unit=unit)[-1] == {"count": unit - 17, "unit": unit}
        assert page.get_by_role("dialog").count() == 0
    page.get_by_role("radio", name="one").focus()
    press(page, "ArrowDown")
    eventually(page, "the choice has the key", lambda: page.get_by_role("radio", name="two").is_checked())
    assert known(page)["t"] == 4


def test_bars_that_go_and_come_again_have_the_keys_once(visits: Visits) -> None:
    page = opened(visits)
    for _ in range(2):
        page.get_by_text("Without the bars").click()
        page.locator(".selection").first.wait_for(state="detached")
        rest(page)
        press(page, "ArrowRight", "p")
        page.get_by_text("Without the bars").click()
        mounted(page)
        rest(page)
    press(page, "ArrowRight")
    comes_to(page, t=5)
    press(page, "ArrowRight")
    comes_to(page, t=6, present=False)
    assert page.evaluate("window[Symbol.for('unrolled.keyboards')].length") == 2


def test_quick_choices_end_where_they_should_while_the_app_is_slow(visits: Visits) -> None:
    page = opened(visits, "?slow=0.3")
    press(page, *["ArrowRight"] * 9)
    assert page.locator(".selection .t .number").first.inner_text() == "⟨14⟩", "shown at once"
    messages = comes_to(page, t=13)
    assert messages[-1]["t"] == 13
    assert page.locator(".selection .t .number").first.inner_text() == "⟨14⟩"


def test_play_waits_until_each_step_is_drawn(visits: Visits) -> None:
    page = opened(visits, "?slow=0.9")
    page.evaluate(_WATCH)
    press(page, " ")
    comes_to(page, step=300, drawn=300)
    seen = page.evaluate("window.seen")
    drawn = [int(found[1]) for found in map(re.compile(r'"drawn": (\d+)').search, seen) if found]
    assert list(dict.fromkeys(drawn)) == [100, 200, 300]


def test_its_files_are_loaded_once_and_not_sent_again_with_other_data(visits: Visits) -> None:
    page = opened(visits)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sent.append(len(frame))))
    page.reload()
    mounted(page)
    modules = [url for url in asked if "/_stcore/bidi-components/" in url]
    assert len(modules) == len(set(modules)) > 5
    assert len({url.rsplit("/", 2)[0] for url in modules}) == 1
    before, loaded = len(sent), len(asked)
    page.evaluate(_WATCH_SCRIPTS)
    press(page, "ArrowRight")
    comes_to(page, t=5)
    assert len(asked) == loaded
    assert sum(sent[before:]) < 80_000
    assert page.evaluate("window.scripts") == [], "data that come while a script is being loaded are dropped"
