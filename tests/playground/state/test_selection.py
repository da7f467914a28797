"""The one selection: in the session and in the link, never quietly replaced."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground import state
from playground.state import Selection, link, problems
from playground.state.fields import LARGEST, NearestError, quoted
from playground.state.selection import SELECTION


def _script() -> None:
    import streamlit as st

    from playground import state

    selection = state.current()
    if "pick" in st.session_state:
        selection = state.select(**st.session_state.pop("pick"))
    st.session_state["shown"] = selection
    st.json({"run": selection.run, "notation": selection.notation, "loss": selection.loss, "x": selection.x})
    for sentence in state.take_problems():
        st.warning(sentence)


def _shown(app: AppTest) -> dict[str, str]:
    import json

    return json.loads(app.json[0].value)


def _link(app: AppTest) -> dict[str, str]:
    given = {key: app.query_params[key] for key in app.query_params}
    return {key: value[-1] if isinstance(value, list) else value for key, value in given.items()}


@pytest.fixture
def app(own_environment: None) -> AppTest:
    return AppTest.from_function(_script)


def test_at_first_nothing_is_selected_and_the_link_is_bare(app: AppTest) -> None:
    app.run()
    assert _shown(app) == {"run": "", "notation": "ng", "loss": "bits", "x": "step"}
    assert _link(app) == {}


def test_the_link_is_the_selection(app: AppTest) -> None:
    app.query_params["run"] = "tales-gru"
    app.query_params["loss"] = "nats"
    app.run()
    assert _shown(app) == {"run": "tales-gru", "notation": "ng", "loss": "nats", "x": "step"}
    assert not app.warning


def test_a_choice_goes_into_the_link_and_a_default_out_of_it(app: AppTest) -> None:
    app.session_state["pick"] = {"run": "tales-rnn", "x": "seconds"}
    app.run()
    assert _link(app) == {"run": "tales-rnn", "x": "seconds"}
    app.session_state["pick"] = {"x": "step"}
    app.run()
    assert _link(app) == {"run": "tales-rnn"}


def test_of_a_key_given_twice_the_last_counts_and_that_is_said(app: AppTest) -> None:
    app.query_params["x"] = ["step", "seconds"]
    app.query_params["loss"] = ["nats", "nats"]
    app.run()
    assert _shown(app) == {"run": "", "notation": "ng", "loss": "nats", "x": "seconds"}
    said = "The link gives the horizontal axis 2 times ('step', 'seconds'): the last, 'seconds', is used."
    assert [box.value for box in app.warning] == [said]
    assert {key: app.query_params[key] for key in app.query_params} == {"x": "seconds", "loss": "nats"}


def test_the_selection_outlives_a_link_without_it(app: AppTest) -> None:
    """Navigation to another page takes the keys out of the link."""
    app.query_params["run"] = "tales-gru"
    app.run()
    app.query_params.clear()
    app.run()
    assert _shown(app)["run"] == "tales-gru"
    assert _link(app) == {"run": "tales-gru"}


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "loss",
            "furlongs",
            "unit of the loss cannot be used: 'furlongs' is not one of bits, nats, perplexity. Used instead: bits.",
        ),
        ("x", "", "horizontal axis cannot be used: '' is not one of step, seconds"),
        ("notation", "<b>", "notation cannot be used: '<b>' is not one of ng,"),
        ("run", "../../etc", "'../../etc' is not a valid run id (at most 64 letters, digits and dashes)"),
        ("run", "x" * 65, "Used instead: the first starter run."),
    ],
)
def test_a_value_that_cannot_be_is_said_for_a_moment_and_leaves_the_link(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, key: str, value: str, sentence: str
) -> None:
    app.query_params[key] = value
    app.run()
    assert sentence in app.warning[0].value
    assert key not in _link(app)
    assert sentence in app.run().warning[0].value, "a page that runs itself again at once has not been read yet"
    monkeypatch.setattr(problems, "SHOWN_SECONDS", 0.0)
    app.run()
    assert not app.run().warning


def test_a_key_that_is_not_ours_stays(app: AppTest) -> None:
    app.query_params["embed"] = "true"
    app.run()
    assert _link(app) == {"embed": "true"}


def _choosing_script() -> None:
    import streamlit as st

    from playground import state

    state.current()
    if "heard" in st.session_state:  # as a callback hears of the widget "box", drawn with "ng"
        st.session_state["box"] = st.session_state.pop("heard")
        state.choose("notation", "box", "ng")
    selection = state.current()
    st.json({"run": selection.run, "notation": selection.notation, "loss": selection.loss, "x": selection.x})


def test_a_widget_that_is_heard_of_once_more_after_it_went_is_nobodys_choice(own_environment: None) -> None:
    app = AppTest.from_function(_choosing_script)
    app.query_params["notation"] = "pytorch"
    app.session_state["heard"] = "ng"
    app.run()
    assert _shown(app)["notation"] == "pytorch"
    app.session_state["heard"] = "cs231n"
    app.run()
    assert _shown(app)["notation"] == "cs231n"


# ---------------------------------------------------------------------- places in a run


CHOICES: dict[str, list[Any]] = {
    "run": ["tales-gru"],
    "step": [0, 1_250],
    "notation": ["cs231n", "pytorch", "plain"],
    "loss": ["nats", "perplexity"],
    "x": ["seconds"],
    "compare": ["tales-lstm,tales-gru", "a,b,c,d"],
    "probe": [
        "hello",
        " two  spaces ",
        "line\nend\tand é☃ 👩‍🚀",
        "<b>:red[$x$]</b>",
        "a&b=c#d?e+f%20g",
        "x" * 500,
        "-1",
    ],
    "context": ["Once upon a time", "\n", "y" * 500],
    "t": [0, 499],
    "layer": [0, 3],
    "unit": [1, 255],
    "present": [True],
}


@pytest.mark.parametrize("item", fields(Selection), ids=lambda item: item.name)
def test_every_choice_goes_by_the_link_into_another_browser(app: AppTest, item: Field) -> None:
    for value in CHOICES[item.name]:
        app.session_state["pick"] = {item.name: value}
        app.run()
        other = AppTest.from_function(_script)
        for key, text in _link(app).items():
            other.query_params[key] = text
        other.run()
        assert not other.warning
        assert other.session_state["shown"] == app.session_state["shown"]
        assert getattr(other.session_state["shown"], item.name) == value
        assert _link(other) == _link(app)


@pytest.mark.parametrize("item", fields(Selection), ids=lambda item: item.name)
def test_a_default_leaves_the_link(app: AppTest, item: Field) -> None:
    app.session_state["pick"] = {item.name: CHOICES[item.name][0]}
    app.run()
    assert item.name in _link(app)
    app.session_state["pick"] = {item.name: item.default}
    app.run()
    assert item.name not in _link(app)


NO_NUMBERS = [
    "",
    "x",
    "1.5",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e3",
    "0x3",
    "٣",
    "²",
    "１",
    " 1",
    "1 ",
    "+1",
    "--1",
    "-",
    "1_0",
]


@pytest.mark.parametrize("key", ["step", "t", "layer", "unit"])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_whole_number_is_refused(key: str, value: str) -> None:
    kind = Selection.__dataclass_fields__[key].metadata["kind"]
    with pytest.raises(ValueError, match="give a whole number of 0 or more") as refused:
        kind.parse(value)
    assert not isinstance(refused.value, NearestError)


@pytest.mark.parametrize(
    ("key", "value", "nearest"),
    [
        ("step", "-2", 0),
        ("t", "-2", 0),
        ("layer", "-9", 0),
        ("unit", "-2", 0),
        ("t", "-" + "9" * 5_000, 0),
        ("step", "9" * 13, LARGEST),
        ("t", "9" * 5_000, LARGEST),
        ("layer", "9" * 13, LARGEST),
        ("unit", "9" * 13, LARGEST),
        ("probe", "ab" * 251, "ab" * 250),
        ("context", "a" * 2_001, "a" * 2_000),
    ],
)
def test_beyond_a_limit_the_nearest_stands_in_and_is_said(app: AppTest, key: str, value: str, nearest: Any) -> None:
    app.query_params[key] = value
    app.run()
    assert getattr(app.session_state["shown"], key) == nearest
    stands = nearest if nearest == getattr(Selection(), key) else quoted(str(nearest))
    assert app.warning[0].value.endswith(f" Used instead: {stands}.")
    assert _link(app).get(key) == SELECTION.in_link(Selection(**{key: nearest}), key)


def test_presenter_mode_is_on_or_off(app: AppTest) -> None:
    app.query_params["present"] = "yes"
    app.run()
    assert app.session_state["shown"].present is False
    assert "'yes' is neither 1 nor 0. Used instead: off." in app.warning[0].value


@pytest.mark.parametrize(("text", "on"), [("1", True), ("0", False), ("True", True), ("False", False)])
def test_flags_of_older_links_are_read(app: AppTest, text: str, on: bool) -> None:
    app.query_params["present"] = text
    app.run()
    assert app.session_state["shown"].present is on
    assert not app.warning
    assert _link(app) == ({"present": "1"} if on else {})


def test_a_context_too_long_for_the_link_stays_in_the_session(app: AppTest) -> None:
    app.session_state["pick"] = {"context": "short"}
    app.run()
    app.session_state["pick"] = {"context": "w" * (state.LINKED_CONTEXT + 1)}
    app.run()
    assert "context" not in _link(app)
    assert len(app.run().session_state["shown"].context) == state.LINKED_CONTEXT + 1


def test_another_run_is_looked_at_at_its_newest_step_and_at_the_same_place(app: AppTest) -> None:
    app.session_state["pick"] = {"run": "tales-lstm", "step": 250, "t": 3, "layer": 1, "unit": 5, "probe": "hello"}
    app.run()
    app.session_state["pick"] = {"run": "tales-gru"}
    shown = app.run().session_state["shown"]
    assert (shown.step, shown.t, shown.layer, shown.unit, shown.probe) == (state.NEWEST, 3, 1, 5, "hello")


def test_what_the_browser_still_sends_of_an_older_link_is_nobodys_choice(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys pressed quickly: each message of the browser carries the address of the moment in which it was sent."""
    for t in (1, 2, 3):
        app.session_state["pick"] = {"t": t}
        app.run()
    app.query_params["t"] = "1"
    assert app.run().session_state["shown"].t == 3
    assert _link(app)["t"] == "3"
    app.query_params["t"] = "7"
    assert app.run().session_state["shown"].t == 7, "what never stood there is a choice"
    monkeypatch.setattr(link, "STALE_SECONDS", 0.0)
    app.query_params["t"] = "1"
    assert app.run().session_state["shown"].t == 1, "and so is what stood there long ago"


def test_a_link_that_the_page_has_refused_is_not_refused_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "SHOWN_SECONDS", 0.0)
    app.query_params["t"] = "x"
    assert app.run().warning
    app.query_params["t"] = "x"
    assert not app.run().warning


def test_going_back_in_the_history_is_a_choice(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    for choice in ({"t": 1}, {"t": 2, "unit": 3, "context": "w" * 600}):
        app.session_state["pick"] = choice
        app.run()
    monkeypatch.setattr(link, "went_back", lambda: True)
    app.query_params.clear()
    app.query_params["t"] = "1"
    shown = app.run().session_state["shown"]
    assert (shown.t, shown.unit) == (1, state.NAMED), "what the older link does not say is as it is by default"
    assert shown.context == "w" * 600, "what stands in no link is none of its business"


def test_going_back_to_where_nothing_was_chosen_is_a_choice_too(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.run()
    app.session_state["pick"] = {"t": 1}
    app.run()
    monkeypatch.setattr(link, "went_back", lambda: True)
    app.query_params.clear()
    assert app.run().session_state["shown"] == Selection()


def test_the_way_back_to_another_page_is_not_barred(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The navigation opens a page by a link without the selection; the page completes it."""
    app.session_state["pick"] = {"t": 1}
    app.run()
    monkeypatch.setattr(link, "arrived", lambda: True)
    app.query_params.clear()
    app.run()
    assert _link(app) == {"t": "1"}
    monkeypatch.setattr(link, "arrived", lambda: False)
    monkeypatch.setattr(link, "went_back", lambda: True)
    app.query_params.clear()
    assert app.run().session_state["shown"].t == 1
    assert _link(app) == {}, "a link that were completed again would send the visitor forth again"
    monkeypatch.setattr(link, "went_back", lambda: False)
    assert app.run().session_state["shown"].t == 1
    assert _link(app) == {}
    app.session_state["pick"] = {"unit": 2}
    app.run()
    assert _link(app) == {"t": "1", "unit": "2"}
