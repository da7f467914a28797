"""A visitor is known again: in another tab, and after the page was loaded anew."""

from __future__ import annotations

from playwright.sync_api import Page
from train_page import TrainPage, eventually
from visits import Visits

from playground.frame.visitor import COOKIE


def _cookie(page: Page) -> str:
    found = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)
    return next(found, "")


def test_the_browser_keeps_one_number_for_all_its_tabs_and_visits(visits: Visits) -> None:
    page = visits.open()
    first = eventually(page, "the cookie is set", lambda: _cookie(page))
    page.reload()
    TrainPage(visits.open("train", beside=page)).reaches("finished")
    assert _cookie(page) == first
    other = visits.open("train")
    assert eventually(other, "another visitor has a cookie too", lambda: _cookie(other)) != first
