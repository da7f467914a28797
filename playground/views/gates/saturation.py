"""The drill-down "Saturation": how often each unit's gates are shut and open, now and along training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from playground.charts.saturation import saturation_frame, saturation_spec, training_frame, training_spec
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.views.gates import asked, quantities

TOKENS = 20_000
TOKENS_ALONG_TRAINING = 4_000
"""Tokens of the validation text that are read: at one step, and at each of many."""

_IN_A_ROW = 3


def panel(view: View) -> None:
    """A chart for each gate of each layer, and one along training."""
    if not quantities.gates(view.run_cell):
        st.info(without_gates(view), icon=":material/info:")
        return
    found = asked.result(view, "gate_statistics", tokens=TOKENS)
    if found is not None:
        _gates(view, found)
    along = asked.result(view, "gates_along_training", tokens=TOKENS_ALONG_TRAINING)
    if along is not None:
        _along_training(view, along)


def without_gates(view: View) -> str:
    """Why there is nothing to see of a cell without gates."""
    return (
        f"{view.run_cell.title} has no gates: nothing in it opens or closes, and no unit keeps its state. Choose an "
        "LSTM or a GRU in the sidebar."
    )


def _gates(view: View, found: Mapping[str, Any]) -> None:
    base = first_index(view.notation)
    panels = [
        (name, layer, use)
        for layer in range(view.trace.layers)
        for name, use in found["gates"].items()
        if np.isfinite(np.array(use["mean"][layer], dtype=np.float64)).any()
    ]
    for begin in range(0, len(panels), _IN_A_ROW):
        for column, (name, layer, use) in zip(st.columns(_IN_A_ROW), panels[begin : begin + _IN_A_ROW], strict=False):
            with column:
                names = {unit: one.name for (at, unit), one in view.findings.items() if at == layer}
                rows = saturation_frame(
                    shut=use["shut"][layer],
                    wide=use["open"][layer],
                    first=base,
                    chosen=view.unit if layer == view.layer else -1,
                    names=names,
                )
                where = f", layer {layer + base}" if view.trace.layers > 1 else ""
                title = f"{quantities.named(view, name)} ({quantities.in_words(view, name)}){where}"
                draw_chart(rows, saturation_spec(title), key=f"gates.saturation.{name}.{layer}")
    st.caption(
        f"Over {found['tokens']:,} tokens of the validation text. A dot in the upper left is a unit whose gate is "
        "mostly closed, one in the lower right a unit whose gate is mostly open; near the dashed line the gate is "
        "hardly ever in between. The ring is the chosen unit."
    )


def _along_training(view: View, along: Mapping[str, Any]) -> None:
    shares = {
        quantities.named(view, name): np.nanmean(np.array(values, dtype=np.float64), axis=1).tolist()
        for name, values in along["shares"].items()
    }
    draw_chart(training_frame(along["steps"], shares), training_spec(tuple(shares)), key="gates.saturation.training")
    st.caption(f"At each step whose weights are kept, over {along['tokens']:,} tokens of the validation text.")
