"""The blocks of a cell's weights: which one is looked at, and what the notation calls it."""

from __future__ import annotations

import streamlit as st

from playground import notation
from playground.inside.view import View
from playground.views.unrolled.settings import settings


def fit(view: View) -> None:
    """Say so where the settings name a block that the cell does not have."""
    wanted, there = settings.current().block, view.cell.blocks
    if wanted and wanted not in there:
        settings.correct(
            f"The cell {view.cell.title} has no block {wanted!r} (it has {', '.join(there)}); "
            f"{there[0]} is shown instead.",
            block="",
            element=None,
        )


def chosen(view: View) -> str:
    """The block that is looked at: the one in the settings, or the cell's first where they name none."""
    return settings.current().block or view.cell.blocks[0]


def named(view: View, block: str) -> str:
    """What the notation calls a block: the gate or candidate that its rows make, "Γᵤ", "z"."""
    return notation.block_term(block, view.notation, view.cell).text


def latex(view: View, block: str) -> str:
    """The same as a formula, for a label."""
    return f"${notation.block_term(block, view.notation, view.cell).latex}$"


def choose(view: View) -> str:
    """The choice of a block, and the one that is chosen."""
    block = chosen(view)
    if len(view.cell.blocks) > 1:
        st.segmented_control(
            "Gate or candidate",
            list(view.cell.blocks),
            default=block,
            required=True,
            format_func=lambda name: latex(view, name),
            **settings.widget("block", "activations", labels=(latex(view, block),)),
        )
    return block
