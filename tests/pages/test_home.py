"""Home: a film of a starter run, one button that starts a training, a card for every page."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from engine import PRESETS
from playground.access.runs import snapshot_of
from playground.frame import navigation, services
from playground.inside.view import look
from playground.runs.store.starter_files import ORDER
from playground.state import Selection

FADING = "steps back from the loss"
"""Stands on the axis of the chart of the lesson on vanishing gradients."""


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


def test_the_card_of_unrolled_draws_both_cells_on_one_axis(open_page: Callable[..., AppTest]) -> None:
    (card,) = [chart for chart in open_page("home").get("vega_lite_chart") if FADING in chart.proto.spec]
    rows = pa.ipc.open_stream(io.BytesIO(card.proto.data.data)).read_pandas()
    for run, name in (("tales-lstm", "LSTM"), ("tales-rnn", "RNN")):
        view = look(snapshot_of(run), Selection(run=run, step=0))
        trace = view.gradient(view.trace.length - 2)
        norms = sum(trace.grad[state].double().square().sum((0, 2)) for state in trace.initial).sqrt()  # (time)
        line = rows[(rows["name"] == name) & (rows["kind"] == "line")]
        np.testing.assert_allclose(line["share"], (norms / norms[-2]).flip(0)[1:], rtol=1e-3)


@pytest.mark.parametrize("run", ["", "tales-words", "hello-rnn"])
def test_one_click_leads_to_the_lesson_on_vanishing_gradients(
    open_page: Callable[..., AppTest],
    link: Callable[[AppTest], dict[str, str]],
    read: Callable[[AppTest], str],
    run: str,
) -> None:
    app = open_page("unrolled", look="whatif", changes="hidden:0:1:1:0", tokens="2:3", **({"run": run} if run else {}))
    app.switch_page("../pages/home.py").run()
    app.button(key="home.vanishing").click().run()
    assert not app.exception
    assert not app.error
    assert read(app).startswith(
        "Vanishing gradients before training: the norm stays above 1% for all 25 steps back in A"
    )
    pictures = [
        json.loads(one.proto.json) for one in app.get("bidi_component") if one.key.startswith("unrolled.picture")
    ]
    assert [(drawn["cell"], drawn["overview"], drawn["step"]) for drawn in pictures] == [
        ("LSTM", True, 0),
        ("RNN", True, 0),
    ]
    assert pictures[0]["scales"] == pictures[1]["scales"]
    assert pictures[0]["other"] is None, "no earlier experiment is left"
    assert [FADING in chart.proto.spec for chart in app.get("vega_lite_chart")] == [True]
    assert {"run": "tales-lstm", "step": "0", "compare": "tales-lstm,tales-rnn", "overview": "1"}.items() <= link(
        app
    ).items()
