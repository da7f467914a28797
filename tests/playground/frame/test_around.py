"""The frame around every page: the list of runs, the notation, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from engine.config import Config
from playground.frame import services
from playground.notation import NOTATIONS
from playground.runs.executor import ExecutorError
from playground.runs.store.starter_files import ORDER

OpenPage = Callable[..., AppTest]


def _sidebar(app: AppTest, label: str) -> Selectbox:
    return next(box for box in app.sidebar.selectbox if box.label == label)


def _runs(app: AppTest) -> list[str]:
    return list(_sidebar(app, "Run").options)


def test_the_starter_runs_are_in_the_list(open_page: OpenPage) -> None:
    assert len(_runs(open_page())) == len(ORDER)


def test_runs_of_one_name_stay_apart(open_page: OpenPage) -> None:
    """Streamlit knows an option by its label: with one label for two runs, a visitor would end up in another's."""
    ids = [services.store().create_run(Config(), name="First words") for _ in range(5)]
    for run in ids:
        app = open_page("train", run=run)
        labels = _runs(app)
        assert len(set(labels)) == len(labels)
        app.run()
        assert app.session_state["selection"].run == run


def test_a_label_does_not_change_while_its_run_does(open_page: OpenPage) -> None:
    run = services.store().create_run(Config(), name="First words")
    before = _runs(open_page("train", run=run))
    services.store().command(run, "stop")
    assert _runs(open_page("train", run=run)) == before


def test_what_the_browser_goes_on_sending_of_a_renamed_run_chooses_nothing(open_page: OpenPage) -> None:
    """Its list still stands at the old name, which is the label of no run any more."""
    run = services.store().create_run(Config(), name="Before")
    app = open_page("train", run=run)
    before = _sidebar(app, "Run").key
    services.store().rename(run, "After")
    app.run()
    assert _sidebar(app, "Run").key != before, "another widget, of which the browser has no old name"
    assert app.session_state["selection"].run == run
    _sidebar(app, "Notation").set_value("cs231n").run()
    assert app.session_state["selection"].run == run
    assert app.query_params["run"] in (run, [run])


def test_a_choice_in_the_list_is_what_the_page_shows(open_page: OpenPage) -> None:
    app = open_page("train")
    _sidebar(app, "Run").set_value("tales-rnn").run()
    assert not app.exception
    assert app.session_state["selection"].run == "tales-rnn"


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_notation_is_chosen_for_all_pages(open_page: OpenPage, notation: str) -> None:
    app = open_page("train")
    _sidebar(app, "Notation").set_value(notation).run()
    assert not app.exception
    app.switch_page("../pages/home.py").run()
    assert app.session_state["selection"].notation == notation


def test_a_name_is_never_taken_for_markup(open_page: OpenPage) -> None:
    services.store().create_run(Config(), name="<img src=x> $x$ :red[no] **bold**")
    assert any("<img src=x> $x$ :red[no] **bold**" in label for label in _runs(open_page()))


def test_a_trainer_that_cannot_start_is_said_and_the_page_still_opens(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ExecutorError("The trainer cannot be started.")

    monkeypatch.setattr(services.executor(), "submit", broken)
    app = open_page("train")
    assert not app.exception
    assert "trainer cannot be started" in app.warning[0].value
    app.button(key="train").click().run()
    assert not app.exception
