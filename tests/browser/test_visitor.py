"""A visitor is known again: in another tab, and after the page was loaded anew."""

from __future__ import annotations

from app_page import eventually
from playwright.sync_api import Page
from visits import Visits, settle

from playground.frame.visitor import COOKIE


def _cookie(page: Page) -> str:
    found = (cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)
    return next(found, "")


def test_the_browser_keeps_one_number_for_all_its_tabs_and_visits(visits: Visits) -> None:
    page = visits.open()
    first = eventually(page, "the cookie is set", lambda: _cookie(page))
    page.reload()
    settle(page)
    visits.open("runs", beside=page)
    assert _cookie(page) == first
    other = visits.open("runs")
    assert eventually(other, "another visitor has a cookie too", lambda: _cookie(other)) != first
