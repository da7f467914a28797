"""Generate: a trained model writes, and shows how sure it was of every token."""

import streamlit as st

from playground import fragments
from playground.generating import controls, explain, lookers, panel, session, takeaway

writers = session.writers()
pace = panel.pace(writers)
claim = fragments.place("generate-claim")
controls.bar(writers, active=pace == panel.TICK)
picture, set_up = st.columns([0.7, 0.3], gap="medium")
with picture:
    panel.panel(claim, pace)
with set_up:
    controls.side(writers)
explain.what_you_see_while_it_writes(writers[0])
lookers.choose(writers)
takeaway.downloads(writers[0])
