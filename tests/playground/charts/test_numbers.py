"""Numbers in charts are those of the text beside them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numbers import number
from playground.charts.numbers import ON_AXIS, written


def _drawn(spec: dict[str, Any]) -> list[str]:
    svg = vl_convert.vegalite_to_svg(spec)
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def _texts(values: list[float]) -> list[str]:
    """What a chart writes of values, one mark for each."""
    return _drawn(
        {
            "data": {"values": [{"at": at, "value": value} for at, value in enumerate(values)]},
            "transform": [{"calculate": written("datum.value"), "as": "shown"}],
            "mark": "text",
            "encoding": {"y": {"field": "at", "type": "quantitative", "axis": None}, "text": {"field": "shown"}},
        }
    )


def test_a_chart_writes_numbers_as_the_text_does() -> None:
    values = [
        0,
        1,
        10,
        -1,
        9_999,
        12_345,
        172_000,
        999_999,
        1_234_567,
        1.888,
        -3.14159,
        999.6,
        1234.5,
        0.00123,
        0.00095,
    ]
    values += [42_300, -4.23e-4, 1.5e-7, 1e16, 2.5e18, 1e8, 0.1, 0.30000000000000004]
    assert _texts(values) == [number(value) for value in values]


@settings(max_examples=5, deadline=None)
@given(
    st.lists(st.floats(-1e20, 1e20).filter(lambda value: abs(value) > 1e-20 or value == 0), min_size=60, max_size=60)
)
def test_a_chart_writes_any_number_as_the_text_does(values: list[float]) -> None:
    assert _texts(values) == [number(value) for value in values]


@pytest.mark.parametrize(("kind", "ends"), [("linear", (0, 10)), ("linear", (0, 4e-4)), ("log", (1e-5, 1e5))])
def test_no_axis_has_an_exponent_of_two_signs(kind: str, ends: tuple[float, float]) -> None:
    scale = {"type": kind, "domain": list(ends)}
    axis = {"labelExpr": ON_AXIS, "tickCount": 2, "values": [ends[0], ends[1]]}
    drawn = _drawn(
        {
            "data": {"values": [{"y": ends[1]}]},
            "mark": "point",
            "encoding": {"y": {"field": "y", "type": "quantitative", "scale": scale, "axis": axis, "title": None}},
        }
    )
    assert [number(end) for end in ends] == drawn
