"""The frame around every page: navigation, the selection in the sidebar, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from playground import state
from playground.components.copy_link import copy_link
from playground.frame import navigation, presenter, services, visitor
from playground.notation import NOTATIONS
from playground.runs.executor import ExecutorError
from playground.runs.records import Run, StoreError
from playground.text import escape_markdown, shorten, visible

_LISTED_RUNS = 20
"""The newest; the page Runs has them all."""


@contextmanager
def around(page: StreamlitPage) -> Iterator[None]:
    """What stands around a page: the shared services are running, the sidebar shows the selection.

    The page is drawn first, so that the browser has its picture before it makes the sidebar's controls.
    """
    presenter.lay_out()
    visitor.remember()
    services.tidy_memory()
    _start_trainer()
    runs = _listed()
    with st.sidebar:
        controls = st.container()
    problems = st.container(key="problems")  # always there, so that what follows keeps its place
    if not navigation.inside(page):
        presenter.present()
    try:
        yield
    except StoreError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
    with controls:
        _choose_run(runs, elsewhere=page.url_path != "runs")
        _choose_notation()
        copy_link(key="frame.copy_link")
    with problems:  # last, because the page reads a part of the link itself
        _say_problems()


def _start_trainer() -> None:
    """Have the trainer ready before anybody presses Train."""
    try:
        services.executor().submit(())
    except ExecutorError as error:
        state.note_problem(str(error))


def _listed() -> dict[str, Run]:
    """The newest runs by their ids, and the chosen one. One that does not exist is chosen no longer, which is said."""
    selection = state.current()
    runs = services.listed_runs(_LISTED_RUNS)
    if selection.run and selection.run not in runs:
        try:
            runs[selection.run] = services.store().run(selection.run)
        except StoreError as error:
            state.note_problem(f"{error} The first starter run is shown instead.")
            state.select(run="")
    return runs


def _choose_run(runs: dict[str, Run], *, elsewhere: bool) -> None:
    if not runs:
        return
    starter = next((run.id for run in runs.values() if run.starter), next(iter(runs)))
    chosen = state.current().run
    shown = chosen if chosen in runs else starter
    key = state.labelled(_key("run", shown), in_list(runs[shown]))
    st.selectbox(
        "Run",
        [*runs],
        [*runs].index(shown),
        format_func=lambda run_id: in_list(runs[run_id]),
        key=key,
        on_change=state.choose,
        args=("run", key, shown),
        help="The run that every page shows; ★ marks starter runs. The choice is part of the link.",
    )
    if elsewhere:
        navigation.link("runs", "All runs")


def _key(name: str, shown: str) -> str:
    return f"frame.{name}.{shown}"  # see `state.choose`


def in_list(run: Run) -> str:
    """A run's label. Streamlit knows an option by its label alone: no two may be the same; see `state.labelled`."""
    name = shorten(visible(run.name), 40)
    return f"★ {name}" if run.starter else f"{name} · {run.id[:6]}"


def _choose_notation() -> None:
    shown = state.current().notation
    st.selectbox(
        "Notation",
        [*NOTATIONS],
        [*NOTATIONS].index(shown),
        format_func=lambda name: NOTATIONS[name],
        key=_key("notation", shown),
        on_change=state.choose,
        args=("notation", _key("notation", shown), shown),
        help="How quantities and equations are named: choose the notation of your course.",
    )


def _say_problems() -> None:
    trouble = services.reader().trouble()
    if trouble:
        st.error(escape_markdown(trouble), icon=":material/hard_drive:")
    for sentence in state.take_problems():
        st.warning(escape_markdown(sentence), icon=":material/warning:")
