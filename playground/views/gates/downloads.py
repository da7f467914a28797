"""What can be taken along: every number of the heatmaps as a table, the chart that is open, and the same in Python."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from engine.analysis.hypotheses import REGEX
from playground.charts.export import export
from playground.inside.view import View
from playground.notation import first_index
from playground.parts.downloads import chart_buttons, file_button
from playground.parts.drill_downs import DrillDown
from playground.views.gates import quantities
from playground.views.gates.settings import OWN, settings


def downloads(view: View, drill_down: DrillDown[View]) -> None:
    """Files of what is on the page, and how to compute the same elsewhere; neither is made before it is opened."""
    with st.container(horizontal=True):
        files = st.popover("Download", icon=":material/download:", key="gates.files", on_change="rerun")
    source = st.expander(
        "Show the code: these numbers in Python", icon=":material/code:", key="gates.code", on_change="rerun"
    )
    if files.open:
        with files:
            name = f"{view.run.id}-{view.step}"
            st.caption("Every quantity of the chosen layer, a row for each timestep and unit")
            file_button("CSV", lambda: export({}, rows(view), "csv"), f"{name}-gates.csv", page="gates")
            for chart in drill_down.charts(view):
                chart_buttons(chart, name, page="gates")
            st.caption("The text and the heatmaps have download buttons of their own.")
    if source.open:
        with source:
            st.caption("For a run saved with `python -m engine train --save my-run`.")
            st.code(code(view), language="python", wrap_lines=True)


def rows(view: View) -> pd.DataFrame:
    """A row for each timestep and unit, a column for each quantity; places as the notation has them."""
    base, length, units = first_index(view.notation), view.trace.length, view.trace.units
    found: dict[str, object] = {
        "t": [t + base for t in range(length) for _ in range(units)],
        "token": [name for name in view.probe.names for _ in range(units)],
        "layer": view.layer + base,
        "unit": [unit + base for _ in range(length) for unit in range(units)],
    }
    for name in quantities.shown(view, sums=True):
        found[name] = view.trace[name][view.layer].flatten().tolist()
    return pd.DataFrame(found)


_CODE = """import engine
from engine.analysis.hypotheses import hypothesis
from engine.analysis.labelled_text import split_texts
from engine.analysis.unit_search import find_units
from engine.shell.directory import RunDirectory

checkpoint = RunDirectory("my-run").load({step})
model, vocabulary = engine.restored(checkpoint)

# What the heatmaps show: (layer, time, unit) for each gate and state.
trace = engine.record(model, {tokens}{state})
print("{quantity} of the chosen unit:", trace[{quantity!r}][{layer}, :, {unit}].tolist())

# Which units tell the hypothesis, on text that the model was not trained on.
asked = hypothesis({hypothesis!r})
fit, held_out = split_texts(engine.prepare(checkpoint.config.data, vocabulary=vocabulary), asked, tokens=100_000)
found = find_units(model, fit, held_out, asked)
for one in found.scores[:5]:
    print(f"layer {{one.layer}}, unit {{one.unit}} ({{one.quantity}}): {{one.score:.3f}}")
print(f"baseline {{found.baseline:.3f}}, clearly above it: {{found.found}}")
"""


def code(view: View) -> str:
    """A Python script that prints what the page shows of the chosen unit; places count from 0."""
    wanted = settings.current()
    asked = REGEX + wanted.pattern if wanted.hypothesis == OWN else wanted.hypothesis
    return _CODE.format(
        step=view.step,
        tokens=view.probe.tokens.tolist(),
        state=f", state=engine.warm(model, {view.context.tokens.tolist()})" if len(view.context) else "",
        quantity=quantities.chosen(view, wanted.quantity),
        layer=view.layer,
        unit=view.unit,
        hypothesis=asked,
    )
