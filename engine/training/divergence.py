"""When a run has come apart, and what would help."""

from __future__ import annotations

import math
from collections import deque

from engine.config import Config
from engine.numbers import number
from engine.training.events import Diverged

PATIENCE = 50
"""Steps that the loss may stay above a uniform guess by `MARGIN`."""

MARGIN = 1.0
"""Nats per token above a uniform guess."""

LOWEST_RATE = 1e-6
"""No lower learning rate is suggested."""

_HISTORY = 50


class DivergenceWatch:
    """Looks at each step's loss and gradient norm; says when the run has diverged.

    Args:
        config: the run's settings, for the advice
        uniform_loss: loss of a uniform guess, log of the vocabulary's size, in nats per token
    """

    def __init__(self, config: Config, uniform_loss: float, steps_above: int = 0) -> None:
        self.config = config
        self.uniform_loss = uniform_loss
        self.steps_above = steps_above
        self._norms: deque[float] = deque(maxlen=_HISTORY)

    def look(
        self, step: int, loss: float, grad_norm: float, learning_rate: float, clipped: bool, updates: int = 1
    ) -> Diverged | None:
        """The event that ends the run, if the update that led to `step` (the last of `updates` new ones) shows that
        it has diverged."""
        self.steps_above = self.steps_above + updates if loss > self.uniform_loss + MARGIN else 0
        if not math.isfinite(loss):
            return self._diverged(step, f"The loss is {number(loss)} at step {step}", learning_rate, clipped)
        if not math.isfinite(grad_norm):
            return self._diverged(
                step, f"The gradient's norm is {number(grad_norm)} at step {step}", learning_rate, clipped
            )
        if self.steps_above >= PATIENCE:
            reason = (
                f"The loss ({number(loss)} nats) has been over a nat worse than a uniform guess "
                f"({number(self.uniform_loss)}) for {PATIENCE} steps"
            )
            return self._diverged(step, reason, learning_rate, clipped)
        self._norms.append(grad_norm)
        return None

    def _diverged(self, step: int, reason: str, learning_rate: float, clipped: bool) -> Diverged:
        usual = sorted(self._norms)[len(self._norms) // 2] if self._norms else math.nan
        largest = max(self._norms, default=math.nan)
        if math.isfinite(largest) and largest > 10 * usual:
            reason += f"; the gradient's norm had risen from {number(usual)} to {number(largest)}"
        advice, suggestion = self._advice(learning_rate, clipped)
        return Diverged(step, f"{reason}.", advice, suggestion)

    def _advice(self, learning_rate: float, clipped: bool) -> tuple[str, dict[str, float | str]]:
        model = self.config.model
        if model.gain > 1.5:
            return (
                f"The recurrent weights start {model.gain:g} times as large as usual, so each timestep back "
                "multiplies the gradient: start them at a gain of 1.",
                {"model__gain": 1.0},
            )
        if not clipped:
            return (
                "Nothing bounds the gradient, so one steep spot throws the weights far away: clip its norm at 1.",
                {"training__clip": "norm", "training__clip_threshold": 1.0},
            )
        lower = max(learning_rate / 10, LOWEST_RATE)
        return (
            f"The learning rate {number(learning_rate)} takes steps too long for this loss, even with the gradient "
            f"clipped: try {number(lower)}.",
            {"training__learning_rate": lower},
        )
