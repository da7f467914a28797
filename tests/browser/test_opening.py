"""Every page opens cold, by its own link, in both themes and on a phone, with nothing wrong on it."""

from __future__ import annotations

import pytest
from train_page import eventually
from visits import Size, Theme, Visits, settle, sideways_overflow

PAGES = ("",)
"""The page Train is opened so in test_train.py, where its picture is looked at too."""


@pytest.mark.parametrize(("size", "theme"), [("wide", "light"), ("phone", "dark")])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "home")
def test_a_page_opens_cold_and_fits_the_window(visits: Visits, path: str, size: Size, theme: Theme) -> None:
    page = visits.open(path, size=size, theme=theme)
    assert sideways_overflow(page) <= 0
    background = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 29)"}[theme]
    visits.check()


def test_a_word_in_the_console_and_an_error_on_the_page_are_noticed(visits: Visits) -> None:
    """The tests of this folder rest on this: that `visits` hears what goes wrong."""
    page = visits.open()
    page.evaluate("console.error('spilt')")
    page.evaluate("setTimeout(() => { throw new Error('broken') }, 0)")
    page.evaluate("fetch('http://127.0.0.1:9/nobody').catch(() => {})")
    for word in ("spilt", "broken", "request failed"):
        eventually(page, f"“{word}” is heard", lambda word=word: word in "\n".join(visits.wrong))
    settle(page)
    visits.wrong.clear()
