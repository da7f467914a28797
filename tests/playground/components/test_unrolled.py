"""The components that draw the unrolled network and the task shapes: what they are sent, and what is heard of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.access.runs import snapshot_of
from playground.components.choice import fitting
from playground.components.unrolled import Picture, fits
from playground.inside.view import look
from playground.state import Selection
from playground.views.unrolled.picture import picture


@pytest.fixture
def hello(own_recordings: None) -> Picture:
    """What is drawn of the smallest starter run."""
    view = look(snapshot_of("hello-rnn"), Selection(run="hello-rnn"))
    return picture(view, "sum")


@pytest.mark.parametrize(
    "message",
    [{"t": 4, "layer": 0}, {"t": 4, "layer": 0, "unit": 2}, {"target": "sum"}, {"target": 3}, {"folded": True}],
)
def test_what_is_drawn_can_be_chosen(message: dict[str, Any], hello: Picture) -> None:
    assert fitting({"count": 1, **message}, fits(hello)) == message


@pytest.mark.parametrize(
    "message",
    [
        {"t": "4"},
        {"t": -1},
        {"t": 5},
        {"t": True},
        {"layer": 1},
        {"layer": 0.0},
        {"unit": 3},
        {"target": "all"},
        {"target": 5},
        {"target": None},
        {"folded": "yes"},
    ],
)
def test_what_is_not_drawn_cannot_be_chosen(message: dict[str, Any], hello: Picture) -> None:
    assert fitting({"count": 1, **message}, fits(hello)) == {}


def _page() -> None:
    from playground.access.runs import snapshot_of
    from playground.components.shapes import shape_gallery
    from playground.components.unrolled import unrolled
    from playground.inside.view import look
    from playground.state import Selection
    from playground.views.unrolled.picture import picture
    from playground.views.unrolled.shapes import shapes

    view = look(snapshot_of("hello-rnn"), Selection(run="hello-rnn", t=2))
    unrolled(picture(view, "sum"), key="picture", folded=True)
    shape_gallery(shapes(view), key="shapes")


def test_both_are_sent_their_numbers(idle_trainer: object) -> None:
    app = AppTest.from_function(_page, default_timeout=60).run()
    assert not app.exception
    drawn, gallery = (element.proto for element in app.get("bidi_component"))
    data = json.loads(drawn.json)
    assert (data["t"], data["tokens"], data["folded"]) == (2, list("hello"), True)
    assert data["family"] == "rnn"
    assert len(json.loads(gallery.json)["shapes"]) == 5
