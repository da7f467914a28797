"""The page "Generate" alone, with models that write 50 tokens a second at most, however quick the machine is."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

import streamlit as st

from engine.decoding.writing import Writing, Written

PAUSE = 0.02
"""Seconds before each token."""


@st.cache_resource
def slow_down() -> None:
    """Put the pause before every token that is written from now on."""
    write = Writing.write

    def slowly(writing: Writing, length: int) -> Iterator[Written]:
        for token in write(writing, length):
            time.sleep(PAUSE)
            yield token

    Writing.write = slowly


slow_down()
st.set_page_config(layout="wide")
st.navigation([st.Page("../../../pages/generate.py")]).run()
