"""Fixtures for tests in the browser: one app and one Chromium a session, fresh visitors for each test."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import chromium
import pytest
from evidence import leave_evidence
from playwright.sync_api import Browser, Playwright, sync_playwright
from server import Server, serving
from stage import Blank, files
from visits import PATIENCE, Visitors, Visits

from playground.runs.records import ACTIVE
from playground.runs.store import Store

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
def blank_pages(browser: Browser) -> Iterator[Blank]:
    """The blank pages of the session: the components' files are loaded once."""
    context = browser.new_context(accept_downloads=True)
    with files() as address:
        yield Blank(context, address)
    context.close()


@pytest.fixture
def blank(blank_pages: Blank) -> Iterator[Blank]:
    """Opens blank pages for components alone; at the end of the test nothing may have gone wrong on any of them."""
    yield blank_pages
    blank_pages.leave()


@pytest.fixture(scope="session")
def visitors(browser: Browser) -> Visitors:
    """All who visit in this session."""
    return Visitors(browser)


@pytest.fixture(scope="session")
def app(visitors: Visitors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, running and visited once, so that no test pays for the first import of torch."""
    # One thread of training: what trains while a test looks on leaves a core to the page.
    with serving(tmp_path_factory.mktemp("app"), UNROLLED_THREADS="1") as server:
        first = Visits(visitors, server.url)
        first.open()
        first.close()
        yield server


@pytest.fixture
def store(app: Server) -> Iterator[Store]:
    """The app's store, for what no page shows."""
    opened = Store(f"sqlite:///{app.database}")
    yield opened
    opened.close()


@pytest.fixture
def visits(
    app: Server, store: Store, visitors: Visitors, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Visits]:
    """Opens pages; at the end of the test nothing may have gone wrong on any of them."""
    made = Visits(visitors, app.url)
    yield made
    passed = request.node.stash.get(PASSED, False)
    try:
        if passed:
            made.check()
        else:
            leave_evidence(made, app, tmp_path)
    finally:
        made.close(failed=not passed)
        if app.database.exists():  # no store has been needed where a page shows a component alone
            _end_training(store)


def _end_training(store: Store) -> None:
    """Stops whatever a test has left in training, so that the next one has the machine to itself."""
    end = time.monotonic() + PATIENCE
    for run in store.runs(status=ACTIVE):
        store.command(run.id, "stop")
    while store.runs(status=ACTIVE):
        assert time.monotonic() < end, "what a test left in training does not stop"
        time.sleep(0.02)
