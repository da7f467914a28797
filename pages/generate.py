"""Generate: a trained model writes, and shows how sure it was of every token."""

import streamlit as st

from playground.frame import fragments
from playground.views.generate import controls, downloads, drill_downs, explain, panel, session
from playground.views.generate.settings import settings

settings.from_link()
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
drill_downs.choose(writers)
downloads.downloads(writers[0])
