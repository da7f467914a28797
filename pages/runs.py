"""Runs: all runs in a table, up to four of them side by side, exported and imported."""

import streamlit as st

from playground import state
from playground.frame import fragments
from playground.views import runs as catalogue

claim = fragments.place("runs-claim")
runs = catalogue.ticked(state.current())

catalogue.undo()
catalogue.actions(runs)
catalogue.table(claim, runs)
catalogue.comparison(runs)

st.divider()
explained, out, back = st.columns(3, gap="large")
with explained:
    catalogue.what_you_see()
with out:
    run = catalogue.export_panel(runs)
with back:
    catalogue.import_panel()
    catalogue.storage()
catalogue.code(run)
