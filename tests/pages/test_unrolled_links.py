"""Links to Unrolled, without a browser: each is the view that it was copied from, or gets a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from at_work import picture, widget
from streamlit.testing.v1 import AppTest

from playground.views.unrolled.drill_downs import DRILL_DOWNS

OpenPage = Callable[..., AppTest]
Text = Callable[[AppTest], str]
Link = Callable[[AppTest], dict[str, str]]

LOOKS = [found.name for found in DRILL_DOWNS]
PROBE = "They ate the fish, and then"
MARKUP = "<img src=x onerror=alert(1)> **b** $x^2$ :red[r] [a](javascript:1)"

pytestmark = pytest.mark.usefixtures("own_recordings")


def test_a_link_is_the_view(open_page: OpenPage, link: Link, said: Text) -> None:
    given = {
        "run": "tales-gru",
        "step": "375",
        "probe": "The old man",
        "t": "4",
        "layer": "0",
        "unit": "9",
        "notation": "pytorch",
        "of": "6",
        "folded": "1",
        "overview": "1",
        "look": "shares",
        "block": "candidate",
        "weight": "weight_ih",
        "element": "3:5",
        "measure": "norm",
        "quantity": "reset",
        "changes": "update:0:3:9:0.25,hidden:0:1:2:-1",
        "tokens": "2:7",
    }
    app = open_page("unrolled", **given)
    assert said(app) == ""
    assert not app.exception
    assert link(app) == given
    drawn = picture(app)
    assert (drawn["t"], drawn["unit"], drawn["folded"], drawn["gradient"]["of"]) == (4, 9, True, 6)
    assert drawn["other"] is not None


WRONG = {
    "of": ("all", "loss to backpropagate cannot be used: 'all' is not a timestep from 0 to 499"),
    "folded": (
        "maybe",
        "loop view cannot be used: 'maybe' is neither 1 nor 0. Used instead: off.",
    ),
    "look": ("<b>", "drill-down cannot be used: '<b>' is not a valid name of a drill-down"),
    "block": ("x y", "block of weights cannot be used: 'x y' is not a valid name"),
    "weight": ("head", "weight cannot be used: 'head' is not one of weight_hh, "),
    "element": ("3", "element of a weight cannot be used: '3' is not row:column."),
    "measure": ("mean", "measure cannot be used: 'mean' is not one of along, norm"),
    "quantity": ("a b", "quantity to change cannot be used: 'a b' is not a valid name of a gate or state"),
    "changes": (
        "forget:0:1:2:0,**b**:0:0",
        "changes cannot be used: '**b**:0:0' is not quantity:layer:timestep:unit:value. Use the form "
        "quantity:layer:timestep:unit:value, positions counted from 0, separated by commas. "
        "Used instead: no change.",
    ),
    "tokens": (
        "3:1,a:b",
        "tokens cannot be used: 'a' is not a timestep from 0 to 499, in 'a:b'. Use the form timestep:token",
    ),
    "run": ("nope", "no run"),
    "step": ("best", "training step cannot be used: 'best' is not a valid step"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_link_gets_a_sentence_and_the_default_stands_in(
    open_page: OpenPage, said: Text, link: Link, key: str
) -> None:
    value, sentence = WRONG[key]
    app = open_page("unrolled", **{key: value})
    assert not app.exception
    assert sentence in said(app)
    assert key not in link(app)
    assert picture(app)["length"] > 1


def test_a_drill_down_that_there_is_not_is_named(open_page: OpenPage, said: Text, link: Link) -> None:
    app = open_page("unrolled", look="inside")
    assert "There is no view 'inside': choose one of arithmetic, cell, " in said(app)
    assert "“Arithmetic” is shown instead." in said(app)
    assert "look" not in link(app)


NEAREST = {
    "step": ("300", "has no saved weights at step 300", "375"),
    "t": ("400", "There is no timestep 401 (t=400 in links, which count from 0): the input text has 27", "26"),
    "layer": ("3", "There is no layer 4 (layer=3 in links, which count from 0)", "0"),
    "unit": ("199", "There is no unit 200 (unit=199 in links, which count from 0)", "159"),
    "of": ("26", "There is no loss at t = 27 (of=26 in links, which count from 0), as its next token is unknown", "25"),
}


@pytest.mark.parametrize("key", NEAREST)
def test_what_does_not_exist_is_said_and_the_nearest_stands_in(
    open_page: OpenPage, read: Text, said: Text, link: Link, key: str
) -> None:
    value, sentence, nearest = NEAREST[key]
    app = open_page("unrolled", run="tales-gru", probe=PROBE, **{key: value})
    assert not app.exception
    assert sentence in read(app) + said(app)
    assert link(app)[key] == nearest


ELSEWHERE = {
    "changes": (
        "forget:0:2:1:0",
        "at t = 3 (changes=forget:0:2:1:0 in links, which count from 0) is ignored: the cell "
        "GRU has no forget (it has update, reset, candidate, hidden)",
    ),
    "tokens": ("4:5000", "the vocabulary has"),
    "quantity": ("cell", "has no cell (it has update, reset, candidate, hidden)"),
    "block": ("forget", "has no block 'forget' (it has reset, keep, candidate)"),
    "element": (
        "180:2",
        "There is no weight 181, 3 (element=180:2 in links, which count from 0) here: the nearest is 160, 3",
    ),
}


@pytest.mark.parametrize("key", ELSEWHERE)
def test_a_link_made_for_another_network_is_answered_with_a_sentence(open_page: OpenPage, read: Text, key: str) -> None:
    value, sentence = ELSEWHERE[key]
    app = open_page("unrolled", run="tales-gru", look="shares", **{key: value})
    assert not app.exception
    assert sentence in read(app)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("hidden:3:0:0:0", "there is no layer 4; the last is 1"),
     ("hidden:0:300:0:0", "there is no timestep 301; the last is 27"),
     ("hidden:0:0:160:0", "there is no unit 161; the last is 160")],
)  # fmt: skip
def test_a_change_at_a_place_that_is_not_there_is_left_out(
    open_page: OpenPage, read: Text, link: Link, change: str, sentence: str
) -> None:
    app = open_page("unrolled", probe=PROBE, changes=f"{change},hidden:0:1:1:0")
    assert sentence in read(app)
    assert link(app)["changes"] == "hidden:0:1:1:0"


def test_where_a_page_counts_as_links_do_a_place_is_written_once(open_page: OpenPage, read: Text) -> None:
    app = open_page("unrolled", probe=PROBE, notation="pytorch", t="400", changes="hidden:0:300:0:0")
    assert "There is no timestep 400: the input text has 27 characters. Timestep 26 is the nearest." in read(app)
    assert "The change of hidden at t = 300 is ignored: there is no timestep 300; the last is 26." in read(app)
    assert "in links" not in read(app)


def test_of_a_setting_given_twice_the_last_counts_whatever_else_is_given_twice(
    open_page: OpenPage, said: Text, link: Link
) -> None:
    app = open_page("unrolled", probe=PROBE, t=["3", "5"], of=["2", "7"])
    assert "The link gives the timestep 2 times ('3', '5'): the last, '5', is used." in said(app)
    assert "The link gives the loss to backpropagate 2 times ('2', '7'): the last, '7', is used." in said(app)
    assert {"t": "5", "of": "7"}.items() <= link(app).items()
    assert picture(app)["gradient"]["of"] == 7


def test_a_model_without_biases_says_so(open_page: OpenPage, read: Text) -> None:
    app = open_page("unrolled", run="hello-rnn", look="shares", weight="bias")
    assert not app.exception
    assert "This model has no biases: the recurrent weights are shown" in read(app)


def test_the_sentence_stands_until_something_else_is_chosen(open_page: OpenPage, read: Text) -> None:
    app = open_page("unrolled", probe=PROBE, of="26")
    assert "There is no loss" in read(app)
    assert "There is no loss" in read(app.run())
    app = widget(app, "button_group", "look").set_value("shares").run()
    assert "There is no loss" not in read(app)
