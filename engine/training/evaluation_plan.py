"""When a run evaluates, and how much of the validation part it reads then.

Evaluations and samples are to take at most a quarter of a run's time: a third of the time that its updates take. What
they read is a function of the config, the plan and the length of the text, never of the machine's speed, so that a run
is the same on every machine. It is counted in *trained tokens*: the time that one token takes in an update.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

from engine.config import Config
from engine.training.evaluation import Part
from engine.training.schedule import evaluation_steps

SHARE_OF_UPDATES = 1 / 3
"""Time of all evaluations and samples, beside that of all updates, at most."""

EVALUATED_TOKEN = 0.5
"""Trained tokens that reading one token takes at most: 0.29 to 0.53 measured on a CPU, over cells, sizes, levels."""

SAMPLED_TOKEN = 10.0
"""Trained tokens that writing one takes: 2 to 11 measured on a CPU, more only for models that train in seconds; with
fewer streams less, since a sample is one stream and an update reads all of them."""

LEAST_PIECES = 32
"""An evaluation reads at least so many pieces of the text, whatever they take: fewer tell too little."""


@dataclass(frozen=True)
class EvaluationPlan:
    """The evaluations of a run.

    Attributes:
        steps: after which they come; the last at the planned end
        part: what each but the last reads; None if it is the whole
        whole: tokens that reading the whole validation part predicts
        sampled: tokens written at each
    """

    steps: tuple[int, ...]
    part: Part | None
    whole: int
    sampled: int

    @property
    def usual(self) -> int:
        """Tokens that an evaluation before the last predicts."""
        return self.whole if self.part is None else self.part.predictions

    def ending_at(self, step: int) -> EvaluationPlan:
        """The same for a run that ends at another step than planned: the last evaluation comes there."""
        return replace(self, steps=(*(earlier for earlier in self.steps if earlier < step), step))

    def left(self, step: int) -> tuple[int, int]:
        """What the evaluations after those up to `step` still do: tokens predicted, tokens written."""
        count = len(self.steps) - bisect_right(self.steps, step)
        # The last reads the part as well, to be compared with those before it.
        again = self.usual if self.part is not None and count else 0
        return max(0, count - 1) * self.usual + bool(count) * self.whole + again, count * self.sampled


def plan_evaluations(config: Config, planned_steps: int, validation_tokens: int) -> EvaluationPlan:
    """The evaluations of a run of so many updates over a validation part of so many tokens.

    The last reads the whole. What it leaves of the budget, after the samples, is shared by all of them alike: each
    reads a part that is spread over the whole, always the same one, so that they can be compared.
    """
    steps = evaluation_steps(planned_steps, config.training.evaluations)
    whole, sampled = max(0, validation_tokens - 1), config.sampling.length
    budget = SHARE_OF_UPDATES * planned_steps * config.data.streams * config.data.chunk
    samples = len(steps) * sampled * min(SAMPLED_TOKEN, config.data.streams)
    if len(steps) * whole * EVALUATED_TOKEN + samples <= budget:
        return EvaluationPlan(steps, None, whole, sampled)
    each = (budget - samples - whole * EVALUATED_TOKEN) / EVALUATED_TOKEN / len(steps)
    part = Part.of_tokens(each)
    if part.pieces < LEAST_PIECES:
        part = Part(LEAST_PIECES, part.length)
    return EvaluationPlan(steps, part if part.predictions < whole else None, whole, sampled)
