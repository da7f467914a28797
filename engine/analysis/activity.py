"""What moves in a trace: how large the states are, how much of them changes, how much gradient reaches them.

All in float64, where no gradient of float32 overflows when it is squared.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.analysis.past import gradients_of
from engine.trace import Direction, Trace

FADED = 0.1
"""A gradient below this share of what it was at its target no longer counts as having reached a timestep."""


def norms(trace: Direction, state: str = "hidden") -> Tensor:
    """||s_t|| of one state, (layer, time)."""
    return _norm(trace[state])


def change(trace: Direction, state: str = "hidden") -> Tensor:
    """How much of a state changed at each timestep, ||s_t - s_{t-1}|| / (||s_t|| + ||s_{t-1}||), (layer, time).

    In [0, 1]: 0 where it stayed (or is zero before and after), 1 where it turned round or came from zero.
    """
    now, past = trace[state].double(), trace.before(state).double()
    sizes = _norm(now) + _norm(past)
    moved = _norm(now - past)
    return torch.where(sizes == 0, 0.0, moved / sizes).clamp(max=1.0)  # rounding can pass 1


def gradient_norms(trace: Direction) -> Tensor:
    """||∂L/∂s_t|| over all states of a layer (hidden, and cell where there is one), (layer, time).

    Each state's gradient is the whole effect it has, as the trace defines it.

    Raises:
        ValueError: the trace has no gradients
    """
    grad = gradients_of(trace)
    return torch.stack([_norm(grad[name]) for name in trace.initial]).square().sum(0).sqrt()


def fading(trace: Trace) -> Tensor:
    """How the gradient of one target's loss fades on its way back, (1 + target).

    Entry k is ||∂L_t/∂s_{t-k}|| over the states of all layers, as a share of that at the target itself, k = 0. It
    can exceed 1: gradients explode too. NaN where the target has no gradient.

    Raises:
        ValueError: the trace has no gradients, or not those of a single target
    """
    if not isinstance(trace.target, int):
        raise ValueError(
            "How a gradient fades is defined for one loss: record the trace with its timestep as gradient."
        )
    by_time = gradient_norms(trace).square().sum(0).sqrt()
    back = by_time[: trace.target + 1].flip(0)  # (1 + target)
    return back / back[0]


def reach(trace: Trace, share: float = FADED) -> int:
    """How many timesteps back from its target the gradient stays at least at `share` of what it is there.

    Raises:
        ValueError: as `fading`
    """
    return steps_above(fading(trace), share)


def steps_above(shares: Tensor, share: float = FADED) -> int:
    """The same of what `fading` gives."""
    still = (shares >= share).long().cumprod(0)  # ones up to the first that is below, or NaN
    return max(0, int(still.sum()) - 1)


def _norm(values: Tensor) -> Tensor:
    """Norms over the units."""
    return torch.linalg.vector_norm(values.double(), dim=-1)
