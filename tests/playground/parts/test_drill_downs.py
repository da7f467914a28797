"""The drill-downs of a page: which are offered, and what is said of one that does not fit."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _script() -> None:
    from dataclasses import dataclass

    import streamlit as st

    from playground import state
    from playground.parts import drill_downs
    from playground.parts.drill_downs import DrillDown
    from playground.state import PageSettings, fields
    from playground.state.fields import setting

    @dataclass(frozen=True)
    class Settings:
        look: str = setting("letters", fields.name("name of a drill-down"), "drill-down")

    def no_digits(shown: str) -> str:
        return "" if any(map(str.isdigit, shown)) else f"There is no digit in {shown}."

    listed = (
        DrillDown("letters", "Its letters", lambda shown: st.text(f"letters of {shown}")),
        DrillDown("digits", "Its digits", lambda shown: st.text(f"digits of {shown}"), why_not=no_digits),
    )
    settings, shown = PageSettings("page", Settings()), st.session_state["shows"]
    settings.from_link()
    drill_downs.selector(listed, shown, settings)
    drill_downs.resolve(listed, shown, settings).panel(shown)
    for sentence in state.take_problems():
        st.warning(sentence)


def _opened(shows: str, **given: str) -> AppTest:
    app = AppTest.from_function(_script)
    app.session_state["shows"] = shows
    app.query_params.update(given)
    app.run()
    assert not app.exception
    return app


def _seen(app: AppTest) -> tuple[list[str], str, list[str]]:
    """What is offered, what is drawn, and what is said."""
    return app.button_group[0].options, app.text[0].value, [box.value for box in app.warning]


def test_one_is_drawn_and_all_that_fit_are_offered() -> None:
    app = _opened("a1")
    assert _seen(app) == (["Its letters", "Its digits"], "letters of a1", [])
    app.button_group[0].set_value("digits").run()
    assert app.text[0].value == "digits of a1"
    assert app.query_params["look"] in ("digits", ["digits"])


def test_one_that_does_not_fit_is_not_offered() -> None:
    assert _seen(_opened("ab")) == (["Its letters"], "letters of ab", [])


def test_one_that_the_link_names_and_does_not_fit_says_why() -> None:
    app = _opened("ab", look="digits")
    said = "There is no digit in ab. “Its letters” is shown instead."
    assert _seen(app) == (["Its letters"], "letters of ab", [said])
    assert "look" not in app.query_params


def test_one_that_there_is_not_is_named_with_those_that_there_are() -> None:
    app = _opened("a1", look="signs")
    said = "There is no view 'signs': choose one of letters, digits. “Its letters” is shown instead."
    assert _seen(app) == (["Its letters", "Its digits"], "letters of a1", [said])


def test_one_that_fits_no_longer_gives_way() -> None:
    app = _opened("a1", look="digits")
    app.session_state["shows"] = "ab"
    app.run()
    said = "There is no digit in ab. “Its letters” is shown instead."
    assert _seen(app) == (["Its letters"], "letters of ab", [said])
