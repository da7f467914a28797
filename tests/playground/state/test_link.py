"""The page's address: written at once, with what is not ours left alone; what is stale is nobody's choice."""

from __future__ import annotations

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest

from playground.state import link


def _script() -> None:
    import streamlit as st

    from playground.state import link

    link.put(st.session_state["values"])
    if "more" in st.session_state:
        with link.one_change():
            link.put(st.session_state["more"])
            with link.one_change():
                link.put({"last": "1"})
    st.session_state["stale"] = [text for text in ("1", "2", "3") if link.stale("t", text)]


def _app(**given: str) -> AppTest:
    app = AppTest.from_function(_script)
    for key, value in given.items():
        app.query_params[key] = value
    return app


def _put(app: AppTest, **values: str | None) -> dict[str, str]:
    app.session_state["values"] = values
    app.run()
    assert not app.exception
    given = {key: app.query_params[key] for key in app.query_params}
    return {key: value[-1] if isinstance(value, list) else value for key, value in given.items()}


def test_what_is_not_ours_stays_and_none_takes_a_key_out() -> None:
    app = _app(embed="true", other="x", t="1")
    assert _put(app, t=None, unit="3") == {"embed": "true", "other": "x", "unit": "3"}


def test_many_keys_are_one_change_of_the_address_and_none_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    send = QueryParams._send_query_param_msg
    monkeypatch.setattr(QueryParams, "_send_query_param_msg", lambda self: (sent.append(1), send(self)))
    app = _app(run="a")
    _put(app, run="b", t="1", unit="2", step=None)
    assert len(sent) == 1
    _put(app, run="b", t="1", unit="2", step=None)
    assert len(sent) == 1


def test_what_is_put_within_one_change_is_one_place_in_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    send = QueryParams._send_query_param_msg
    monkeypatch.setattr(QueryParams, "_send_query_param_msg", lambda self: (sent.append(1), send(self)))
    app = _app(run="a", t="1")
    app.session_state["more"] = {"t": None, "look": "cell"}
    assert _put(app, run="a") == {"run": "a", "look": "cell", "last": "1"}
    assert len(sent) == 1
    assert app.session_state["stale"] == ["1"]
    _put(app, t=None)
    assert len(sent) == 1, "nothing has changed"


def test_a_key_that_stands_there_twice_stands_there_once_afterwards() -> None:
    app = _app()
    app.query_params["t"] = ["3", "5"]
    app.query_params["other"] = ["x", "y"]
    _put(app, t="5")
    assert app.query_params["t"] == "5"
    assert app.query_params["other"] == ["x", "y"], "what is not ours is left alone"
    assert app.session_state["stale"] == ["3"]


def test_what_was_replaced_a_moment_ago_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    app = _app(t="1")
    _put(app, t="2")
    _put(app, t="3")
    assert app.session_state["stale"] == ["1", "2"]
    _put(app, t="1")
    assert app.session_state["stale"] == ["2", "3"], "what stands there now is not stale"
    monkeypatch.setattr(link, "STALE_SECONDS", 0.0)
    _put(app, t="1")
    assert app.session_state["stale"] == []


def test_a_link_that_is_empty_only_on_the_way_to_another_is_not_left_bare_by_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def script() -> None:
        import streamlit as st

        from playground.state import link

        link.complete({"run": "a"})
        with link.one_change():
            link.put({"run": None})
            link.put({"run": "b"})
        st.query_params.clear()  # as when Back leads to the address by which the navigation opened the page
        st.session_state["stays bare"] = link.stays_bare()

    monkeypatch.setattr(link, "went_back", lambda: True)
    app = AppTest.from_function(script).run()
    assert not app.exception
    assert app.session_state["stays bare"], "it is on the way to the page before"
