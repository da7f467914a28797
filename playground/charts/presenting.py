"""A chart as it is shown to an audience: its type as large as that of the page around it."""

from __future__ import annotations

from typing import Any

from playground import theme

Spec = dict[str, Any]

_SIZES = ("fontSize", "labelFontSize", "titleFontSize", "subtitleFontSize")
_LENGTHS = ("labelLimit", "titlePadding", "labelPadding", "subtitlePadding")
_TALLER = 1.4

TYPE = "typeSize"
"""Parameter of a specification, where it has one: by what its type is enlarged, for what has to keep clear of it."""

# The browser knows how large the type of the page is there: see `playground.frame.presenter`.
_FACTOR = "clamp(0.015 * windowSize()[0], 19, 30) / 16"


def presented(spec: Spec) -> Spec:
    """A Vega-Lite specification with larger type; one without data stays the same text from one update to the next."""
    shown = _enlarged(spec)
    for parameter in shown.get("params", []):
        if parameter.get("name") == TYPE:
            parameter["expr"] = _FACTOR
    shown.setdefault("config", {}).setdefault("text", {}).setdefault("fontSize", _expression(theme.LABEL_SIZE))
    if isinstance(spec.get("height"), int | float):
        shown["height"] = round(spec["height"] * _TALLER)
    return shown


def _enlarged(part: Any) -> Any:
    if isinstance(part, list):
        return [_enlarged(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _expression(value) if name in (*_SIZES, *_LENGTHS) and _is_number(value) else _enlarged(value)
        for name, value in part.items()
        if name != "datasets" and name != "data"
    } | {name: part[name] for name in ("data", "datasets") if name in part}


def _expression(size: float) -> dict[str, str]:
    return {"expr": f"{size:g} * {_FACTOR}"}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
