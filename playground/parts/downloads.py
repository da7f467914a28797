"""Files of what a page shows, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import get_args

import pandas as pd
import streamlit as st

from playground.charts.constant import Spec
from playground.charts.export import Kind, export


@dataclass(frozen=True)
class ChartFile:
    """A chart that can be downloaded: what it is called on the page and in the file's name, and what it draws."""

    title: str
    name: str
    spec: Spec
    rows: Callable[[], pd.DataFrame]


def file_button(label: str, make: Callable[[], bytes], name: str, *, page: str) -> None:
    """A button that downloads the file `name` as `make` gives it; `page` begins its key."""
    st.download_button(label, make, name, key=f"{page}.download.{name}", on_click="ignore")


def chart_buttons(chart: ChartFile, prefix: str, *, page: str) -> None:
    """A button for each kind of file that a chart can be, with names that begin with `prefix`."""
    st.caption(chart.title)
    with st.container(horizontal=True):
        for kind in get_args(Kind):
            file_button(kind.upper(), partial(_file, chart, kind), f"{prefix}-{chart.name}.{kind}", page=page)


def _file(chart: ChartFile, kind: Kind) -> bytes:
    return export(chart.spec, chart.rows(), kind)
