"""How every page draws its charts: as they are, or with larger type before an audience."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground import state
from playground.charts.presenting import presented


def draw_chart(frame: Any, spec: dict[str, Any], *, key: str, **options: Any) -> None:
    """A Vega-Lite chart of a frame, or of the data that the specification holds where there is none.

    Args:
        frame: a table, or None
        spec: the specification
        key: of the widget
        options: as `st.vega_lite_chart` takes them
    """
    shown = presented(spec) if state.current().present else spec
    st.vega_lite_chart(frame, shown, key=key, **options)
