"""The components that draw the unrolled network and the task shapes: what they are sent, and what is heard of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.components import unrolled
from playground.components.unrolled import SCRIPTS, Word, said

FOLDER = Path(unrolled.__file__).parent / "browser"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ({"count": 1, "t": 4, "layer": 0}, Word(t=4, layer=0)),
        ({"count": 1, "t": 4, "layer": 1, "unit": 2}, Word(t=4, layer=1, unit=2)),
        ({"count": 2, "target": "sum"}, Word(target="sum")),
        ({"count": 2, "target": 7}, Word(target=7)),
        ({"count": 3, "folded": True}, Word(folded=True)),
    ],
)
def test_what_is_chosen_is_heard(word: dict[str, Any], meant: Word, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"picture": {"chosen": word}})
    assert said("picture") == meant


@pytest.mark.parametrize(
    "word",
    [
        None,
        "t=4",
        {"t": "4"},
        {"t": -1},
        {"t": True},
        {"t": 1, "layer": 2.5},
        {"target": "all"},
        {"target": -1},
        {"folded": "yes"},
    ],
)
def test_what_cannot_have_been_chosen_is_not_heard(word: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {"picture": {"chosen": word}})
    assert said("picture") is None


def test_nothing_is_heard_of_a_picture_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    assert said("picture") is None


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
    assert data["colors"]["family"] == "#D27A00"
    assert len(json.loads(gallery.json)["shapes"]) == 5


def test_scripts_put_together_name_nothing_twice() -> None:
    scripts = [*SCRIPTS, "unrolled/picture.js"]
    named = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)
    names = [name for script in scripts for name in named.findall((FOLDER / script).read_text(encoding="utf-8"))]
    assert sorted(names) == sorted(set(names))


def test_text_is_never_set_as_markup() -> None:
    for script in [*SCRIPTS, "unrolled/picture.js", "unrolled/shapes.js"]:
        text = (FOLDER / script).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), script
