"""The drill-down "Activations": the functions of a layer over the values that they really get."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from engine.analysis.activations import ACTIVATIONS, SATURATED, STEEPEST, activation_of, saturation
from engine.numbers import enough_digits
from playground import theme
from playground.charts.activation import Chosen, activation_frame, activation_spec, value_and_slope
from playground.charts.constant import Spec
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.parts.downloads import ChartFile
from playground.text import escape_markdown, number
from playground.views.unrolled import blocks

_SIGNS = {"sigmoid": "σ", "tanh": "tanh", "relu": "ReLU", "identity": "identity"}
_RANGES = {"sigmoid": (0.0, 1.05), "tanh": (-1.05, 1.05), "relu": (-1.0, 4.0), "identity": (-4.0, 4.0)}


def panel(view: View) -> None:
    """The choice of a gate or candidate, what is saturated in a sentence, and the chart."""
    block = blocks.choose(view)
    st.markdown(f"**{escape_markdown(sentence(view, block))}**")
    draw_chart(frame(view, block), spec(view, block), key="unrolled.activations")
    st.caption(
        "Where the function is flat, its derivative is close to 0 and almost no gradient passes back through it. The "
        "vertical ticks mark the chosen unit at every timestep, the dots its value at the chosen timestep."
    )


def charts(view: View) -> list[ChartFile]:
    """The chart, to download."""
    block = blocks.chosen(view)
    return [ChartFile("Activation function", f"activation-{block}", spec(view, block), lambda: frame(view, block))]


def sentence(view: View, block: str) -> str:
    """How much of the layer is saturated, by the threshold that `saturation` has, and the chosen unit's value."""
    name = activation_of(view.cell, block)
    pre = view.trace[f"{block}_pre"][view.layer].double().numpy()  # (time, unit)
    base = first_index(view.notation)
    who, layer = blocks.named(view, block), f" in layer {view.layer + base}" if view.trace.layers > 1 else ""
    broken = int((~np.isfinite(pre)).sum())
    if broken == pre.size:
        return f"All {broken:,} pre-activations of {who}{layer} are NaN or infinite: the network has diverged."
    share = float(saturation(pre[np.isfinite(pre)], name))
    z = float(pre[view.t, view.unit])
    at = value_and_slope(*ACTIVATIONS[name])
    height, slope = at(z)
    sign = _SIGNS[name]
    said = (
        f"{number(100 * share)}% of {who}'s pre-activations{layer} are saturated ({sign}′ < "
        f"{number(SATURATED * STEEPEST[name])}); unit {view.unit + base} at t = {view.t + base} has "
        f"z = {enough_digits(z, at)}, {sign}(z) = {number(height)} and {sign}′(z) = {number(slope)}."
    )
    return f"{broken:,} pre-activations are NaN or infinite. {said}" if broken else said


def frame(view: View, block: str) -> pd.DataFrame:
    """The rows of the chart."""
    function, derivative = ACTIVATIONS[activation_of(view.cell, block)]
    pre = view.trace[f"{block}_pre"][view.layer].double().numpy()  # (time, unit)
    base = first_index(view.notation)
    names = [f"{place + base}: {name}" for place, name in enumerate(view.probe.names)]
    return activation_frame(
        values=pre, chosen=Chosen(pre[:, view.unit], names, view.t), function=function, derivative=derivative
    )


def spec(view: View, block: str) -> Spec:
    """The chart's specification, the same for every step of a run."""
    name = activation_of(view.cell, block)
    return activation_spec(_SIGNS[name], *_RANGES[name], theme.family_color(view.cell.name))
