"""Charts before an audience."""

from __future__ import annotations

import json

from playground.charts.live import loss_spec
from playground.charts.presenting import TYPE, presented
from playground.charts.spark import spark

SIZES = ("fontSize", "labelFontSize", "titleFontSize", "subtitleFontSize")


def _sizes(part: object) -> list[object]:
    if isinstance(part, list):
        return [size for item in part for size in _sizes(item)]
    if not isinstance(part, dict):
        return []
    return [size for name, value in part.items() for size in ([value] if name in SIZES else _sizes(value))]


def test_every_size_of_type_follows_that_of_the_page() -> None:
    sizes = _sizes(presented(loss_spec()))
    assert len(sizes) >= 5
    assert all(isinstance(size, dict) and "windowSize()" in size["expr"] for size in sizes)
    least = min(float(size["expr"].split(" ")[0]) for size in sizes if isinstance(size, dict))
    assert least * 0.015 * 1920 / 16 >= 20, "at 1920 pixels"


def test_what_keeps_clear_of_type_follows_its_size() -> None:
    def factor(spec: dict) -> str:
        return next(parameter["expr"] for parameter in spec["params"] if parameter["name"] == TYPE)

    assert factor(loss_spec()) == "1"
    assert "windowSize()" in factor(presented(loss_spec()))
    assert factor(loss_spec()) == "1", "the chart at a desk stays as it was"


def test_a_chart_that_names_no_size_gets_one() -> None:
    assert _sizes(presented(spark(values=[2.0, 1.0]).to_dict()))


def test_the_chart_at_a_desk_stays_as_it_was_and_both_are_constant() -> None:
    before = json.dumps(loss_spec())
    assert json.dumps(presented(loss_spec())) == json.dumps(presented(loss_spec()))
    assert json.dumps(loss_spec()) == before


def test_data_are_left_alone() -> None:
    chart = spark(values=[2.0, 1.0]).to_dict()
    assert presented(chart)["datasets"] == chart["datasets"]
