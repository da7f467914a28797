"""The gallery of task shapes, drawn by the same code as the unrolled network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from playground.components.assets import asset

if TYPE_CHECKING:
    from playground.views.unrolled.shapes import Shapes

_SHAPES = st.components.v2.component(
    "unrolled_task_shapes",
    html=asset("unrolled/shapes.html"),
    css=asset("unrolled/shapes.css"),
    js="".join(
        map(
            asset,
            ("drawing.js", "unrolled/numbers.js", "unrolled/layout.js", "unrolled/marks.js", "unrolled/shapes.js"),
        )
    ),
)


def shape_gallery(shapes: Shapes, *, key: str) -> None:
    """One card for each shape: live ones with the run's values, the others grey and without any."""
    _SHAPES(data=shapes.data(), key=key)
