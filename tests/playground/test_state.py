"""The one selection: in the session and in the link, never quietly replaced."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground import state


def _script() -> None:
    import streamlit as st

    from playground import state

    selection = state.current()
    if "pick" in st.session_state:
        selection = state.select(**st.session_state.pop("pick"))
    st.json({"run": selection.run, "notation": selection.notation, "unit": selection.unit, "x": selection.x})
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
    assert _shown(app) == {"run": "", "notation": "ng", "unit": "nats", "x": "step"}
    assert _link(app) == {}


def test_the_link_is_the_selection(app: AppTest) -> None:
    app.query_params["run"] = "tales-gru"
    app.query_params["unit"] = "bits"
    app.run()
    assert _shown(app) == {"run": "tales-gru", "notation": "ng", "unit": "bits", "x": "step"}
    assert not app.warning


def test_a_choice_goes_into_the_link_and_a_default_out_of_it(app: AppTest) -> None:
    app.session_state["pick"] = {"run": "tales-rnn", "x": "seconds"}
    app.run()
    assert _link(app) == {"run": "tales-rnn", "x": "seconds"}
    app.session_state["pick"] = {"x": "step"}
    app.run()
    assert _link(app) == {"run": "tales-rnn"}


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
        ("unit", "furlongs", "unit of the loss 'furlongs' cannot be shown: choose one of nats, bits, perplexity"),
        ("x", "", "horizontal axis '' cannot be shown"),
        ("notation", "<b>", "notation '<b>' cannot be shown"),
        ("run", "../../etc", "an id has at most 64 letters"),
        ("run", "x" * 65, "an id has at most 64 letters"),
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
    monkeypatch.setattr(state, "SAID_SECONDS", 0.0)
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
    st.json({"run": selection.run, "notation": selection.notation, "unit": selection.unit, "x": selection.x})


def test_a_widget_that_is_heard_of_once_more_after_it_went_is_nobodys_choice(own_environment: None) -> None:
    app = AppTest.from_function(_choosing_script)
    app.query_params["notation"] = "pytorch"
    app.session_state["heard"] = "ng"
    app.run()
    assert _shown(app)["notation"] == "pytorch"
    app.session_state["heard"] = "cs231n"
    app.run()
    assert _shown(app)["notation"] == "cs231n"
