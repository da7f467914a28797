"""How long a run will take and how much memory it will need, estimated before it starts.

Time per update is modelled as timesteps times a fixed cost plus multiply-adds over a rate. Both are measured
on this machine with the fused LSTM, once; the layers of other cells scale by their usual share of its speed. Every
logit costs a little more than its products. Evaluations and samples come on top, as the run's plan has them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

from engine.cells import CELLS
from engine.config import Config
from engine.device import computes_in_bfloat16
from engine.models.language_model import LanguageModel, mean_loss, parameter_count, parameter_shapes
from engine.training.evaluation_plan import EvaluationPlan, plan_evaluations
from engine.training.plan import Costs, steps_within

_SPEED_BESIDE_LSTM = {
    "rnn": 1.7,
    "rnn-clockwork": 1.1,
    "gru-simplified": 0.9,
    "gru-reset-before": 0.6,
    "gru": 0.65,
    "lstm": 1.0,
    "lstm-course": 0.4,
    "lstm-peephole": 0.5,
    "lstm-coupled": 0.65,
    "lstm-depth-gated": 0.45,
}
"""Tokens per second beside the fused LSTM's at equal units on a CPU, by `python -m engine bench training`."""

_BFLOAT16_SPEED_UP = 1.75
"""How much faster the fused LSTM's products are in bfloat16, on a processor that has it."""

_SECONDS_PER_LOGIT = 3.5e-9
"""Softmax, loss and their gradients: measured with vocabularies of 2,000 to 10,000 words, where memory is the limit."""

_EVALUATED_TOKEN = 0.4
"""Time of reading a token beside that of training on it: 0.29 to 0.53 measured."""

_SAMPLED_TIMESTEPS, _SAMPLED_PRODUCTS = 1.5, 4.0
"""Writing one token takes as long as so many timesteps of an update, and so many products by every weight."""

_SLOTS = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adagrad": 1, "adamw": 2}
_BYTES = 4


@dataclass(frozen=True)
class MachineSpeed:
    """What one update costs on this machine: seconds per timestep and layer, and multiply-adds per second."""

    seconds_per_timestep: float
    products_per_second: float

    def best(self, other: MachineSpeed) -> MachineSpeed:
        """The faster of two measurements in each part: what slowed the other down was not the machine."""
        return MachineSpeed(
            min(self.seconds_per_timestep, other.seconds_per_timestep),
            max(self.products_per_second, other.products_per_second),
        )


@dataclass(frozen=True)
class Estimate:
    """What a run will take; about right, not exact."""

    parameters: int
    steps_per_second: float
    steps: int
    seconds: float
    memory_bytes: int


def estimate(config: Config, vocabulary_size: int, validation_tokens: int, speed: MachineSpeed) -> Estimate:
    """Time and memory of a run of `config` on a machine of that speed, evaluations and samples included."""
    training = config.training

    def plan(steps: int) -> EvaluationPlan:
        return plan_evaluations(config, steps, validation_tokens)

    costs = _costs(config, vocabulary_size, speed)
    steps = steps_within(training.seconds, plan, costs) if training.seconds else training.steps
    return Estimate(
        parameters=parameter_count(config.model, vocabulary_size),
        steps_per_second=1 / costs.update,
        steps=steps,
        seconds=steps * costs.update + costs.beside(plan(steps)),
        memory_bytes=memory_bytes(config, vocabulary_size),
    )


def memory_bytes(config: Config, vocabulary_size: int) -> int:
    """Memory that a run of `config` takes, beside its text and the process itself."""
    data, training = config.data, config.training
    copies = 2 + _SLOTS.get(training.optimizer, 2) + bool(training.averaging)
    blocks = len(CELLS[config.model.cell](1, config.model.options).blocks)
    values_per_token = config.model.layers * config.model.units * (2 * blocks + 4) + 3 * vocabulary_size
    stored = sum(map(math.prod, parameter_shapes(config.model, vocabulary_size).values()))
    values = stored * copies + data.streams * data.chunk * values_per_token
    return _BYTES * values


def measure_machine(seconds: float = 0.15) -> MachineSpeed:
    """Time the fused LSTM at two sizes, for about `seconds` in all."""
    small, large = (_time_updates(units, seconds / 2) for units in (16, 192))
    timesteps = _PROBE_CHUNK
    per_timestep = max(1e-7, small / timesteps)
    more, fewer = (_products(_probe(units), sum(_weights_used(_probe(units), 64))) for units in (192, 16))
    return MachineSpeed(per_timestep, (more - fewer) / max(1e-6, large - small))


_PROBE_CHUNK = 16


def _probe(units: int) -> Config:
    return Config().with_values(units=units, embedding=16, streams=32, chunk=_PROBE_CHUNK)


def _products(config: Config, weights: int) -> float:
    """Multiply-adds of one update: each weight once forward and twice backward, for every token."""
    return 3.0 * config.data.streams * config.data.chunk * weights


def _weights_used(config: Config, vocabulary_size: int) -> tuple[int, int]:
    """Weights that every token is multiplied by: those of the recurrent layers, and those of the output layer."""
    looked_up = vocabulary_size * config.model.embedding  # an embedding is a look-up, not a product
    output = vocabulary_size * (config.model.units + config.model.bias)
    return parameter_count(config.model, vocabulary_size) - looked_up - output, output


def _costs(config: Config, vocabulary_size: int, speed: MachineSpeed) -> Costs:
    update = _seconds_per_update(config, vocabulary_size, speed)
    timesteps = _SAMPLED_TIMESTEPS * config.model.layers * speed.seconds_per_timestep
    products = _SAMPLED_PRODUCTS * sum(_weights_used(config, vocabulary_size)) / speed.products_per_second
    return Costs(
        update=update,
        evaluation=0.0,
        token=_EVALUATED_TOKEN * update / (config.data.streams * config.data.chunk),
        sample=config.sampling.length * (timesteps + products),
    )


def _seconds_per_update(config: Config, vocabulary_size: int, speed: MachineSpeed) -> float:
    beside_lstm = _SPEED_BESIDE_LSTM.get(config.model.cell, 0.4)
    timesteps = config.data.chunk * config.model.layers * speed.seconds_per_timestep
    # The cells differ in how many products they need; their kernels in how fast they do them.
    lstm = config.with_values(cell="lstm", model__options={})
    layers, output = (_products(lstm, weights) for weights in _weights_used(lstm, vocabulary_size))
    if config.model.cell == "lstm" and computes_in_bfloat16(torch.device("cpu"), config.training.precision):
        layers, output = layers / _BFLOAT16_SPEED_UP, output / _BFLOAT16_SPEED_UP
    logits = config.data.streams * config.data.chunk * vocabulary_size * _SECONDS_PER_LOGIT
    return (timesteps + layers / speed.products_per_second) / beside_lstm + output / speed.products_per_second + logits


def _time_updates(units: int, seconds: float) -> float:
    config = _probe(units)
    model = LanguageModel(config.model, 64, seed=0)
    tokens = torch.randint(64, (_PROBE_CHUNK, config.data.streams), generator=torch.Generator().manual_seed(0))
    times: list[float] = []
    ends = time.perf_counter() + seconds
    while len(times) < 4 or time.perf_counter() < ends:
        started = time.perf_counter()
        logits, _ = model(tokens, model.initial_state(config.data.streams))
        mean_loss(logits, tokens).backward()
        times.append(time.perf_counter() - started)
    return min(times)  # what disturbed the others was not this model
