"""The lines of a few units along a text."""

from __future__ import annotations

import numpy as np

from playground.charts.unit_lines import unit_lines_frame, unit_lines_spec


def test_every_unit_has_a_row_at_every_timestep() -> None:
    values = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    frame = unit_lines_frame(values=values, units=["unit 4", "unit 9"], names=["a", "␣", "b"], first=1)
    nine = frame[frame["unit"] == "unit 9"]
    assert nine["place"].tolist() == [1, 2, 3]
    assert nine["token"].tolist() == ["a", "␣", "b"]
    assert nine["value"].tolist() == [0.2, 0.4, 0.6]


def test_what_is_no_number_leaves_a_gap() -> None:
    frame = unit_lines_frame(values=[[np.inf], [np.nan], [1.0]], units=["unit 1"], names=["a", "b", "c"], first=0)
    assert frame["value"].isna().tolist() == [True, True, False]


def test_a_gates_axis_goes_from_0_to_1_and_a_states_where_its_values_do() -> None:
    gate = str(unit_lines_spec("forget gate", ("unit 1",), 0.0, 1.0))
    state = str(unit_lines_spec("cell state", ("unit 1",), None, None))
    assert "'domain': [0.0, 1.0]" in gate
    assert "'domain': [0.0, 1.0]" not in state
