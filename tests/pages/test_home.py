"""Home: a film of a starter run, one button that starts a training, a card for every page."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from engine import PRESETS
from playground.frame import navigation, services
from playground.runs.store.starter_files import ORDER


def test_home_is_alive_at_once(open_page: Callable[..., AppTest], read: Callable[[AppTest], str]) -> None:
    app = open_page("home")
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert "bits per character" in read(app)


def test_the_film_shows_every_sample_of_the_starter_run_and_its_loss(open_page: Callable[..., AppTest]) -> None:
    app = open_page("home")
    (film,) = [element for element in app.get("bidi_component") if element.key == "home.film"]
    rows = json.loads(film.proto.json)["rows"]
    samples = services.store().delta("tales-lstm", 0).samples
    assert [(row["step"], row["text"]) for row in rows] == [(sample.step, sample.text) for sample in samples]
    assert all("bits per character" in row["loss"] for row in rows)


def test_there_is_a_card_with_a_picture_for_every_other_page(open_page: Callable[..., AppTest]) -> None:
    app = open_page("home")
    others = len(navigation.PAGES) - 1
    assert len(app.main.get("page_link")) == others
    assert len(app.main.get("vega_lite_chart")) + len(app.main.get("arrow_vega_lite_chart")) >= others


def test_one_button_starts_a_training_and_leads_to_it(
    open_page: Callable[..., AppTest], idle_trainer, link: Callable[[AppTest], dict[str, str]]
) -> None:
    app = open_page("home")
    app.button(key="home.train").click().run()
    assert not app.exception
    (run,) = services.store().runs(starters=False)
    assert idle_trainer.submitted == [run.id]
    assert link(app) == {"run": run.id}
    assert run.config == PRESETS["first-words"].configs[0]
    assert app.button(key="train").label == "Train"  # a button of the page "Train"


@pytest.mark.parametrize("run", ORDER)
def test_home_opens_whatever_run_is_selected(
    open_page: Callable[..., AppTest], link: Callable[[AppTest], dict[str, str]], run: str
) -> None:
    app = open_page("home", run=run)
    assert not app.exception
    assert link(app) == {"run": run}
