"""Numbers as they are read; what `number` writes is held in tests/playground/test_text.py."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.numbers import enough_digits, fixed, number


@pytest.mark.parametrize(("value", "text"), [(1.5, "1.5000"), (-0.25, "−0.2500"), (math.nan, "NaN"), (math.inf, "∞")])
def test_a_column_has_so_many_decimals(value: float, text: str) -> None:
    assert fixed(value, 4) == text


@given(st.floats(1e-6, 0.999_999))
def test_a_loss_follows_from_the_probability_as_printed(probability: float) -> None:
    def loss(p: float) -> list[float]:
        return [-math.log(p)]

    printed = enough_digits(probability, loss)
    assert number(-math.log(float(printed.replace("−", "-")))) == number(-math.log(probability))


def test_the_probability_of_a_sure_prediction_has_five_digits() -> None:
    p = math.exp(-0.00129)
    assert number(-math.log(p)) == "0.00129"
    assert enough_digits(p, lambda q: [-math.log(q)]) == "0.99871"


@given(st.floats(-30, 30))
def test_a_sigmoid_and_its_slope_follow_from_z_as_printed(z: float) -> None:
    def both(z: float) -> list[float]:
        share = 1 / (1 + math.exp(-z))
        return [share, share * (1 - share)]

    printed = float(enough_digits(z, both).replace("−", "-"))
    if abs(z) > 1e-6:
        assert [number(value) for value in both(printed)] == [number(value) for value in both(z)]
