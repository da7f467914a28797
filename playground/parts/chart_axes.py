"""The choice of what charts of runs are drawn in: the unit of the loss, and what stands across."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground import state
from playground.charts.units import UNITS, X_TITLES

_SHORT = {
    "bits": "bits per character",
    "nats": "nats per token",
    "perplexity": "perplexity",
    "step": "by step",
    "seconds": "by time",
}


def choose_axes(selection: state.Selection, units: Sequence[str] = tuple(UNITS)) -> None:
    """What the charts are drawn in: one of `units` for the loss, and steps or time across."""
    unit = selection.loss if selection.loss in units else units[0]
    unit_key = f"axes.unit.{unit}" + ("" if len(units) == len(UNITS) else f".of.{'.'.join(units)}")
    with st.container(horizontal=True):
        st.segmented_control(
            "Loss unit",
            units,
            default=unit,
            required=True,
            format_func=lambda unit: _SHORT[unit],
            key=unit_key,
            on_change=state.choose,
            args=("loss", unit_key, unit),
            label_visibility="collapsed",
        )
        st.segmented_control(
            "Horizontal axis",
            list(X_TITLES),
            default=selection.x,
            required=True,
            format_func=lambda x: _SHORT[x],
            key=f"axes.x.{selection.x}",
            on_change=state.choose,
            args=("x", f"axes.x.{selection.x}", selection.x),
            label_visibility="collapsed",
        )
