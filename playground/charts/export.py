"""Charts that leave the page: SVG and PNG drawn by vl-convert (no browser, no network), and CSV.

Made on demand only: loading the converter takes a moment, so it is imported when the first picture is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import pandas as pd

from playground import theme
from playground.charts.frames import table

Kind = Literal["svg", "png", "csv"]
MEDIA_TYPES: Mapping[str, str] = {"svg": "image/svg+xml", "png": "image/png", "csv": "text/csv"}

MAX_ROWS = 20_000
MAX_PIXELS = 4_000
_WIDTH = 960
_PNG_SCALE = 2
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExportError(ValueError):
    """A picture that cannot be made. The message says why and what to do."""


def export(
    chart: alt.TopLevelMixin | Mapping[str, Any], frame: pd.DataFrame, kind: Kind, *, width: int = _WIDTH
) -> bytes:
    """A chart with its data as a file, light and with a background, fit for print.

    Args:
        chart: an Altair chart or a Vega-Lite specification without data
        frame: the rows the chart reads
        kind: "svg", "png" (at twice the size, for print) or "csv"
        width: of the picture, in pixels of the SVG

    Raises:
        ExportError: an unknown kind, more rows than a picture can hold, or a picture too wide.
    """
    if kind not in MEDIA_TYPES:
        raise ExportError(f"A chart can be exported as {', '.join(MEDIA_TYPES)}, not as {kind!r}.")
    if kind == "csv":
        return _csv(frame)
    if len(frame) > MAX_ROWS:
        raise ExportError(f"{len(frame):,} rows are too many for a picture (at most {MAX_ROWS:,}): export CSV instead.")
    if not 100 <= width <= MAX_PIXELS:
        raise ExportError(f"A picture can be 100 to {MAX_PIXELS:,} pixels wide, not {width:,}.")
    spec = printable(chart, frame, width)
    import vl_convert  # 50 MB of converter: only when somebody takes a picture home

    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
    return vl_convert.vegalite_to_png(spec, scale=_PNG_SCALE, allowed_base_urls=[])


def printable(chart: alt.TopLevelMixin | Mapping[str, Any], frame: pd.DataFrame, width: int = _WIDTH) -> dict[str, Any]:
    """The specification of the picture: data within, light, nothing that moves."""
    spec = dict(chart if isinstance(chart, Mapping) else chart.to_dict())
    rows = json.loads(frame.to_json(orient="records"))
    config = {name: dict(part) if isinstance(part, Mapping) else part for name, part in spec.get("config", {}).items()}
    for name, part in theme.print_config().items():
        config[name] = {**config.get(name, {}), **part} if isinstance(part, Mapping) else part
    layers = [_without_second_legend(layer) for layer in spec.get("layer", [])]
    if layers:
        spec["layer"] = layers
    return {
        **{key: value for key, value in spec.items() if key != "usermeta"},
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"name": "source"},
        "datasets": {"source": rows},
        "width": width,
        "padding": 12,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": config,
    }


def _without_second_legend(layer: Mapping[str, Any]) -> dict[str, Any]:
    """A layer whose dashes have no legend of their own: the converter would not join it with that of the colours."""
    encoding = dict(layer.get("encoding", {}))
    if "strokeDash" in encoding and "color" in encoding:
        encoding["strokeDash"] = {**encoding["strokeDash"], "legend": None}
    return {**layer, "encoding": encoding}


def _csv(frame: pd.DataFrame) -> bytes:
    """The measured rows, UTF-8. Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    rows = table(frame) if "series" in frame else frame.copy()
    for name in rows.select_dtypes(include=["object", "string"]):
        rows[name] = rows[name].map(lambda cell: f"'{cell}" if str(cell).startswith(_FORMULA) else cell)
    return rows.to_csv(index=False, lineterminator="\n").encode()
