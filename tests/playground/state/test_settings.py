"""The settings of a page: what the link says, what the browser's Back brings back, and what widgets change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

from playground.state import PageSettings, fields, labelled, link
from playground.state.fields import Kind, setting


@dataclass(frozen=True)
class Sizes:
    """Settings of a page that does not exist."""

    count: int = setting(3, fields.whole("count", 1, 9), "count")
    loud: bool = setting(False, fields.flag(), "loudness", "quiet")
    note: str = setting("", fields.text(12, 4), "note", "none")
    pairs: tuple = setting(
        (),
        fields.several(fields.group("row:share", fields.whole("row", 0, 9), fields.number("share", 0, 1)), 2, by=str),
        "pairs",
        "none",
    )


PAGE = PageSettings("sizes", Sizes(), restart={"count": ("pairs",)})


def _script() -> None:
    import streamlit as st

    from playground import state

    page = st.session_state["page"]
    page.from_link()
    if "act" in st.session_state:
        st.session_state.pop("act")(page)
    st.session_state["shown"], st.session_state["notes"] = page.current(), page.notes()
    for sentence in state.take_problems():
        st.warning(sentence)


@pytest.fixture
def app() -> AppTest:
    app = AppTest.from_function(_script)
    app.session_state["page"] = PAGE
    return app


def _run(app: AppTest, act: Callable[[PageSettings], object] | None = None) -> Sizes:
    if act is not None:
        app.session_state["act"] = act
    app.run()
    assert not app.exception
    return app.session_state["shown"]


def _link(app: AppTest) -> dict[str, str]:
    given = {key: app.query_params[key] for key in app.query_params}
    return {key: value[-1] if isinstance(value, list) else value for key, value in given.items()}


def _said(app: AppTest) -> list[str]:
    return [box.value for box in app.warning]


def test_a_link_is_read_and_what_it_does_not_say_stays(app: AppTest) -> None:
    app.query_params.update({"loud": "True", "pairs": "1:0.5,2:1"})
    assert _run(app) == Sizes(loud=True, pairs=((1, 0.5), (2, 1.0)))
    app.query_params.clear()
    app.query_params["count"] = "5"
    assert _run(app) == Sizes(count=5, loud=True, pairs=((1, 0.5), (2, 1.0)))
    assert _link(app) == {"count": "5", "loud": "1", "pairs": "1:0.5,2:1"}, "what older links call True is written 1"


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("count", "x", "The link's count cannot be used: 'x' is not a count from 1 to 9. Used instead: '5'."),
        ("loud", "yes", "The link's loudness cannot be used: 'yes' is neither 1 nor 0. Used instead: quiet."),
        (
            "note",
            "0123456789abcdef",
            "The link's note cannot be used: it has 16 characters; only the first 12 are read. Used "
            "instead: '0123456789ab'.",
        ),
        (
            "pairs",
            "1:2",
            "The link's pairs cannot be used: '2' is not a share from 0 to 1, in '1:2'. Use the form row:share, "
            "positions counted from 0, separated by commas. Used instead: none.",
        ),
    ],
)
def test_what_cannot_be_is_said_and_so_is_what_stands_in_its_place(
    app: AppTest, key: str, text: str, said: str
) -> None:
    _run(app, lambda page: page.change(count=5))
    app.query_params[key] = text
    shown = _run(app)
    assert shown == Sizes(count=5, note="0123456789ab" if key == "note" else "")
    assert _said(app) == [said]
    assert _link(app) == {"count": "5"}


def test_back_brings_back_all_that_a_link_can_say(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(app, lambda page: page.change(count=5))
    _run(app, lambda page: page.change(count=6, loud=True, note="too long"))
    monkeypatch.setattr(link, "went_back", lambda: True)
    app.query_params.clear()
    app.query_params["count"] = "5"
    shown = _run(app)
    assert (shown.count, shown.loud) == (5, False)
    assert shown.note == "too long", "what stands in no link is none of its business"
    app.query_params.clear()
    assert _run(app).count == 3


def test_what_the_browser_still_sends_of_an_older_link_is_nobodys_choice(app: AppTest) -> None:
    for count in (4, 5):
        _run(app, lambda page, count=count: page.change(count=count))
    app.query_params["count"] = "4"
    assert _run(app).count == 5
    app.query_params["count"] = "7"
    assert _run(app).count == 7


def test_a_widget_of_an_old_key_is_heard_no_more(app: AppTest) -> None:
    import streamlit as st

    def heard(page: PageSettings, renew: bool) -> None:
        widget = page.widget("count")
        st.session_state[widget["key"]] = 8
        page.change(renew=renew, loud=True)
        widget["on_change"](*widget["args"])

    assert _run(app, lambda page: heard(page, True)).count == 3
    assert _run(app, lambda page: heard(page, False)).count == 8


def test_what_depends_on_a_setting_starts_over_and_its_widgets_are_made_anew(app: AppTest) -> None:
    import streamlit as st

    keys = []

    def choose(page: PageSettings) -> None:
        widget = page.widget("count")
        st.session_state[widget["key"]] = page.current().count + 1
        widget["on_change"](*widget["args"])
        keys.append((widget["key"], page.key("count")))

    app.query_params["pairs"] = "1:1"
    assert _run(app, choose) == Sizes(count=4)
    assert _run(app, choose) == Sizes(count=5)
    assert [before == after for before, after in keys] == [False, True]


def test_a_correction_is_noted_until_something_else_is_chosen(app: AppTest) -> None:
    _run(app, lambda page: page.change(count=9))
    _run(app, lambda page: page.correct("There are 7 at most.", count=7))
    _run(app, lambda page: page.correct("It is loud here.", loud=True))
    assert app.session_state["shown"] == Sizes(count=7, loud=True)
    assert app.session_state["notes"] == ("There are 7 at most.", "It is loud here.")
    _run(app, lambda page: page.change(count=6))
    assert app.session_state["notes"] == ()


def test_the_address_by_which_the_navigation_opens_a_page_is_left_bare_on_the_way_back(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(app, lambda page: page.change(count=5))
    app.query_params.clear()
    _run(app)
    assert _link(app) == {"count": "5"}
    monkeypatch.setattr(link, "went_back", lambda: True)
    app.query_params.clear()
    assert _run(app).count == 5
    assert _link(app) == {}, "a link that were completed again would send the visitor forth again"
    monkeypatch.setattr(link, "went_back", lambda: False)
    _run(app, lambda page: page.change(loud=True))
    assert _link(app) == {"count": "5", "loud": "1"}


def test_an_address_that_was_made_bare_by_choice_is_a_view_as_any_other(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(app, lambda page: page.change(count=5))
    app.query_params.clear()
    _run(app)
    _run(app, lambda page: page.change(count=3))
    assert _link(app) == {}
    _run(app, lambda page: page.change(count=6))
    monkeypatch.setattr(link, "went_back", lambda: True)
    app.query_params.clear()
    assert _run(app).count == 3


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (fields.whole("count", 1, 9), "٣"),
        (fields.whole("count", 1, 9), "0"),
        (fields.whole("count", 1, 9), "9" * 5_000),
        (fields.number("share", 0, 1), "nan"),
        (fields.number("share", 0, 1), "inf"),
        (fields.name("name"), "a b"),
        (fields.name("name"), ""),
        (fields.name("name"), "a\n"),
        (fields.choice("a", "b"), "c"),
        (fields.flag(), "true"),
    ],
)
def test_what_is_none_of_its_kind_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"\bis n"):
        kind.parse(text)


def test_a_setting_can_be_what_a_link_could_give() -> None:
    assert PAGE.can_be("count", 9)
    assert PAGE.can_be("note", "longer than it is linked")
    assert not PAGE.can_be("count", 10)
    assert not PAGE.can_be("count", "LSTM on Tales")


def test_a_widget_has_another_key_with_another_label() -> None:
    assert labelled("run", "Before") == labelled("run", "Before")
    assert labelled("run", "Before") != labelled("run", "After")
    assert labelled("run", "a", "b") != labelled("run", "ab")
    assert labelled("run", "half a pair \ud800").startswith("run.")
