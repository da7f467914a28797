"""Charts of a run while it trains: loss, gradient norm, learning rate, speed.

Each chart has a constant Vega-Lite specification (derived once from Altair) and is fed one long frame at a
time (`playground.charts.frames` makes it and names its columns), so that the browser never builds the view anew:

    st.vega_lite_chart(loss_frame(runs, unit="nats"), loss_spec("nats", "step"), key="loss",
                       on_select="rerun", selection_mode="zoom")

The last two arguments make a zoom survive new data: Streamlit clears a zoom that nobody listens to whenever the
data change. Three habits keep the browser's console quiet while a run has few rows or none: domains of axes are
expressions over the whole frame (an empty layer has no extent), colours come from the rows, and all layers share
one legend.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt

from playground import theme
from playground.charts import numbers, presenting
from playground.charts.units import UNITS, X_TITLES

Spec = dict[str, Any]

_GUTTER = 56  # pixels kept free on the right for the labels at the ends of the lines
_NEAR_TOP = 9  # pixels from the top edge, where values stand that have no place on the axis


@cache
def loss_spec(unit: str = "nats", x: str = "step") -> Spec:
    """Training and validation loss of up to four runs, with the lines to beat; reads `loss_frame`.

    Args:
        unit: a key of `UNITS`
        x: "step", or "seconds" for each run's own computing time
    """
    kind = UNITS[unit]
    across = _across(x, gutter=_GUTTER)
    up = _up(kind.axis, logarithmic=kind.logarithmic, zero=False, ticks=6)
    layers = [
        *_baselines(up),
        _changes(across),
        _line(across, up, "training", width=1.3, opacity=_THIN),
        _line(across, up, "validation", width=2.5, opacity=1.0, dashed=True),
        _dots(across, up, "validation"),
        *_best(across, up),
        *_change_labels(across),
        *_ends(across, up),
        *_hover(across, up, kind.name),
        *_broken(across),
    ]
    what = "Perplexity" if unit == "perplexity" else "Loss"
    title = alt.TitleParams(f"{what} during training", subtitle="thin: training, bold: validation, ring: best")
    about = (
        f"Lines of the training and validation loss, in {kind.name}, over {X_TITLES[x]}, one pair for each run, "
        "with a ring at the best validation loss, n-gram models and a uniform guess as baselines, and marks where a "
        "setting was changed."
    )
    return _specification(layers, title, about, theme.HEIGHT_LARGE)


@cache
def gradient_spec(x: str = "step", *, first: bool = False) -> Spec:
    """Norm of the gradient before and after clipping, with the threshold; reads `gradient_frame`.

    Args:
        x: "step" or "seconds"
        first: whether it is the chart that a page opens on: then it is large, and has the legend
    """
    across = _across(x)
    up = _up("norm (log scale)", logarithmic=True, zero=False, ticks=3)
    layers = [
        _changes(across),
        _line(across, up, "before clipping", width=1.2, opacity=_THIN),
        _line(across, up, "after clipping", width=1.8, opacity=1.0, dashed=True),
        _threshold(across, up),
        *_hover(across, up, "norm"),
        *_broken(across),
    ]
    title = alt.TitleParams(
        "Gradient norm",
        subtitle="thin: before clipping, bold: after clipping, dots: threshold; a sudden rise is an exploding gradient",
    )
    about = f"Lines of the gradient norm before and after clipping over {X_TITLES[x]}, on a logarithmic axis."
    return _specification(layers, title, about, theme.HEIGHT_LARGE if first else theme.HEIGHT_SMALL)


@cache
def learning_rate_spec(x: str = "step") -> Spec:
    """The learning rate at each step, with the changes made by hand; reads `learning_rate_frame`."""
    across = _across(x)
    up = _up("learning rate", zero=True, ticks=3)
    layers = [
        _changes(across),
        _line(across, up, "learning rate", width=2, opacity=1.0, dashed=True),
        *_change_labels(across),
        *_hover(across, up, "learning rate"),
    ]
    about = f"Line of the learning rate over {X_TITLES[x]}, with marks where it was changed by hand."
    title = alt.TitleParams("Learning rate", subtitle="schedule, with your changes")
    return _specification(layers, title, about, theme.HEIGHT_SMALL)


@cache
def speed_spec(x: str = "step") -> Spec:
    """Tokens read per second; reads `speed_frame`."""
    across = _across(x)
    up = _up("tokens per second", zero=True, ticks=3)
    layers = [
        _line(across, up, "speed", width=2, opacity=1.0, dashed=True),
        *_hover(across, up, "tokens per second"),
    ]
    title = alt.TitleParams("Speed", subtitle="tokens processed per second of training")
    return _specification(
        layers, title, f"Line of the tokens processed per second over {X_TITLES[x]}.", theme.HEIGHT_SMALL
    )


def _specification(layers: list[alt.Chart], title: alt.TitleParams, about: str, height: int) -> Spec:
    """The layers as one constant specification without data."""
    expressions = {
        "ink": theme.INK,
        "paper": theme.PAPER,
        "steps": "extent(pluck(data('source'), 'step'))",
        "times": "extent(pluck(data('source'), 'seconds'))",
        "values": "extent(pluck(data('source'), 'value'))",
        presenting.TYPE: "1",
    }
    chart = alt.LayerChart(
        layer=[_key(), *layers],
        title=title,
        description=about,
        height=height,
        params=[alt.VariableParameter(name=name, expr=expression) for name, expression in expressions.items()],
        # Streamlit would else choose a renderer by the number of rows, and build the view anew when that passes 2,000.
        usermeta={"embedOptions": {"renderer": "canvas"}},
    )
    spec = chart.to_dict()
    for key in ("$schema", "data", "datasets"):
        spec.pop(key, None)
    for layer in spec["layer"]:
        layer.pop("data", None)  # Altair's stand-in for no data; Vega-Lite then calls the frame "source"
    spec["config"] = theme.chart_config(legend=height == theme.HEIGHT_LARGE)
    return spec


def _across(x: str, gutter: int = 0) -> alt.X:
    """The x axis, from the first to the last row, with `gutter` pixels left free on the right."""
    ends = {"step": "steps", "seconds": "times"}[x]
    labels: dict[str, Any] = {"format": ",~f"} if x == "step" else {"labelExpr": numbers.ON_AXIS}
    kept = f"{gutter} * {presenting.TYPE}"
    room = f" + ({ends}[1] - {ends}[0]) * {kept} / max(1, width - {kept})" if gutter else ""
    return alt.X(
        f"{x}:Q",
        title=X_TITLES[x],
        scale=alt.Scale(zero=False, nice=False, domain=_domain(ends, 0, 1, more=room)),
        axis=alt.Axis(
            **labels,
            grid=False,
            tickCount=alt.ExprRef("max(3, width / 100)"),
            tickMinStep=1 if x == "step" else alt.Undefined,  # there is no half a step
        ),
    )


def _up(title: str, *, logarithmic: bool = False, zero: bool, ticks: int) -> alt.Y:
    low, high = (1, 10) if logarithmic else (0, 1)
    # Room above the highest level for its label, and below the lowest value for the half of its mark.
    headroom = " * pow(values[1] / values[0], 0.1)" if logarithmic else " + 0.1 * (values[1] - values[0])"
    footroom = " / pow(values[1] / values[0], 0.06)" if logarithmic else " - 0.06 * (values[1] - values[0])"
    domain = _domain("values", low, high, more=headroom, less=footroom)
    scale = alt.Scale(
        type="log" if logarithmic else "linear",
        zero=alt.Undefined if logarithmic else False,
        nice=zero,
        domain=[0, domain[1]] if zero else domain,
    )
    axis = alt.Axis(labelExpr=numbers.ON_AXIS, **({"values": _LOG_TICKS} if logarithmic else {"tickCount": ticks}))
    return alt.Y("value:Q", title=title, scale=scale, axis=axis)


def _domain(ends: str, low: float, high: float, more: str = "", less: str = "") -> list[Any]:
    """Both ends of an axis as expressions; `low` and `high` where there is nothing to measure yet."""
    known = f"isValid({ends}[0]) && {ends}[1] > {ends}[0]"
    single = f"isValid({ends}[0]) && {ends}[0] != 0"
    return [
        alt.ExprRef(f"{known} ? {ends}[0]{less} : {single} ? {ends}[0] * 0.9 : {low}"),
        alt.ExprRef(f"{known} ? {ends}[1]{more} : {single} ? {ends}[0] * 1.1 : {high}"),
    ]


def _rows(series: str, name: str | None = None) -> alt.Chart:
    chart = alt.Chart(name=name) if name else alt.Chart()
    return chart.transform_filter(f"datum.series == '{series}'")


# A thin line keeps its colour on a dark ground; on a light one it steps back behind the bold line.
_THIN = alt.ExprRef(f"{theme.DARK} ? 1 : 0.7")
_INK, _PAPER = alt.ExprRef("ink"), alt.ExprRef("paper")
_COLOR = alt.Color("label:N")
_DASH = alt.StrokeDash("label:N", scale=alt.Scale(range=[list(dash) for dash in theme.DASHES]))
_POWERS = [10.0**power for power in range(-8, 9)]
# Powers of ten alone, where there are three or more to be seen.
_LOG_TICKS = alt.ExprRef(
    f"values[1] / values[0] > 1e3 ? {_POWERS} : {[digit * power for power in _POWERS for digit in (1, 2, 5)]}"
)


def _key() -> alt.Chart:
    """Invisible marks, one for each run, that give every run its colour and its place in the legend."""
    colors = alt.Scale(range=alt.FieldRange("color"))
    return _rows("key").mark_point(opacity=0, tooltip=None).encode(color=alt.Color("label:N", scale=colors))


def _line(across: alt.X, up: alt.Y, series: str, *, width: float, opacity: Any, dashed: bool = False) -> alt.Chart:
    told_apart = {"strokeDash": _DASH} if dashed else {"detail": alt.Detail("label:N")}
    return (
        _rows(series)
        .mark_line(strokeWidth=width, opacity=opacity, clip=True, tooltip=None)
        .encode(x=across, y=up, color=_COLOR, order=alt.Order(across.shorthand), **told_apart)
    )


def _dots(across: alt.X, up: alt.Y, series: str) -> alt.Chart:
    mark = _rows(series).mark_point(filled=True, size=34, opacity=1, clip=True, tooltip=None)
    return mark.encode(x=across, y=up, color=_COLOR)


def _label(rows: alt.Chart, encoding: dict[str, Any], **text: Any) -> list[alt.Chart]:
    """Text on a halo of the background's colour, so that it stays readable across lines."""
    halo = rows.mark_text(
        stroke=_PAPER, strokeWidth=4, strokeJoin="round", fill=_PAPER, opacity=0.85, tooltip=None, **text
    )
    ink = rows.mark_text(color=_INK, tooltip=None, **text)
    return [mark.encode(text=alt.Text("text:N"), **encoding) for mark in (halo, ink)]


def _baselines(up: alt.Y) -> list[alt.Chart]:
    rule = _rows("baseline").mark_rule(strokeDash=[3, 3], strokeWidth=1, color=theme.MUTED, clip=True, tooltip=None)
    rows = _rows("baseline label")
    beside = alt.value(alt.ExprRef(f"width - {_GUTTER + 12} * {presenting.TYPE}"))
    return [
        rule.encode(y=up),
        *_label(rows, {"x": beside, "y": up}, align="right", baseline="bottom", dy=-2, clip=True),
    ]


def _changes(across: alt.X) -> alt.Chart:
    mark = _rows("change").mark_rule(strokeDash=[2, 3], strokeWidth=1.2, color=_INK, clip=True, tooltip=None)
    return mark.encode(x=across)


def _change_labels(across: alt.X) -> list[alt.Chart]:
    rows = _rows("change").transform_calculate(place=f"datum.lane * {presenting.TYPE}")
    lane = alt.Y("place:Q", scale=None, axis=None)  # pixels, not values
    return _label(rows, {"x": across, "y": lane}, align="left", baseline="top", dx=4, clip=True)


def _best(across: alt.X, up: alt.Y) -> list[alt.Chart]:
    rows = _rows("best")
    ring = rows.mark_point(
        shape="circle", filled=False, size=170, strokeWidth=2, opacity=1, color=_INK, clip=True, tooltip=None
    )
    below = _label(rows, {"x": across, "y": up}, align="center", baseline="top", dy=10, clip=True)
    return [ring.encode(x=across, y=up), *below]


def _ends(across: alt.X, up: alt.Y) -> list[alt.Chart]:
    encoding = {"x": across, "y": up}
    return _label(_rows("end"), encoding, align="left", baseline="middle", dx=11, fontWeight="bold", clip=True)


def _threshold(across: alt.X, up: alt.Y) -> alt.Chart:
    mark = _rows("threshold").mark_line(
        strokeDash=[2, 3], strokeWidth=1.4, color=_INK, interpolate="step-after", clip=True, tooltip=None
    )
    return mark.encode(x=across, y=up, detail=alt.Detail("label:N"), order=alt.Order(across.shorthand))


def _broken(across: alt.X) -> list[alt.Chart]:
    """A mark at the top edge for each value that is not finite, or off the scale; the first says what it was."""
    rows = _rows("broken")
    field = str(across.shorthand).partition(":")[0]
    top = {"x": across, "y": alt.value(_NEAR_TOP)}
    tooltip = [
        alt.Tooltip("label:N", title="run"),
        alt.Tooltip("step:Q", title="step", format=",d"),
        alt.Tooltip("text:N", title="value"),
    ]
    mark = rows.mark_point(shape="triangle-up", filled=True, size=90, color=theme.ALARM, opacity=1, clip=True)
    # Below the marks, and towards the middle of the chart: beside them it would be cut off at an edge.
    ends = {"step": "steps", "seconds": "times"}[field]
    aside = alt.ExprRef(f"datum.{field} < ({ends}[0] + {ends}[1]) / 2 ? 'left' : 'right'")
    below = alt.ExprRef(f"13 * datum.lane * {presenting.TYPE} - 4")
    first = _label(rows.transform_filter("datum.lane > 0"), top, align=aside, baseline="top", dy=below, clip=True)
    return [*first, mark.encode(**top, tooltip=tooltip)]


def _hover(across: alt.X, up: alt.Y, name: str) -> list[alt.Chart]:
    """The row nearest to the pointer: its numbers, an upright line, a dot. Also where zoom and pan are caught."""
    near = alt.selection_point(
        name="near", nearest=True, on="pointermove", clear="pointerout", encodings=["x", "y"], empty=False
    )
    # The wheel alone scrolls the page; only with Ctrl (or a pinch, which reaches the page as that) does it zoom.
    zoom = alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.ctrlKey || event.metaKey]")
    tooltip = [
        alt.Tooltip("label:N", title="run"),
        alt.Tooltip("line:N", title="line"),
        alt.Tooltip("step:Q", title="step", format=",d"),
        numbers.told("seconds", "time (s)"),
        numbers.told("value", name),
    ]
    line = "datum.series + (datum.read ? ', on ' + datum.read : '')"
    every = alt.Chart(name="catch").transform_filter("datum.hover").transform_calculate(line=line)
    catch = (
        numbers.with_texts(every, "seconds", "value")
        .mark_point(opacity=0, size=1)
        .encode(x=across, y=up, tooltip=tooltip)
        .add_params(near, zoom)
    )
    one = alt.Chart().transform_filter("datum.hover").transform_filter(near)
    upright = one.mark_rule(color=_INK, strokeWidth=1, opacity=0.5, clip=True, tooltip=None).encode(x=across)
    dot = one.mark_point(filled=True, size=60, opacity=1, clip=True, tooltip=None).encode(x=across, y=up, color=_COLOR)
    return [catch, upright, dot]
