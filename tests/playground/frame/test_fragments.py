"""Fragments stand where Streamlit cannot lose their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "playground" / "frame" / "fragments.py"


@pytest.mark.parametrize("folder", ["playground", "pages"])
def test_no_page_has_a_fragment_outside_a_container_of_its_own(folder: str) -> None:
    sources = [path for path in (ROOT / folder).rglob("*.py") if path != HOME]
    assert sources
    with_their_own = [str(path.relative_to(ROOT)) for path in sources if "st.fragment" in path.read_text("utf-8")]
    assert not with_their_own, "playground.frame.fragments.fragment() gives each a container"


def test_a_fragment_draws_in_its_container_and_fills_its_place_above() -> None:
    def script() -> None:
        import streamlit as st

        from playground.frame.fragments import fragment, place

        above = place("above")
        st.write("between")

        def body(number: int) -> None:
            above.subheader(f"first {number}")
            above.subheader(f"number {number}")
            st.write("inside")

        fragment(body, key="body", run_every=1.0)(7)
        st.write("below")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert [one.value for one in app.subheader] == ["number 7"], "one element has room there"
    assert [one.value for one in app.markdown] == ["between", "inside", "below"]


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "not stopped"])
def test_that_a_place_is_gone_is_an_error_unless_the_run_was_stopped_meanwhile(
    stopped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As when the page was asked for anew, and has taken back its places, while the fragment was running."""

    def script(stopped: bool) -> None:
        import streamlit as st
        from streamlit.errors import StreamlitInvalidLayoutContextError
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        from playground.frame.fragments import fragment

        def body() -> None:
            st.write("inside")
            if stopped:
                get_script_run_ctx().script_requests.request_stop()
            raise StreamlitInvalidLayoutContextError("There is no such place.")

        fragment(body, key="body")()

    app = AppTest.from_function(script, args=(stopped,)).run()
    assert len(app.exception) == (0 if stopped else 1)
    logged = [record for record in caplog.records if "Uncaught app execution" in record.message]
    assert len(logged) == (0 if stopped else 1)
