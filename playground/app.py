"""Entry script: page configuration, navigation and the frame around every page. Nothing else."""

import sys
from pathlib import Path

# `streamlit run` puts this file's folder first on the path; the packages are found from the root.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import streamlit as st

from playground.frame import around, navigation

SIDEBAR_PIXELS = 232

st.set_page_config(
    page_title="Unrolled",
    page_icon="➰",
    layout="wide",
    initial_sidebar_state=SIDEBAR_PIXELS,
    menu_items={"About": "Unrolled: see an RNN learn."},
)

page = st.navigation(navigation.groups(), position="sidebar")
with around.around(page):
    page.run()
