"""The explanation beside the table of runs."""

from __future__ import annotations

import streamlit as st


def what_you_see() -> None:
    """What a row tells, in at most 80 words."""
    st.markdown("###### What you see")
    st.markdown(
        "A row is one training. Bits are its lowest validation loss in bits per character, which pay for the whole "
        "text: a model that reads words also pays for spelling unknown ones and for spacing, so that it compares with "
        "one that reads characters. Perplexity is e to that loss per token: among how many equally likely tokens it "
        "was choosing. The line is the training loss over all planned steps, each on its own scale."
    )
