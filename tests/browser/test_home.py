"""Home in the browser: the film of a starter run, and the way to a training of one's own."""

from __future__ import annotations

from collections import Counter

import pytest
from app_page import eventually
from playwright.sync_api import Locator, Page
from runs_page import RunsPage
from train_page import TrainPage
from visits import Size, Theme, Visits, sideways_overflow

FRAME = 1_100
"""Milliseconds that the film shows a step."""


def _film(page: Page) -> Locator:
    film = page.locator("figure.film")
    film.locator(".step:not(:empty)").wait_for()
    return film


def test_the_film_plays_by_itself(visits: Visits) -> None:
    page = visits.open()
    film = _film(page)
    first = film.locator(".step").inner_text()
    eventually(page, "the film goes on", lambda: film.locator(".step").inner_text() != first)
    assert film.locator("pre").inner_text().strip()
    assert "bits per character" in film.locator(".loss").inner_text()


def test_the_scrubber_shows_any_step_and_holds_it(visits: Visits) -> None:
    page = visits.open()
    film = _film(page)
    visits.stop_the_clock(page)
    range_ = film.get_by_role("slider")
    range_.press("End")
    last = film.locator("pre").inner_text()
    assert film.locator(".step").inner_text() == range_.get_attribute("aria-valuetext")
    range_.press("Home")
    assert film.locator("pre").inner_text() != last
    assert film.get_by_role("button").inner_text() == "▶", "who scrubs wants the film to stand still"
    first = film.locator(".step").inner_text()
    page.clock.run_for(FRAME)
    assert film.locator(".step").inner_text() == first
    film.get_by_role("button").click()
    page.clock.run_for(FRAME)
    assert film.locator(".step").inner_text() != first, "the film plays again"


def test_one_button_starts_a_training_and_goes_to_watch_it(visits: Visits) -> None:
    page = visits.open()
    page.get_by_test_id("stMain").get_by_role("button", name="Train your own").click()
    train = TrainPage(page)
    eventually(page, "the page Train shows the new run", lambda: "/train?" in page.url and train.run)
    train.reaches("running", "finished")
    eventually(page, "the loss is drawn", lambda: train.loss.values("training"))


@pytest.mark.parametrize(("size", "theme", "beside"), [("wide", "light", 2), ("phone", "dark", 1)])
def test_it_fits_the_window_and_its_cards_stand_in_full_rows(
    visits: Visits, size: Size, theme: Theme, beside: int
) -> None:
    page = visits.open(size=size, theme=theme)
    _film(page)
    cards = page.get_by_test_id("stMain").get_by_test_id("stPageLink")
    assert cards.count() == 5
    tops = [round(card["y"]) for card in (cards.nth(at).bounding_box() for at in range(5)) if card]
    assert sorted(Counter(tops).values()) == sorted([beside] * (5 // beside) + [1] * (5 % beside))
    assert sideways_overflow(page) <= 0
    background = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 29)"}[theme]


def test_the_card_leads_to_the_page(visits: Visits) -> None:
    page = visits.open()
    page.get_by_test_id("stMain").get_by_role("link", name="Runs").first.click()
    RunsPage(page).row("GRU on Tales").wait_for()
    assert "/runs" in page.url
