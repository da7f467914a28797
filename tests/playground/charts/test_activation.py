"""Activation functions over real pre-activations: the bars count every value, the marks stand where they belong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from playground.charts.activation import Chosen, activation_frame, activation_spec


def _slope_of_tanh(z: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(z) ** 2


def _frame(values: np.ndarray, unit: int = 0, at: int = 0):
    names = [f"w{t}" for t in range(len(values))]
    chosen = Chosen(values[:, unit], names, at)
    return activation_frame(values=values, chosen=chosen, function=np.tanh, derivative=_slope_of_tanh)


def _values(scale: float = 1.5) -> np.ndarray:
    return np.random.default_rng(0).normal(0, scale, (40, 16))  # (time, unit)


def test_the_bars_hold_every_value_once() -> None:
    values = _values()
    frame = _frame(values)
    bins = frame[frame["part"] == "bin"]
    assert bins["share"].sum() == pytest.approx(1)
    inside = (values >= bins["z"].iloc[20]) & (values < bins["end"].iloc[20])
    assert bins["share"].iloc[20] == pytest.approx(inside.mean())


def test_the_lines_are_the_function_and_its_slope() -> None:
    frame = _frame(_values())
    for part, function in (("function", np.tanh), ("derivative", _slope_of_tanh)):
        line = frame[frame["part"] == part]
        np.testing.assert_allclose(line["value"], function(line["z"].to_numpy()))
        assert line["z"].min() < -3.9


def test_bars_are_pink_only_where_the_slope_is_next_to_nothing() -> None:
    bins = _frame(_values(4.0)).query("part == 'bin'")
    middles = (bins["z"] + bins["end"]) / 2
    np.testing.assert_array_equal(bins["saturated"], _slope_of_tanh(middles.to_numpy()) < 0.1)
    assert 0 < bins["saturated"].sum() < len(bins)


def test_the_chosen_value_stands_on_both_lines() -> None:
    values = _values()
    now = _frame(values, unit=3, at=7).query("part == 'now'")
    z = values[7, 3]
    assert list(now["z"]) == [pytest.approx(z)] * 2
    assert list(now["value"]) == [pytest.approx(np.tanh(z)), pytest.approx(1 - np.tanh(z) ** 2)]
    assert set(now["t"]) == {7}


def test_every_value_of_the_unit_is_marked_with_its_token() -> None:
    values = _values()
    unit = _frame(values, unit=5).query("part == 'unit'")
    np.testing.assert_allclose(unit["z"], values[:, 5])
    assert list(unit["text"]) == [f"w{t}" for t in range(40)]


def test_what_is_no_number_is_counted_and_said() -> None:
    values = _values()
    values[3] = np.nan
    values[4, 2] = np.inf
    frame = _frame(values, at=3)
    assert frame.query("part == 'NaN'")["text"].item() == "17 of 640 pre-activations are NaN or infinite"
    assert frame.query("part == 'bin'")["share"].sum() == pytest.approx(1 - 17 / 640)
    assert frame.query("part == 'now'").empty
    assert np.isfinite(_frame(np.full((3, 2), np.nan)).query("part == 'function'")["value"]).all()


def test_values_far_out_are_held_at_the_edge() -> None:
    bins = _frame(np.array([[-1e9, 1e9], [0.0, 0.5]])).query("part == 'bin'")
    assert bins["share"].iloc[0] == bins["share"].iloc[-1] == 0.25
    assert bins["end"].max() == 60


def test_the_specification_is_constant_and_says_what_it_shows() -> None:
    spec = activation_spec("σ", 0.0, 1.0, "#0072B2")
    assert spec is activation_spec("σ", 0.0, 1.0, "#0072B2")
    assert "σ" in spec["title"]["text"]
    assert spec["description"]
    assert '"datasets"' not in json.dumps(spec)
    assert spec["resolve"]["scale"]["y"] == "independent"
