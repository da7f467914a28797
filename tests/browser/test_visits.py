"""What the tests of this folder rest on: that `visits` hears what goes wrong."""

from __future__ import annotations

from app_page import eventually
from visits import Visits, settle


def test_a_word_in_the_console_and_an_error_on_the_page_are_noticed(visits: Visits) -> None:
    page = visits.open()
    page.evaluate("console.error('spilt')")
    page.evaluate("setTimeout(() => { throw new Error('broken') }, 0)")
    page.evaluate("fetch('http://127.0.0.1:9/nobody').catch(() => {})")
    for word in ("spilt", "broken", "request failed"):
        eventually(page, f"“{word}” is heard", lambda word=word: word in "\n".join(visits.wrong))
    settle(page)
    visits.wrong.clear()
