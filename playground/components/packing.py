"""How values are given to a component's script: as plain JSON, arrays small, as base64 in order of their axes."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from torch import Tensor

from playground.notation import Formula, Part, Symbol

LEVELS = 127
"""Steps of colour on either side of zero."""

NAN_LEVEL = -128
"""The level that stands for what is not a number."""


@singledispatch
def plain(value: Any) -> Any:
    """What JSON can carry of a value; a type that needs another form registers it.

    Dataclasses become mappings of their fields, arrays and tensors base64: of signed bytes where they are such, else of
    little-endian float32, in which NaN and infinity stay what they are. Single numbers that are NaN or infinite become
    words, which `Number` of JavaScript reads.
    """
    if is_dataclass(value):
        return plain_fields(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


@plain.register
def _(value: str) -> str:
    return value  # the most frequent: nothing else need be asked


@plain.register
def _(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


@plain.register
def _(value: np.ndarray) -> str:
    numbers = value if value.dtype == np.int8 else value.astype("<f4")
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode("ascii")


@plain.register
def _(value: Tensor) -> str:
    result: str = plain(value.detach().cpu().numpy())
    return result


@plain.register
def _(value: Symbol | Part) -> Any:
    return value.data()


@plain.register
def _(value: Formula) -> dict[str, Any]:
    return {**plain_fields(value), "text": value.text}


def plain_fields(value: Any, *without: str) -> dict[str, Any]:
    """The fields of a dataclass, each as `plain` has it, without some."""
    return {item.name: plain(getattr(value, item.name)) for item in fields(value) if item.name not in without}


def levels(values: Tensor, full: float) -> np.ndarray:
    """Numbers as signed bytes, for colours alone: `LEVELS` stands for `full`, and NaN has a level of its own."""
    numbers = values.detach().cpu().double().numpy()
    scaled = np.clip(np.round(numbers / (full or 1.0) * LEVELS), -LEVELS, LEVELS)
    return np.where(np.isnan(scaled), NAN_LEVEL, scaled).astype(np.int8)


def span(values: Tensor) -> tuple[float, float]:
    """The least and the greatest of the finite values; zeros if there are none."""
    finite = values[values.isfinite()]
    return (float(finite.min()), float(finite.max())) if finite.numel() else (0.0, 0.0)


def full_scale(values: Tensor) -> float:
    """Where a signed colour scale ends: at the size that 98 in 100 values keep to, or the largest if hardly larger.

    It is 1 where there is nothing but zero.
    """
    sizes = values[values.isfinite()].abs().double().numpy()
    if not sizes.size:
        return 1.0
    most, place = float(sizes.max()), int(0.98 * (sizes.size - 1))
    usual = float(np.partition(sizes, place)[place])  # as if sorted, in a tenth of the time
    return rounded(usual if 0 < usual < most / 1.5 else most) or 1.0


def rounded(value: float) -> float:
    """Four significant digits, which no drawing exceeds."""
    return float(f"{value:.4g}")
