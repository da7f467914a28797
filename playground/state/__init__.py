"""What is looked at and set up: the one selection, the settings of each page, and the link that they stand in."""

from playground.state.labels import labelled
from playground.state.link import given
from playground.state.problems import note_problem, take_problems
from playground.state.selection import (
    FEWEST_COMPARED,
    LAST,
    LINKED_CONTEXT,
    LONGEST_CONTEXT,
    LONGEST_PROBE,
    MOST_COMPARED,
    NAMED,
    NEWEST,
    Selection,
    choose,
    current,
    link_of,
    select,
)
from playground.state.settings import PageSettings, outdated

__all__ = [
    "FEWEST_COMPARED",
    "LAST",
    "LINKED_CONTEXT",
    "LONGEST_CONTEXT",
    "LONGEST_PROBE",
    "MOST_COMPARED",
    "NAMED",
    "NEWEST",
    "PageSettings",
    "Selection",
    "choose",
    "current",
    "given",
    "labelled",
    "link_of",
    "note_problem",
    "outdated",
    "select",
    "take_problems",
]
