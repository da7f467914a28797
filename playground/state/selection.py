"""The one selection: what every page looks at, kept in the URL, so that the link is the view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from playground.charts.units import DEFAULT_UNIT, UNITS, X_TITLES
from playground.notation import NOTATIONS
from playground.state import fields, link
from playground.state.fields import Kind, setting
from playground.state.settings import PageSettings

LONGEST_PROBE = 500
"""Characters of a probe; all of them stand in the link."""

LONGEST_CONTEXT = 2_000
LINKED_CONTEXT = 500
"""Characters of a context, and of one that stands in the link; a longer one does not."""

NEWEST = -1
"""The step that stands for the newest weights a run has."""

LAST = -1
"""The timestep that stands for the probe's last, and the layer that stands for the top one."""

NAMED = -1
"""The unit that stands for the run's first unit with a name, or for the first of all."""

FEWEST_COMPARED, MOST_COMPARED = 2, 4

RUN = fields.name("run id")


def _compared(text: str) -> str:
    runs = [RUN.parse(part) for part in text.split(",")]
    if len(set(runs)) != len(runs) or not FEWEST_COMPARED <= len(runs) <= MOST_COMPARED:
        raise ValueError(f"{FEWEST_COMPARED} to {MOST_COMPARED} different runs can be compared")
    return text


@dataclass(frozen=True)
class Selection:
    """What is looked at. Field names are the keys in the URL; a field at its default is left out of it.

    Timesteps, layers and units count from 0, as in arrays. Whether the run has them, the page that shows them finds
    out: see `playground.inside`.
    """

    run: str = setting("", RUN, "run", "the first starter run")
    step: int = setting(NEWEST, fields.index("step", "newest"), "training step", "the newest")
    """of the checkpoint that is looked at"""
    notation: str = setting("ng", fields.choice(*NOTATIONS), "notation")
    loss: str = setting(DEFAULT_UNIT, fields.choice(*UNITS), "unit of the loss")
    x: str = setting("step", fields.choice(*X_TITLES), "horizontal axis")
    compare: str = setting("", Kind(_compared), "comparison", "none")
    """ids of the runs that are compared, with commas between them"""
    probe: str = setting("", fields.text(LONGEST_PROBE), "input text", "the run's own")
    """the text that is put through the checkpoint; empty for the run's own"""
    context: str = setting("", fields.text(LONGEST_CONTEXT, LINKED_CONTEXT), "preceding context", "none")
    """what is read before the probe"""
    t: int = setting(LAST, fields.index("timestep", "last"), "timestep", "the last")
    layer: int = setting(LAST, fields.index("layer", "top layer"), "layer", "the top layer")
    unit: int = setting(NAMED, fields.index("unit", "run's named unit"), "unit", "the run's named unit, or the first")
    present: bool = setting(False, fields.flag(), "presenter mode", "off")
    """larger type, no sidebar, keyboard only"""


SELECTION = PageSettings("selection", Selection())


def current() -> Selection:
    """The selection: from the URL where it says something, else as it was on the page before."""
    return SELECTION.from_link(arrived=link.arrived())


def select(**values: Any) -> Selection:
    """Change the selection, in the session and in the URL.

    Another run is looked at at its newest step. The probe and the place in it (timestep, layer, unit) stay, so that two
    runs can be held against each other; where the other run has no such place, the page that shows it says so.
    """
    before = SELECTION.current()
    if values.get("run", before.run) != before.run:
        values.setdefault("step", NEWEST)
    SELECTION.change(**values)
    return SELECTION.current()


def link_of(**values: Any) -> dict[str, str]:
    """What stands in the link once the selection is changed so, by key."""
    return SELECTION.link_of(replace(SELECTION.current(), **values))


def choose(name: str, key: str, shown: Any) -> None:
    """Take what the visitor chose in the widget `key`, which was drawn with `shown`, into the selection.

    The widget has another key whenever what it shows changes, and that of the old key calls back once more with the
    value it was drawn with: see `settings.outdated`. What cannot stand in a link is no choice either: see `labelled`.
    """
    value = st.session_state[key]
    if value != shown and SELECTION.can_be(name, value):
        select(**{name: value})
