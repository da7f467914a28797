"""Generate, as a visitor meets it: texts that stream, stop, are looked into and changed; on a phone too."""

from __future__ import annotations

import pytest
from app_page import eventually
from generate_page import GeneratePage
from visits import Size, Theme, Visits, sideways_overflow

MARKUP = "<img src=x onerror=alert(1)> **bold** $x^2$ :red[red] [a](javascript:1) <b>b</b>"


def _open(visits: Visits, query: str = "", *, size: Size = "wide", theme: Theme = "light") -> GeneratePage:
    page = GeneratePage(visits.open(f"generate?{query}", size=size, theme=theme))
    eventually(page.page, "a text stands in its strip", lambda: page.strips and page.strip.tokens.count())
    return page


def test_a_text_stands_there_before_anybody_clicks(visits: Visits) -> None:
    page = _open(visits)
    page.written(tokens=500)
    assert page.strip.prompt == "Once upon a time"
    assert "bits per character" in page.claim
    shades = page.strip.shades()
    assert max(shades) > 0.5 > min(shades)


def test_a_chosen_token_shows_its_rivals_and_another_can_be_put_in(visits: Visits) -> None:
    page = _open(visits, "length=60")
    page.written(tokens=60)
    before = page.strip.text
    page.strip.choose(20)
    rows = eventually(page.page, "the chart of the place is drawn", lambda: page.next_token.rows())
    assert sum(row["probability"] for row in rows) == pytest.approx(2)
    assert page.strip.marked("chosen") == [20]
    eventually(page.page, "the link says so", lambda: "place=20" in page.page.url)
    page.main.locator(".st-key-generate-place").get_by_role("radio").first.click()
    eventually(page.page, "another token stands there", lambda: page.strip.marked("forced") == [20])
    page.written(tokens=60)
    assert page.strip.text[:20] == before[:20]
    assert page.strip.text[20] != before[20]
    page.press("Undo")
    eventually(page.page, "the old text is back", lambda: page.strip.text == before)
    assert page.strip.marked("forced") == []


def test_tokens_are_chosen_with_the_keyboard(visits: Visits) -> None:
    page = _open(visits, "length=40")
    page.written(tokens=40)
    page.strip.box.get_by_role("listbox").focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        page.page.keyboard.press(key)
    eventually(page.page, "the fourth token is chosen", lambda: page.strip.marked("chosen") == [3])
    page.says("Position 4:").wait_for()


def test_back_leads_from_each_text_to_the_one_before_it(visits: Visits) -> None:
    page = _open(visits, "length=40")
    page.written(tokens=40)

    def texts() -> list[str]:
        return [strip.text for strip in page.strips]

    views = [(page.page.url, texts())]
    for name, strips in (("New sample", 1), ("Greedy decoding repeats itself", 1), ("Early vs late in training", 2)):
        page.press(name)
        # The link changes before the texts do.
        eventually(
            page.page, "the link and the texts have changed", lambda: _differ((page.page.url, texts()), views[-1])
        )
        page.written(strips=strips, tokens=40)
        views.append((page.page.url, texts()))
    for url, before in reversed(views[:-1]):
        page.page.go_back()
        eventually(page.page, "the text before stands there", lambda seen=before: texts() == seen)
        page.written(strips=len(before), tokens=40)
        assert page.page.url == url
    page.page.go_forward()
    eventually(page.page, "and the one after", lambda: texts() == views[1][1])
    assert page.page.url == views[1][0]


def _differ(one: tuple[str, list[str]], other: tuple[str, list[str]]) -> bool:
    return all(mine != yours for mine, yours in zip(one, other, strict=True))


def test_the_slider_shows_every_step_without_asking_the_app(visits: Visits) -> None:
    page = _open(visits, "run=hello-rnn&length=30")
    look = page.look()
    slider = look.get_by_role("slider", name="Training step")
    last = eventually(page.page, "there are steps", lambda: int(slider.get_attribute("max") or 0))
    slider.focus()
    texts: dict[str, str] = {}

    def all_steps() -> bool:
        texts.clear()  # what stood there before the first text was drawn is no step's
        page.page.keyboard.press("Home")
        for _ in range(last + 1):
            step = look.locator(".when").inner_text()
            texts[step] = "".join(look.locator(".token").all_inner_texts())
            page.page.keyboard.press("ArrowRight")
        return all(texts.values())

    eventually(page.page, "every step has its text", all_steps)
    assert len(texts) == last + 1
    assert len(set(texts.values())) > 3
    assert texts["step 0"] != texts["step 500"]


def test_markup_stays_text_wherever_it_is_typed(visits: Visits) -> None:
    page = _open(visits, "look=likely&length=30")
    dialogs: list[str] = []
    page.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.prompt(MARKUP)
    field = page.main.get_by_role("textbox", name="Text to score")
    field.fill(MARKUP)
    field.press("Control+Enter")
    page.says("left out").wait_for()
    page.written(tokens=30)
    eventually(page.page, "the typed text is scored", lambda: "bold" in page.look().locator(".page").inner_text())
    assert page.main.locator("img[src='x'], b:has-text('b'):not(.key b), a[href^=javascript]").count() == 0
    assert page.main.locator("strong:has-text('bold')").count() == 0
    assert dialogs == []


def test_a_phone_shows_all_of_it_without_scrolling_sideways(visits: Visits) -> None:
    page = _open(visits, "beside=tales-rnn&place=2&look=sentences&length=60", size="phone", theme="dark")
    page.written(strips=2, tokens=60)
    page.says("times more likely").wait_for()
    assert sideways_overflow(page.page) <= 0
    for strip in page.strips:
        box = strip.box.bounding_box()
        assert box is not None
        assert box["width"] <= 390
