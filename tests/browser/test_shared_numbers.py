"""Numbers in the browser's scripts are written as the app writes them."""

from __future__ import annotations

import math
import random

import pytest
from stage import Blank

from engine.numbers import number

_WRITE = """async (values) => {
  const { digits } = await import("/shared/numbers.js");
  return values.map((value) => digits(Number(value)));
}"""


def test_a_script_writes_numbers_as_the_app_does(blank: Blank) -> None:
    drawn = random.Random(3)
    values = [0.0, -0.0, 1, 10, 9_999, 12_345, -172_000, 999_999, 999.6, 9_999.6, 0.00123, 0.00095, 0.00099996, 1e15]
    values += [42_300, -4.23e-4, 1.5e-7, 1e16, 2.125, -2.125, 0.5, 1e300, 5e-324, math.nan, math.inf, -math.inf]
    values += [drawn.choice((-1, 1)) * 10 ** drawn.uniform(-12, 18) for _ in range(3_000)]
    page = blank.open("wide")
    written = page.evaluate(_WRITE, [repr(value).replace("inf", "Infinity").replace("nan", "NaN") for value in values])
    assert written == [number(value) for value in values]


@pytest.mark.parametrize(("value", "text"), [(0.00095, "9.5e−4"), (1.888, "1.9"), (12_345, "12 k"), (3, "3")])
def test_where_there_is_little_room_two_digits_do(blank: Blank, value: float, text: str) -> None:
    call = "async (value) => (await import('/shared/numbers.js')).digits(value, 2)"
    assert blank.open("wide").evaluate(call, value) == text
