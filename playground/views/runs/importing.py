"""Import of a run file: accepted whole, or refused with a sentence."""

from __future__ import annotations

import streamlit as st

from playground import state
from playground.frame import services
from playground.runs.archive import max_archive_bytes, unpack
from playground.runs.archive.importing import import_run
from playground.runs.records import StoreError
from playground.text import escape_markdown, shorten, visible
from playground.views.runs.ticks import tick

_TURN = "runs.import.turn"
_OUTCOME = "runs.import.outcome"


def import_panel() -> None:
    """The uploader of a run file, its limits beside it, and the outcome of the last import."""
    st.markdown("###### Import")
    most = max(1, max_archive_bytes(services.settings()) // 2**20)
    turn = st.session_state.get(_TURN, 0)  # an uploader of another key is an empty one
    given = st.file_uploader(
        "Run file",
        type="zip",
        key=f"runs.import.{turn}",
        max_upload_size=most,
        help="A file exported with “Run file”, here or from another Unrolled.",
    )
    st.caption(
        f"A .zip file exported by Unrolled, up to {most:,} MB. The whole file is checked before anything is stored: a "
        "truncated or modified file is refused."
    )
    if given is not None:
        st.session_state[_TURN] = turn + 1
        with st.spinner("Checking the run file…"):
            st.session_state[_OUTCOME] = _import(given.name, given.getvalue())
        st.rerun()
    good, sentence = st.session_state.get(_OUTCOME, (True, ""))
    with st.container():
        if sentence:
            box = st.success if good else st.error
            box(escape_markdown(sentence), icon=":material/check:" if good else ":material/error:")


def _import(name: str, raw: bytes) -> tuple[bool, str]:
    """Whether the file was imported, and a sentence on it."""
    shown = f"“{shorten(visible(name), 80)}”"
    try:
        archive = unpack(raw, services.settings())
        run = import_run(services.store(), archive, owner=services.visitor())
    except StoreError as error:
        return False, f"{shown}: {error}"
    state.select(run=run)
    tick([run])
    imported = shorten(visible(services.store().run(run).name), 80)
    return True, f"Imported “{imported}” from {shown}. It is now the current run."
