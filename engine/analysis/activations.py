"""The activation functions of the cells and their derivatives, to be drawn over what really goes into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from engine.cells import Cell
from engine.cells.equations import Applied, Named

SATURATED = 0.1
"""Where a derivative is below this share of its maximum, almost no gradient passes."""


class Activation(NamedTuple):
    """A function of each value by itself, and its derivative. NaN gives NaN, and no value gives a warning."""

    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(np.signbit(x), small, 1.0) / (1.0 + small)


def _sigmoid_derivative(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return small / (1.0 + small) ** 2


def _tanh_derivative(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x)) ** 2
    return 4.0 * small / (1.0 + small) ** 2  # 1 - tanh², also far out, where tanh is 1 to the last digit


def _relu_derivative(x: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x), x, x > 0)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "sigmoid": Activation(_sigmoid, _sigmoid_derivative),
        "tanh": Activation(np.tanh, _tanh_derivative),
        "relu": Activation(lambda x: np.maximum(x, 0.0), _relu_derivative),
        "identity": Activation(lambda x: x, lambda x: np.where(np.isnan(x), x, 1.0)),
    }
)


STEEPEST: Mapping[str, float] = MappingProxyType({"sigmoid": 0.25, "tanh": 1.0, "relu": 1.0, "identity": 1.0})
"""The maximum of each derivative."""


def activation_of(cell: Cell, block: str) -> str:
    """The name of the function that a block's weighted sum goes through.

    Raises:
        ValueError: the cell has no such block
    """
    if block not in cell.blocks:
        raise ValueError(f"The cell {cell.name!r} has no block {block!r}; choose one of {', '.join(cell.blocks)}.")
    inside = (each for equation in cell.equations for each in equation.right.walk() if isinstance(each, Applied))
    sums = {each.to.name: each.function for each in inside if isinstance(each.to, Named)}
    return sums[f"{block}_pre"]


def saturation(pre: np.ndarray, name: str) -> float:
    """The share of values at which the function passes almost no gradient: less than a tenth of what it can.

    Of ReLU those are the units that are off. NaN values do not count; NaN where no value is left.
    """
    slopes = ACTIVATIONS[name].derivative(np.asarray(pre, dtype=np.float64))
    slopes = slopes[~np.isnan(slopes)]
    return float(np.mean(slopes < SATURATED * STEEPEST[name])) if slopes.size else float("nan")
