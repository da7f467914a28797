"""When a run has diverged, and what would help."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from engine.config import CARRIED_LIMIT, STATE_PENALTY, Config
from engine.numbers import number
from engine.training.events import Diverged

PATIENCE = 50
"""Steps that the loss may stay above a uniform guess by `MARGIN`."""

MARGIN = 1.0
"""Nats per token above a uniform guess."""

LOWEST_RATE = 1e-6
"""No lower learning rate is suggested."""

RUNAWAY = 100.0
"""A hidden state of this size has run away: where the equations bound it, it lies between -1 and 1."""

_HISTORY = 50


class DivergenceWatch:
    """Looks at each step's loss, gradient norm and states; says when the run has diverged.

    Args:
        config: the run's settings, for the advice
        uniform_loss: loss of a uniform guess, log of the vocabulary's size, in nats per token
    """

    def __init__(self, config: Config, uniform_loss: float, steps_above: int = 0) -> None:
        self.config = config
        self.uniform_loss = uniform_loss
        self.steps_above = steps_above
        self._norms: deque[float] = deque(maxlen=_HISTORY)
        self._states: dict[str, float] = {}

    def look(
        self,
        step: int,
        loss: float,
        grad_norm: float,
        learning_rate: float,
        clipped: bool,
        updates: int = 1,
        states: Mapping[str, float] | None = None,
    ) -> Diverged | None:
        """The event that ends the run, if the update that led to `step` (the last of `updates` new ones) shows that
        it has diverged. `states` holds the largest magnitude of each state of the cell, by name."""
        finite = {name: size for name, size in (states or {}).items() if math.isfinite(size)}
        self._states |= finite  # the last that can be told
        self.steps_above = self.steps_above + updates if loss > self.uniform_loss + MARGIN else 0
        if not math.isfinite(loss):
            return self._diverged(step, f"The loss is {number(loss)} at step {step}", learning_rate, clipped)
        if not math.isfinite(grad_norm):
            return self._diverged(
                step, f"The gradient norm is {number(grad_norm)} at step {step}", learning_rate, clipped
            )
        if self.steps_above >= PATIENCE:
            reason = (
                f"The loss ({number(loss)} nats) has been more than one nat above that of a "
                f"uniform guess ({number(self.uniform_loss)}) for {PATIENCE} steps"
            )
            return self._diverged(step, reason, learning_rate, clipped)
        self._norms.append(grad_norm)
        return None

    @property
    def runaway_state(self) -> str | None:
        """The state that has run away, if one has: the cell state where there is one, since the hidden state shows it.

        It takes a large hidden state. A large cell state alone, which the cell shows through tanh, harms nothing.
        """
        if self._states.get("hidden", 0.0) < RUNAWAY:
            return None
        return "cell" if "cell" in self._states else "hidden"

    def _diverged(self, step: int, reason: str, learning_rate: float, clipped: bool) -> Diverged:
        advice, suggestion = self._advice(learning_rate, clipped)
        return Diverged(step, f"{reason}{self._what_grew()}.", advice, suggestion)

    def _what_grew(self) -> str:
        """What had grown before the run diverged: the end of a sentence, or nothing."""
        state = self.runaway_state
        if state is not None:
            return f"; the largest value of the {state} state had grown to {number(self._states[state])}"
        usual = sorted(self._norms)[len(self._norms) // 2] if self._norms else math.nan
        largest = max(self._norms, default=math.nan)
        if math.isfinite(largest) and largest > 10 * usual:
            return f"; the gradient norm had risen from {number(usual)} to {number(largest)}"
        return ""

    def _advice(self, learning_rate: float, clipped: bool) -> tuple[str, dict[str, float | str]]:
        model = self.config.model
        if model.gain > 1.5:
            return (
                f"The recurrent weights are initialised {model.gain:g} times as large as usual, so gradients explode: "
                "each timestep back multiplies them. Use an initial gain of 1.",
                {"model__gain": 1.0},
            )
        if not clipped:
            return (
                "Gradients are not clipped, so a single exploding gradient can throw the weights far off: clip the "
                "gradient norm at 1.",
                {"training__clip": "norm", "training__clip_threshold": 1.0},
            )
        training = self.config.training
        if self.runaway_state is not None and not (training.state_penalty and training.carried_limit):
            penalty, limit = training.state_penalty or STATE_PENALTY, training.carried_limit or CARRIED_LIMIT
            return (
                "Nothing in the equations of this cell bounds its hidden state, and a large one makes the next one "
                f"larger: use a state penalty of {number(penalty)} and limit the state carried from one sequence "
                f"to the next to {number(limit)}.",
                {"training__state_penalty": penalty, "training__carried_limit": limit},
            )
        lower = max(learning_rate / 10, LOWEST_RATE)
        return (
            f"The learning rate {number(learning_rate)} is too high, even with gradient clipping: try {number(lower)}.",
            {"training__learning_rate": lower},
        )
