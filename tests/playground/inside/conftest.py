"""An inside page to open, with models and traces of each test alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest


@pytest.fixture(autouse=True)
def own_caches(own_recordings: None) -> None:
    """Models and traces of each test alone."""


def _page() -> None:
    from types import SimpleNamespace

    import streamlit as st

    from playground import inside, state
    from playground.frame import around

    def draw(views: list[inside.View]) -> None:
        st.session_state["views"] = views

    state.current()
    if "pick" in st.session_state:  # as a component's callback chooses
        state.select(**st.session_state.pop("pick"))
    with around.around(SimpleNamespace(url_path="runs")):
        inside.frame(inside.Parts(claim=lambda views: f"{len(views)} views", draw=draw))


@pytest.fixture
def open_inside() -> Callable[..., AppTest]:
    """Opens an inside page that keeps its views in `app.session_state["views"]`, in a fresh session."""

    def opened(**link: str) -> AppTest:
        app = AppTest.from_function(_page, default_timeout=60)
        for key, value in link.items():
            app.query_params[key] = value
        return app.run()

    return opened
