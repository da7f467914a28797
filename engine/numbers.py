"""Numbers as they are read: short, and written the same way everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

_THREE = Context(prec=3, rounding=ROUND_HALF_UP)
_PREFIXES = ("", "k", "M", "G", "T")
MINUS = "−"


def number(value: float, *, digits: bool = False) -> str:
    """A number in at most three significant digits: 1234567 -> "1.23 M", 0.00095 -> "9.5e−4", NaN -> "NaN".

    Whole numbers under 10,000 are given in full, with a comma in the thousands. The browser's scripts and the charts
    write numbers by the same rule: `shared/numbers.js`, `playground/charts/numbers.py`.

    Args:
        value: any number
        digits: always show all three digits of a fraction, for measurements in a column: 1.6 -> "1.60"
    """
    if math.isnan(value):
        return "NaN"
    size, sign = abs(value), MINUS if value < 0 else ""
    return sign + ("∞" if math.isinf(size) else _written(size, digits))


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals, for rows that are read one below the other: 1.5 -> "1.5000", NaN -> "NaN"."""
    return f"{value:z.{decimals}f}".replace("-", MINUS) if math.isfinite(value) else number(value)


def enough_digits(value: float, results: Callable[[float], Iterable[float]]) -> str:
    """A number from which others are computed beside it, with the fewest digits, from three to nine, from which what
    is printed of those follows: who computes `results` of the printed value gets them as `number` writes them."""
    if not math.isfinite(value):
        return number(value)
    wanted = [number(result) for result in results(value)]
    for count in range(3, 10):
        printed = f"{value:.{count}g}"
        if [number(result) for result in results(float(printed))] == wanted:
            break
    return printed.replace("e+", "e").replace("-", MINUS)


def _written(size: float, digits: bool) -> str:
    rounded = _THREE.create_decimal_from_float(float(size))
    exponent = rounded.adjusted()
    if digits and size and -3 <= exponent < 3:
        return f"{rounded:.{2 - exponent}f}"
    if size == int(size) and size < 10_000:
        return f"{int(size):,}"
    if not -3 <= exponent < 15:
        return f"{_trimmed(rounded.scaleb(-exponent))}e{exponent}".replace("-", MINUS)
    thousands = exponent // 3 if exponent > 3 else 0
    return f"{_trimmed(rounded.scaleb(-3 * thousands))} {_PREFIXES[thousands]}".rstrip()


def _trimmed(value: Decimal) -> str:
    """Without zeros at the end of a fraction, with a comma in the thousands."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
