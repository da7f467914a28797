"""What the selection bar takes from the browser, and what it gives to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.components.choice import fitting
from playground.components.packing import plain
from playground.components.selection_bar import LABELS, Bar, fits
from playground.notation import NOTATIONS

BAR = Bar(
    steps=(0, 10, 100),
    losses=(4.2, None, 1.5),
    step=137,
    newest=True,
    live=True,
    t=2,
    names=("h", "␣", "<b>"),
    first=1,
    layer=0,
    layers=2,
    unit=3,
    units=4,
    labels=LABELS["ng"],
    present=False,
    notations=(NOTATIONS, "ng"),
)


@pytest.mark.parametrize(
    "word",
    [
        {"step": 10},
        {"step": 137},
        {"step": -1},
        {"t": 0},
        {"t": 2, "layer": 1, "unit": 3},
        {"present": True},
        {"notation": "pytorch"},
    ],
)
def test_what_is_on_the_bar_is_taken(word: dict[str, Any]) -> None:
    assert fitting({"count": 3, **word}, fits(BAR)) == word


@pytest.mark.parametrize(
    "word",
    [
        {"step": 11},
        {"step": -2},
        {"step": 10.0},
        {"step": "10"},
        {"t": 3},
        {"t": -1},
        {"t": True},
        {"t": None},
        {"layer": 2},
        {"layer": [1]},
        {"unit": 4},
        {"unit": 1e99},
        {"unit": float("nan")},
        {"present": 1},
        {"present": "yes"},
        {"notation": "<b>"},
        {"notation": ["ng"]},
        {"run": "another"},
        {"probe": "text"},
    ],
)
def test_what_cannot_be_is_left_out_and_the_rest_taken(word: dict[str, Any]) -> None:
    assert fitting({"count": 3, "layer": 1, **word}, fits(BAR)) == ({} if "layer" in word else {"layer": 1})


@pytest.mark.parametrize("word", [None, [], "t", 5, {}, {"count": 1}])
def test_a_word_that_is_none_changes_nothing(word: object) -> None:
    assert fitting(word, fits(BAR)) == {}


def test_every_notation_says_what_the_axes_are_called() -> None:
    assert set(LABELS) == set(NOTATIONS)
    for labels in LABELS.values():
        assert set(labels) == {"t", "layer", "unit"}
        assert all(word and form.count("{}") == 1 for word, form in labels.values())


def sent(bar: Bar) -> dict[str, Any]:
    """What the browser gets of a bar, after JSON."""
    data: dict[str, Any] = json.loads(json.dumps(plain(bar), allow_nan=False))
    return data


def test_losses_that_are_no_numbers_are_sent_as_words() -> None:
    bar = replace(BAR, steps=(0, 1, 2, 3), losses=(1.5, None, float("nan"), float("inf")))
    assert sent(bar)["losses"] == [1.5, None, "NaN", "Infinity"]


def test_the_curve_goes_through_all_that_was_measured() -> None:
    assert sent(BAR)["measured"] == [[0, 4.2], [100, 1.5]]
    bar = replace(BAR, measured=((5, 4.0), (50, float("nan"))), training=(None, 4.1, 1.4))
    assert sent(bar)["measured"] == [[5, 4.0], [50, "NaN"]]
    assert sent(bar)["training"] == [None, 4.1, 1.4]


def test_notations_keep_their_order_and_tokens_stay_data() -> None:
    data = sent(BAR)
    assert [key for key, _ in data["notations"]] == list(NOTATIONS)
    assert data["notation"] == "ng"
    assert data["names"] == ["h", "␣", "<b>"]


def test_the_bar_stands_on_a_page() -> None:
    def page() -> None:
        from playground.components.selection_bar import LABELS, Bar, selection_bar

        nothing = Bar((), (), 0, True, False, 0, ("h",), 1, 0, 1, 0, 1, LABELS["ng"], False, ({"ng": "Ng"}, "ng"))
        selection_bar(nothing, key="bar", on_choose=lambda: None)

    assert not AppTest.from_function(page).run().exception
