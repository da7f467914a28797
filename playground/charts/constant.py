"""From an Altair chart to a constant Vega-Lite specification without data, for frames that are sent apart from it."""

from __future__ import annotations

from typing import Any

import altair as alt

from playground import theme

Spec = dict[str, Any]


def constant(
    layers: list[alt.Chart],
    title: alt.TitleParams,
    about: str,
    *,
    height: int,
    legend: bool,
    **expressions: str,
) -> Spec:
    """The layers as one specification; the frame that is sent with it is called "source".

    Args:
        about: what the chart shows, for those who cannot see it
        expressions: Vega expressions, by the name under which the layers use them; `ink` and `paper` are there
    """
    known = {"ink": theme.INK, "paper": theme.PAPER, **expressions}
    chart = alt.LayerChart(
        layer=layers,
        title=title,
        description=about,
        height=height,
        params=[alt.VariableParameter(name=name, expr=expression) for name, expression in known.items()],
        # Streamlit would else choose a renderer by the number of rows, and build the view anew when that changes.
        usermeta={"embedOptions": {"renderer": "canvas"}},
    )
    spec = chart.to_dict()
    for key in ("$schema", "data", "datasets"):
        spec.pop(key, None)
    for layer in spec["layer"]:
        layer.pop("data", None)
    spec["config"] = theme.chart_config(legend=legend)
    spec["config"]["legend"]["symbolType"] = "square"
    spec["config"]["legend"]["symbolSize"] = 120
    return spec
