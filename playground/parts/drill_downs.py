"""The drill-downs of a page, one at a time: what is not looked at is not computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from playground import state
from playground.parts.downloads import ChartFile
from playground.state import PageSettings
from playground.state.fields import quoted

T = TypeVar("T")


@dataclass(frozen=True)
class DrillDown(Generic[T]):
    """One thing to look closer at, on a page that shows a `T`.

    Attributes:
        name: what the link calls it, under the key `look`
        title: what the page calls it
        panel: draws it
        why_not: says in a sentence why it has nothing to show here; "" where it has. It may depend on the run, not on
            the place in it
        charts: those of its charts that can be downloaded
    """

    name: str
    title: str
    panel: Callable[[T], None]
    why_not: Callable[[T], str] = lambda shown: ""
    charts: Callable[[T], Sequence[ChartFile]] = lambda shown: ()


def resolve(drill_downs: Sequence[DrillDown[T]], shown: T, settings: PageSettings[Any]) -> DrillDown[T]:
    """The drill-down that the settings name under `look`; where it does not fit, the first that does, with a note.

    At least one must fit.
    """
    wanted = settings.current().look
    fitting = _fitting(drill_downs, shown)
    for drill_down in fitting:
        if drill_down.name == wanted:
            return drill_down
    instead = fitting[0]
    why = next((found.why_not(shown) for found in drill_downs if found.name == wanted), "")
    why = why or f"There is no view {quoted(wanted)}: choose one of {', '.join(found.name for found in fitting)}."
    state.note_problem(f"{why} “{instead.title}” is shown instead.")
    settings.change(look=instead.name)
    return instead


def selector(drill_downs: Sequence[DrillDown[T]], shown: T, settings: PageSettings[Any]) -> None:
    """The row of the drill-downs that fit."""
    titles = {found.name: found.title for found in _fitting(drill_downs, shown)}
    st.subheader("Look closer", anchor=False)
    st.segmented_control(
        "Look closer",
        list(titles),
        default=resolve(drill_downs, shown, settings).name,
        required=True,
        format_func=lambda name: titles[name],
        **settings.widget("look"),
        label_visibility="collapsed",
    )


def _fitting(drill_downs: Sequence[DrillDown[T]], shown: T) -> list[DrillDown[T]]:
    return [found for found in drill_downs if not found.why_not(shown)]
