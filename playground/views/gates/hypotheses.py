"""The choice of a hypothesis: what a unit is to tell."""

from __future__ import annotations

import streamlit as st

from engine.analysis.hypotheses import LONGEST_PATTERN, NAMES, REGEX, TITLES, hypothesis
from engine.config import ConfigError
from playground.text import escape_markdown
from playground.views.gates.settings import OWN, settings


def choose(where: str) -> str | None:
    """The widgets, and the name of the hypothesis; None where it cannot be used, which is said.

    Args:
        where: the part of the page that they stand in
    """
    wanted = settings.current()
    names, name = [*NAMES, OWN], wanted.hypothesis
    left, right = st.columns(2, gap="medium")
    with left:
        st.selectbox(
            "Hypothesis: the unit tracks",
            names,
            names.index(name),
            format_func=lambda one: "your own regular expression" if one == OWN else TITLES[one],
            **settings.widget("hypothesis", where),
        )
    if name != OWN:
        return name
    with right:
        st.text_input(
            "Regular expression",
            wanted.pattern,
            max_chars=LONGEST_PATTERN,
            placeholder="[0-9]+",
            help=f"A unit is to track the tokens that a match covers. Up to {LONGEST_PATTERN} characters; look-around "
            "is allowed.",
            **settings.widget("pattern", where),
        )
    if not wanted.pattern:
        st.caption("Write a regular expression to search for the units that track its matches.")
        return None
    try:
        return hypothesis(REGEX + wanted.pattern).name
    except ConfigError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return None
