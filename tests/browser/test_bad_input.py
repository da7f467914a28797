"""Texts that visitors bring: each works or gets a sentence; none becomes markup, and none loses a run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from app_page import eventually
from playwright.sync_api import Dialog, Page
from train_page import ENDLESS, TrainPage, set_up
from visits import Visits, settle

MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> $\\frac{1}{2}$ :red[colours] **bold** [a](javascript:1) "
)
RIGHT_TO_LEFT = "שלום עולם 👩‍👩‍👧 مرحبا بالعالم 🎉 "

# Elements that only exist where the text was taken for markup.
MADE_OF_MARKUP = """() => [
  ...document.querySelectorAll('script, img, a, strong, em, .katex, [style*="color"]')
].filter(element => /alert\\(|colours|bold|javascript:|frac/.test(
  (element.outerHTML.match(/^<[^>]*>/) || [''])[0] + (element.matches('strong, em, a, .katex, [style]')
    && element.children.length === 0 ? element.textContent : '')
)).map(element => element.outerHTML.slice(0, 200))"""


@pytest.fixture
def train(visits: Visits) -> Iterator[TrainPage]:
    """The page with a paused run on it; at the end the run must still be there as it was left."""
    page = visits.open(set_up(ENDLESS))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: _heard(dialog, dialogs))
    opened = TrainPage(page)
    run = opened.train()
    step = opened.pause()
    yield opened
    opened.page.goto(f"{visits.base}/train?run={run}")
    opened.reaches("paused")
    assert (opened.run, opened.step) == (run, step)
    assert dialogs == []


def _heard(dialog: Dialog, dialogs: list[str]) -> None:
    dialogs.append(dialog.message)
    dialog.dismiss()


def _paste(train: TrainPage, text: str) -> None:
    train.tab("Text").get_by_role("textbox", name="Paste your own text").fill(text)
    train.press("Use the pasted text")


def _upload(train: TrainPage, raw: bytes) -> None:
    files = train.tab("Text").locator("input[type=file]")
    files.set_input_files({"name": "text.txt", "mimeType": "text/plain", "buffer": raw})


def _sentence(page: Page, pattern: str) -> None:
    box = page.get_by_test_id("stAlert").filter(has_text=pattern).first
    box.wait_for()


def test_a_text_that_was_taken_in_is_not_sent_again(visits: Visits, train: TrainPage) -> None:
    sent: list[int] = []
    session = train.page.context.new_cdp_session(train.page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameSent", lambda frame: sent.append(len(frame["response"]["payloadData"])))
    words = "the quick brown fox jumps over the lazy dog. "
    _paste(train, words * (3_000_000 // len(words)))
    eventually(train.page, "the text is read", lambda: train.main.get_by_text("2.7 M").count())
    settle(train.page)  # until the page has its new field, what it asks for meanwhile brings the old one along
    assert max(sent) > 3_000_000, "the frames are counted in bytes of what is sent"
    sent.clear()
    train.train()
    train.pause()
    assert sent
    assert max(sent) < 50_000
    visits.check()


def test_a_text_gets_a_sentence_or_is_learned_and_shown_as_it_was_written(visits: Visits, train: TrainPage) -> None:
    _paste(train, "x")
    _sentence(train.page, "repeats a single character")
    _upload(train, b"five million " * 393_000)
    train.main.get_by_text("File must be 5.0MB or smaller").wait_for()
    _upload(train, "Übermut tut selten gut. ".encode("latin-1") * 20)
    _sentence(train.page, "probably in windows-1252")

    text = (MARKUP + RIGHT_TO_LEFT) * 20
    _paste(train, text)
    preview = train.main.get_by_text(re.compile("^Training .+ vocabulary")).first
    eventually(train.page, "the text is counted", lambda: f"{len(set(text))}" in preview.inner_text())
    prompt = train.tab("Sample").get_by_role("textbox", name="Prompt")
    prompt.fill(text[:80])
    prompt.press("Enter")
    train.train()
    ladder = train.page.locator(".ladder").last
    samples = ladder.locator("pre")
    eventually(train.page, "it is written on from", lambda: text[:20] in "".join(samples.all_inner_texts()[:1]))
    assert train.page.evaluate(MADE_OF_MARKUP) == []
    visits.check()
