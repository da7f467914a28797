"""In which order the units of a layer are shown: so that those that do alike stand together."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Order = Literal["stored", "mean", "saturation", "similarity"]
ORDERS: tuple[Order, ...] = get_args(Order)

LOW, HIGH = 0.1, 0.9
"""A gate is saturated below and above these, as Karpathy, Johnson and Fei-Fei have it (2016, "Visualizing and
Understanding Recurrent Networks"): there its derivative is at most 0.36 of what it is in the middle."""


def unit_order(values: Tensor, by: Order) -> NDArray[np.int64]:
    """The units in order, (unit): which one stands at each place, the first at the top.

    Args:
        values: (time, unit), of one layer; NaN counts as 0
        by: "stored", as they are; "mean", the largest first; "saturation", those first that are most often below `LOW`
            or above `HIGH` in size; "similarity", so that neighbours rise and fall together: by the Fiedler vector of
            their correlations (Atkins, Boman and Hendrickson 1998, "A Spectral Algorithm for Seriation")
    """
    numbers = np.nan_to_num(values.detach().cpu().double().numpy(), posinf=0.0, neginf=0.0)
    if by == "mean":
        return _falling(numbers.mean(0))
    if by == "saturation":
        return _falling(saturated(torch.from_numpy(numbers)).double().mean(0).numpy())
    if by == "similarity" and min(numbers.shape) > 1:
        return _seriated(numbers)
    return np.arange(numbers.shape[1], dtype=np.int64)


def saturated(values: Tensor) -> Tensor:
    """Whether each value is near the end of its range: of a gate below `LOW` or above `HIGH`; of values with a sign, as
    those of a tanh are, above `HIGH` in size."""
    signed = bool((values < 0).any())
    return values.abs() > HIGH if signed else (values < LOW) | (values > HIGH)


def _falling(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.argsort(-sizes, kind="stable").astype(np.int64)


def _seriated(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Units that always have one value correlate with none: they come last, as stored."""
    moves = values.std(0) > 1e-12
    there = np.flatnonzero(moves)
    if len(there) < 3:
        return np.argsort(~moves, kind="stable").astype(np.int64)
    alike = (1.0 + np.corrcoef(values[:, there], rowvar=False)) / 2.0  # (unit, unit), in [0, 1]
    laplacian = np.diag(alike.sum(1)) - alike
    fiedler = np.linalg.eigh(laplacian)[1][:, 1]
    first = np.argmax(np.abs(fiedler))
    order = np.argsort(fiedler * np.sign(fiedler[first]), kind="stable")  # an eigenvector's sign is arbitrary
    return np.concatenate((there[order], np.flatnonzero(~moves))).astype(np.int64)
