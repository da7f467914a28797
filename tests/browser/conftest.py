"""Fixtures for tests in the browser: one app and one Chromium a session, fresh visitors for each test."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import chromium
import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from server import Server, serving
from visits import Visits, picture

PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells the fixtures of a test whether it passed, so that they need not complain on top of a failure."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One Playwright for the session: its driver cannot be started twice in a process."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, headless, as found by `chromium.py`."""
    path = chromium.find(playwright)
    if path is None:
        pytest.fail("No Chrome or Chromium starts here. `make browser` installs one; CHROME=PATH names one.")
    opened = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, running and visited once, so that no test pays for the first import of torch."""
    with serving(tmp_path_factory.mktemp("app")) as server:
        first = Visits(browser, server.url)
        first.open()
        first.close()
        yield server


@pytest.fixture
def visits(app: Server, browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visits]:
    """Opens pages; at the end of the test nothing may have gone wrong on any of them."""
    made = Visits(browser, app.url)
    yield made
    try:
        if request.node.stash.get(PASSED, False):
            made.check()
        else:
            _leave_evidence(made, app, tmp_path)
    finally:
        made.close()


def _leave_evidence(visits: Visits, app: Server, folder: Path) -> None:
    """For a failed test: pictures of its pages, what went wrong on them, and the server's last words."""
    for number, page in enumerate(visits.pages()):
        target = folder / f"page-{number}.png"
        picture(page, target)
        print(f"{page.url} looked like {target}")
    print("\n".join(visits.wrong))
    print(f"--- the server's last words\n{app.tail()}")
