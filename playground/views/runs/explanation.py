"""The explanation beside the table of runs."""

from __future__ import annotations

import streamlit as st


def what_you_see() -> None:
    """What a row tells, in at most 80 words."""
    st.markdown("###### What you see")
    st.markdown(
        "Each row is one run. Bits: its lowest validation loss in bits per character of the whole text; a word model "
        "is also charged for spelling unknown words and for spacing, so that it can be compared with a character "
        "model. Perplexity: exp of that loss in nats per token; a uniform guess over V tokens has perplexity V. Loss: "
        "the training loss over the planned steps, each line on its own scale."
    )
