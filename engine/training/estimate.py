"""How long a run will take and how much memory it will need, estimated before it starts.

Time per update is modelled as timesteps times a fixed cost plus multiply-adds over a rate. Both are measured
on this machine with the fused LSTM, once; other cells scale by their usual share of its speed.
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


def estimate(config: Config, vocabulary_size: int, speed: MachineSpeed) -> Estimate:
    """Time and memory of a run of `config` on a machine of that speed."""
    training = config.training
    parameters = parameter_count(config.model, vocabulary_size)
    per_update = _seconds_per_update(config, vocabulary_size, speed)
    steps = max(1, int(training.seconds / per_update)) if training.seconds else training.steps
    return Estimate(parameters, 1 / per_update, steps, steps * per_update, memory_bytes(config, vocabulary_size))


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
    products = _products(_probe(192), 64) - _products(_probe(16), 64)
    return MachineSpeed(per_timestep, products / max(1e-6, large - small))


_PROBE_CHUNK = 16


def _probe(units: int) -> Config:
    return Config().with_values(units=units, embedding=16, streams=32, chunk=_PROBE_CHUNK)


def _products(config: Config, vocabulary_size: int) -> float:
    """Multiply-adds of one update: each weight once forward and twice backward, for every token."""
    return 3.0 * config.data.streams * config.data.chunk * _weights_used(config, vocabulary_size)


def _weights_used(config: Config, vocabulary_size: int) -> int:
    looked_up = vocabulary_size * config.model.embedding  # an embedding is a look-up, not a product
    return parameter_count(config.model, vocabulary_size) - looked_up


def _seconds_per_update(config: Config, vocabulary_size: int, speed: MachineSpeed) -> float:
    beside_lstm = _SPEED_BESIDE_LSTM.get(config.model.cell, 0.4)
    timesteps = config.data.chunk * config.model.layers * speed.seconds_per_timestep
    # The cells differ in how many products they need; their kernels in how fast they do them.
    lstm = config.with_values(cell="lstm", model__options={})
    products = _products(lstm, vocabulary_size) / speed.products_per_second
    if config.model.cell == "lstm" and computes_in_bfloat16(torch.device("cpu"), config.training.precision):
        products /= _BFLOAT16_SPEED_UP
    return (timesteps + products) / beside_lstm


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
