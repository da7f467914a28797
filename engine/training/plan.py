"""How many steps fit into a time, found by measuring on copies that are thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from engine.config import TrainingConfig
from engine.data import Streams
from engine.device import arithmetic
from engine.models.language_model import LanguageModel, mean_loss
from engine.models.stack import detached
from engine.training.clipping import clip_gradients
from engine.training.evaluation import evaluate
from engine.training.evaluation_plan import EvaluationPlan
from engine.training.optimizers import build_optimizer

_SHARE_OF_TIME = 0.03
_LONGEST = 1.5
_SHORTEST = 0.1
_FEWEST_STEPS = 12
_PATIENCE = 4
"""A machine that is stalled while it is measured gets this many times the budget for the fewest steps."""

_RESERVE = 0.98
"""Share of the time left that is planned for; the rest covers what was not measured."""


@dataclass(frozen=True)
class Costs:
    """Seconds that things take on this machine now."""

    update: float
    evaluation: float
    """to begin an evaluation: the tokens before each piece"""
    token: float
    """each token that an evaluation predicts"""
    sample: float

    def beside(self, evaluations: EvaluationPlan) -> float:
        """Seconds of all evaluations of a run and their samples."""
        tokens, _ = evaluations.left(0)
        return len(evaluations.steps) * (self.evaluation + self.sample) + tokens * self.token


def steps_within(seconds: float, plan: Callable[[int], EvaluationPlan], costs: Costs) -> int:
    """The most updates that fit into `seconds` beside the evaluations and samples of a run of so many; at least one.

    Updates get half of the time at least, whatever the rest seemed to cost when it was measured.

    Args:
        plan: the evaluations of a run of so many steps
    """
    fewest, most = int(seconds / 2 / costs.update), int(seconds * _RESERVE / costs.update)
    while fewest < most:
        steps = (fewest + most + 1) // 2
        if steps * costs.update + costs.beside(plan(steps)) <= seconds * _RESERVE:
            fewest = steps
        else:
            most = steps - 1
    return max(1, fewest)


def measure_costs(
    model: LanguageModel,
    config: TrainingConfig,
    streams: Streams,
    validation: torch.Tensor,
    sampler: Callable[[LanguageModel], Iterator] | None,
    seconds: float,
) -> Costs:
    """Time updates, evaluation and a sample on `model`, which is trained a little and then of no further use."""
    update = _time_updates(model, config, streams, min(_LONGEST, max(_SHORTEST, _SHARE_OF_TIME * seconds)))
    begin, token = _time_evaluation(model, config, validation)
    started = time.perf_counter()
    if sampler is not None:
        for _ in sampler(model):
            pass
    return Costs(update, begin, token, time.perf_counter() - started)


def _time_evaluation(model: LanguageModel, config: TrainingConfig, validation: torch.Tensor) -> tuple[float, float]:
    """Seconds that an evaluation takes to begin, and for each token, from its first slices."""
    started = time.perf_counter()
    parts = evaluate(model, validation, config.precision)
    share = 0.0
    while share == 0.0:
        share, _ = next(parts)
    begun = time.perf_counter()
    tokens = max(1, len(validation) - 1)
    if share == 1.0:
        return 0.0, (begun - started) / tokens
    further, _ = next(parts)
    token = (time.perf_counter() - begun) / (further - share) / tokens
    return max(0.0, begun - started - share * tokens * token), token


def _measured_enough(steps: int, seconds: float, budget: float) -> bool:
    if steps < 4:
        return False
    return seconds >= budget if steps >= _FEWEST_STEPS else seconds >= _PATIENCE * budget


def _time_updates(model: LanguageModel, config: TrainingConfig, streams: Streams, budget: float) -> float:
    """Seconds of one update, over about `budget` seconds; the first ones, which set up kernels, left out.

    The upper quartile: over a whole run a machine is rarely as undisturbed as for a moment at its start.
    """
    optimizer = build_optimizer(model, config)
    parameters = list(model.parameters())
    dropout = torch.Generator(model.device).manual_seed(0)
    times: list[float] = []
    begun = time.perf_counter()
    state = None
    while not _measured_enough(len(times), time.perf_counter() - begun, budget):
        started = time.perf_counter()
        batch = streams.batch(len(times))
        state = state or model.initial_state(batch.inputs.shape[1])
        with arithmetic(model.device, config.precision):
            logits, state = model(batch.inputs.to(model.device), state, dropout)
            loss = mean_loss(logits, batch.targets.to(model.device))
        state = detached(state)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_gradients(parameters, config.clip, config.clip_threshold)
        optimizer.step()
        loss.item()  # wait for the device
        times.append(time.perf_counter() - started)
    settled = sorted(times[2:])
    return settled[3 * len(settled) // 4]
