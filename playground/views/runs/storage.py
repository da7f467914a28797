"""How much storage the runs use, and what happens when it is full."""

from __future__ import annotations

import streamlit as st

from playground.runs.limits import describe_storage
from playground.runs.records import UNDO_SECONDS
from playground.text import duration, escape_markdown, size
from playground.views.runs.listing import listing


def storage() -> None:
    """Bytes used of those allowed, before the limit bites."""
    held = listing().storage
    st.markdown("###### Storage")
    if held is None:
        st.caption("The store cannot be reached, so its usage is unknown.")
        return
    share = held.used / held.limit if held.limit else 1.0
    st.progress(min(1.0, share), text=f"{size(held.used)} of {size(held.limit)}")
    gives_back = f"Deleted runs free their space after {duration(UNDO_SECONDS)}."
    st.caption(escape_markdown(f"{describe_storage(held)} {gives_back}"))
