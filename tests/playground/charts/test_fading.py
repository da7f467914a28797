"""The gradient that is left on its way back: every share is where the logarithmic axis has it, and gaps stay gaps."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from playground import theme
from playground.charts.export import export
from playground.charts.fading import COLUMNS, Curve, fading_frame, fading_spec


def _curve(shares: list[float], reach: int = 1, cell: str = "rnn", name: str = "RNN") -> Curve:
    return Curve(name, cell, shares, reach)


def test_each_share_stands_at_its_power_of_ten() -> None:
    rows = fading_frame([_curve([1.0, 0.1, 0.001, 20.0])])
    assert list(rows.columns) == list(COLUMNS)
    line = rows[rows["kind"] == "line"]
    assert line["back"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(line["exponent"], [0, -1, -3, math.log10(20)])
    assert line["share"].tolist() == [1.0, 0.1, 0.001, 20.0]
    assert line["text"].tolist()[1] == "0.1"


def test_the_ring_is_at_the_last_step_that_keeps_enough_and_the_name_at_the_end() -> None:
    rows = fading_frame([_curve([1.0, 0.1, 0.02, 0.001], reach=2), _curve([1.0, 0.5], reach=1, cell="lstm", name="L")])
    ring, end = (rows[rows["kind"] == kind] for kind in ("reach", "end"))
    assert ring[["name", "back"]].to_numpy().tolist() == [["RNN", 2], ["L", 1]]
    assert end[["text", "back"]].to_numpy().tolist() == [["RNN", 3], ["L", 1]]
    assert ring["color"].tolist() == [theme.FAMILIES["rnn"], theme.FAMILIES["lstm"]]


def test_two_networks_of_one_family_are_told_apart() -> None:
    rows = fading_frame([_curve([1.0], 0, name="A"), _curve([1.0], 0, name="B")])
    looks = rows.groupby("name")[["color", "dash"]].first()
    assert looks["color"].nunique() == looks["dash"].nunique() == 2


@pytest.mark.parametrize("lost", [0.0, math.nan, math.inf, 1e-40])
def test_what_has_no_place_on_the_axis_is_a_gap(lost: float) -> None:
    rows = fading_frame([_curve([1.0, lost, 0.5], reach=0)])
    line = rows[rows["kind"] == "line"]
    assert line["exponent"].isna().tolist() == [False, True, False]
    assert rows[rows["kind"] == "end"]["back"].tolist() == [2]


def test_the_chart_can_be_drawn_with_curves_and_without() -> None:
    spec = fading_spec(0.01, 170)
    for curves in ([], [_curve([1.0])], [_curve([1.0, 1e-9, 1e-12], 0), _curve([1.0, 1e3], 1, "lstm", "L")]):
        assert export(spec, fading_frame(curves), "svg").startswith(b"<svg")
    drawn = export(spec, fading_frame([_curve([1.0, 1e-6, 1e-12], 0)]), "svg").decode()
    assert "10⁻¹²" in drawn
    assert "1%" in drawn
    assert "gradient norm, relative to that at the loss" in drawn
    (axis,) = {
        json.dumps(layer["encoding"]["y"]["axis"]) for layer in spec["layer"] if "axis" in layer["encoding"]["y"]
    }
    assert json.loads(axis)["labelFlush"] is False, "a label at an end would be moved off its place"
    assert not any(layer["encoding"]["y"].get("title") for layer in spec["layer"]), "upright it is longer than the axis"
