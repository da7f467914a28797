"""The choice between drill-downs, one at a time: what is not looked at is not computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st


def choose(looks: Mapping[str, str], chosen: str, *, key: str, on_change: Callable[[str, str], None]) -> None:
    """The row of drill-downs of a page.

    Args:
        looks: what each is called, by its name in the link
        chosen: the one that is open
        key: of the widget
        on_change: called as on_change("look", key) when another one is chosen
    """
    st.subheader("Look closer", anchor=False)
    st.segmented_control(
        "Look closer",
        list(looks),
        default=chosen,
        required=True,
        format_func=lambda name: looks[name],
        key=key,
        on_change=on_change,
        args=("look", key),
        label_visibility="collapsed",
    )
