"""Runs: every training there is, side by side, taken away and brought in."""

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
explained, away, back = st.columns(3, gap="large")
with explained:
    catalogue.what_you_see()
with away:
    run = catalogue.take_away(runs)
with back:
    catalogue.bring_in()
    catalogue.storage()
catalogue.code(run)
