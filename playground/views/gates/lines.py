"""The drill-down "Lines": the chosen and the pinned units along the text."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from playground.charts.constant import Spec
from playground.charts.unit_lines import unit_lines_frame, unit_lines_spec
from playground.frame.charts import draw_chart
from playground.inside.view import View
from playground.notation import first_index
from playground.parts.downloads import ChartFile
from playground.text import shorten
from playground.views.gates import quantities
from playground.views.gates.settings import MOST_UNITS, settings


def panel(view: View) -> None:
    """The choice of units, and the chart."""
    pin(view)
    draw_chart(frame(view), spec(view), key="gates.lines")


def charts(view: View) -> Sequence[ChartFile]:
    """The chart, to download."""
    return [ChartFile("Units along the text", "units", spec(view), lambda: frame(view))]


def pin(view: View) -> None:
    """The choice of units beside the chosen one."""
    base = first_index(view.notation)
    pinned = settings.current().units
    st.multiselect(
        "Pinned units",
        range(view.trace.units),
        pinned,
        format_func=lambda unit: label(view, unit, base),
        max_selections=MOST_UNITS,
        placeholder="none",
        help="Units that are shown beside the chosen one: under the text, and in the chart of lines.",
        **settings.widget("units", labels=(view.notation, str(view.layer))),
    )


def units(view: View) -> list[int]:
    """The chosen unit, and the pinned ones that there are."""
    pinned = (unit for unit in settings.current().units if unit < view.trace.units)
    return [view.unit, *(unit for unit in pinned if unit != view.unit)]


def label(view: View, unit: int, base: int) -> str:
    """What a unit is called: by its number, and its name where it has one."""
    finding = view.findings.get((view.layer, unit))
    return f"unit {unit + base}" + (f": {shorten(finding.name, 30)}" if finding else "")


def frame(view: View) -> pd.DataFrame:
    """The rows of the chart."""
    quantity, base = quantities.chosen(view, settings.current().quantity), first_index(view.notation)
    shown = units(view)
    return unit_lines_frame(
        values=view.trace[quantity][view.layer][:, shown].numpy(),  # (time, unit)
        units=[label(view, unit, base) for unit in shown],
        names=view.probe.names,
        first=base,
    )


def spec(view: View) -> Spec:
    """The chart's specification."""
    quantity, base = quantities.chosen(view, settings.current().quantity), first_index(view.notation)
    what = f"{quantities.named(view, quantity)} ({quantities.in_words(view, quantity)})"
    low, high = (0.0, 1.0) if quantities.is_gate(view.cell, quantity) else (None, None)
    return unit_lines_spec(what, tuple(label(view, unit, base) for unit in units(view)), low, high)
