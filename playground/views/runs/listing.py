"""The list of runs as this visitor sees it, for everything on the page Runs that reads it."""

from __future__ import annotations

import streamlit as st

from playground.access.corpora import text_name
from playground.access.run_list import Listing, Row, RunList
from playground.frame import services
from playground.runs.records import Run
from playground.views.runs.rows import row, row_for_visitor


@st.cache_resource(max_entries=4, show_spinner=False)
def _run_list(url: str) -> RunList:
    return RunList(services.store(), _row, row_for_visitor)


def _row(run: Run) -> Row:
    return row(run, text_name(run.config.data.corpus))


def listing(*, fresh: bool = False) -> Listing:
    """The runs that this visitor sees; `fresh` where something was just done to them."""
    return _run_list(services.settings().store).listing(services.visitor(), fresh=fresh)
