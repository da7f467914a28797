"""What is looked at and set up: the one selection, the settings of each page, and the link that they stand in."""

from playground.state.selection import (
    FEWEST_COMPARED,
    LAST,
    LINKED_CONTEXT,
    LONGEST_CONTEXT,
    LONGEST_PROBE,
    MOST_COMPARED,
    NEWEST,
    NearestError,
    Selection,
    choose,
    current,
    given,
    problem,
    select,
    take_problems,
)

__all__ = [
    "FEWEST_COMPARED",
    "LAST",
    "LINKED_CONTEXT",
    "LONGEST_CONTEXT",
    "LONGEST_PROBE",
    "MOST_COMPARED",
    "NEWEST",
    "NearestError",
    "Selection",
    "choose",
    "current",
    "given",
    "problem",
    "select",
    "take_problems",
]
