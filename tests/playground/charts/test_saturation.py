"""The charts of saturated gates: where each unit's dot stands, and how the shares change along training."""

from __future__ import annotations

import json

import numpy as np

from playground.charts.saturation import saturation_frame, saturation_spec, training_frame, training_spec


def test_each_unit_has_a_dot_and_the_chosen_one_lies_on_top() -> None:
    frame = saturation_frame(
        shut=[0.1, 0.2, 0.3], wide=[0.9, 0.8, 0.7], first=1, chosen=0, names={2: "inside quotation marks"}
    )
    assert frame["unit"].tolist() == [2, 3, 1]
    assert frame["shut"].tolist() == [0.2, 0.3, 0.1]
    assert frame["open"].tolist() == [0.8, 0.7, 0.9]
    assert frame["name"].tolist() == ["no name yet", "inside quotation marks", "no name yet"]
    assert frame["chosen"].tolist() == [False, False, True]


def test_a_unit_whose_gate_is_nan_has_no_dot() -> None:
    frame = saturation_frame(shut=[np.nan, 0.2], wide=[np.nan, 0.1], first=0, chosen=0, names={})
    assert frame["unit"].tolist() == [1]


def test_one_unit_is_a_chart_of_one_dot() -> None:
    frame = saturation_frame(shut=[0.5], wide=[0.25], first=1, chosen=0, names={})
    assert len(frame) == 1
    assert frame["chosen"].tolist() == [True]


def test_both_axes_are_shares_from_0_to_1() -> None:
    dots = saturation_spec("forget gate, layer 1")["layer"][1]["encoding"]
    assert [dots[axis]["scale"]["domain"] for axis in ("x", "y")] == [[0, 1], [0, 1]]
    assert [dots[axis]["title"] for axis in ("x", "y")] == ["share of time above 0.9", "share of time below 0.1"]


def test_along_training_a_gate_has_a_row_for_each_step_that_is_known() -> None:
    frame = training_frame([0, 10, 100], {"f": [0.0, 0.1, float("nan")], "i": [0.2, 0.3, 0.4]})
    assert frame[frame["gate"] == "f"]["step"].tolist() == [0, 10]
    assert frame[frame["gate"] == "i"]["share"].tolist() == [0.2, 0.3, 0.4]


def test_along_training_step_0_has_a_place_on_the_axis() -> None:
    assert '"type": "symlog"' in json.dumps(training_spec(("f", "i")))
