"""The drill-down "Memory": the half-life of every unit, by how much its forget or update gate keeps."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.analysis.memory import kept
from playground import theme
from playground.charts.half_lives import half_life_frame, half_life_spec
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.text import escape_markdown, number
from playground.views.gates import asked, quantities
from playground.views.gates.saturation import TOKENS, without_gates


def panel(view: View) -> None:
    """The chosen unit's half-life in a sentence, and a histogram for each layer."""
    share = kept(view.run_cell)
    if share is None:
        st.info(without_gates(view), icon=":material/info:")
        return
    found = asked.result(view, "gate_statistics", tokens=TOKENS)
    if found is None:
        return
    base = first_index(view.notation)
    lives = np.array(found["half_lives"], dtype=np.float64)  # (layer, unit)
    st.markdown(f"**{escape_markdown(sentence(view, lives))}**")
    for layer in range(view.trace.layers):
        title = (
            f"Half-lives of the units of layer {layer + base}" if view.trace.layers > 1 else "Half-lives of the units"
        )
        rows = half_life_frame(half_lives=lives[layer], first=base, chosen=view.unit if layer == view.layer else -1)
        draw_chart(rows, half_life_spec(title, theme.family_color(view.cell.name)), key=f"gates.memory.{layer}")
    gate = quantities.named(view, share.gate)
    keeps = f"1 - {gate}" if share.complement else gate
    st.caption(
        f"What a unit stores is multiplied by {keeps} at every timestep. Its half-life is the number of timesteps "
        f"after which half is left, by the geometric mean of that factor over {found['tokens']:,} tokens of the "
        "validation text; what is written anew meanwhile does not count."
    )


def sentence(view: View, lives: np.ndarray) -> str:
    """The chosen unit's, among those of its layer."""
    layer, unit = lives[view.layer], view.unit
    mine = float(layer[unit])
    longer = int((layer > mine).sum())
    median = number(float(np.nanmedian(layer)))
    place = "the longest of its layer" if longer == 0 else f"{longer} of {len(layer)} units remember longer"
    return (
        f"Unit {unit + first_index(view.notation)} has a half-life of {number(mine)} timesteps: {place}; the median is "
        f"{median}."
    )
