"""Numbers made small for the browser: base64 of float32, or of single bytes where only a colour is wanted."""

from __future__ import annotations

import base64

import numpy as np
from torch import Tensor

LEVELS = 127
"""Steps of colour on either side of zero."""

NAN_LEVEL = -128
"""The level that stands for what is not a number."""


def packed(values: Tensor) -> str:
    """Numbers as base64 of little-endian float32, in order of the axes. NaN and infinity stay what they are."""
    return _base64(values.detach().cpu().numpy().astype("<f4"))


def levels(values: Tensor, full: float) -> str:
    """Numbers as base64 of signed bytes: `LEVELS` stands for `full`, and NaN has a level of its own."""
    plain = values.detach().cpu().double().numpy()
    scaled = np.clip(np.round(plain / (full or 1.0) * LEVELS), -LEVELS, LEVELS)
    return _base64(np.where(np.isnan(scaled), NAN_LEVEL, scaled).astype(np.int8))


def span(values: Tensor) -> tuple[float, float]:
    """The least and the greatest of the finite values; zeros if there are none."""
    finite = values[values.isfinite()]
    return (float(finite.min()), float(finite.max())) if finite.numel() else (0.0, 0.0)


def full_scale(values: Tensor) -> float:
    """Where a signed colour scale ends: at the largest size, or at the 98th percentile where a few are far larger."""
    sizes = values[values.isfinite()].abs().double()
    if not sizes.numel():
        return 1.0
    most, usual = float(sizes.max()), float(np.quantile(sizes.numpy(), 0.98))
    return rounded(usual if 0 < usual < most / 1.5 else most) or 1.0


def rounded(value: float) -> float:
    """Four significant digits, which no drawing exceeds."""
    return float(f"{value:.4g}")


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
