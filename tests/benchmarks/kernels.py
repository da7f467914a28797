"""Tokens per second of every cell and kernel, forward and backward: `python tests/benchmarks/kernels.py`.

The contenders take turns (A B C, A B C, ...), and medians are compared, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import nn

from engine.cells import CELLS
from engine.cells.kernels import KERNELS, Kernel, run_layer, supports
from engine.config import OptionValue
from engine.device import keep_freed_memory

TIMESTEPS, STREAMS = 64, 32
CLOCKS: Mapping[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
VARIANTS: tuple[tuple[str, Mapping[str, OptionValue]], ...] = (
    ("rnn", {"activation": "tanh"}),
    ("rnn", {"activation": "relu"}),
    ("rnn", {"activation": "sigmoid"}),
    ("rnn", {"activation": "identity"}),
    ("gru-simplified", {}),
    ("gru-reset-before", {}),
    ("gru", {}),
    ("lstm", {}),
    ("lstm-course", {}),
    ("rnn-clockwork", {}),
    ("lstm-peephole", {}),
    ("lstm-coupled", {}),
)
MODULES: Mapping[str, Callable[[int], nn.Module]] = {
    "nn.LSTM": lambda units: nn.LSTM(units, units),
    "nn.GRU": lambda units: nn.GRU(units, units),
    "nn.RNN tanh": lambda units: nn.RNN(units, units),
    "nn.RNN relu": lambda units: nn.RNN(units, units, nonlinearity="relu"),
}


def ours(name: str, options: Mapping[str, OptionValue], kernel: Kernel, units: int, train: bool) -> Callable[[], None]:
    """One pass of a layer, from (time, stream, units) inputs that want a gradient, as a second layer has them."""
    cell = CELLS[name](units, options)
    shapes = cell.parameter_shapes(units, bias=True)
    parameters = {key: nn.Parameter(torch.randn(shape) / units**0.5) for key, shape in shapes.items()}
    inputs = torch.randn(TIMESTEPS, STREAMS, units, requires_grad=True)
    d_outputs = torch.randn(TIMESTEPS, STREAMS, units)
    state = cell.initial_state(STREAMS, inputs)

    def once() -> None:
        with torch.set_grad_enabled(train):
            outputs, _ = run_layer(cell, inputs, state, parameters, kernel)
        if train:
            outputs.backward(d_outputs)

    return once


def theirs(build: Callable[[int], nn.Module], units: int, train: bool) -> Callable[[], None]:
    """One pass of PyTorch's own layer over the same shapes."""
    module = build(units)
    inputs = torch.randn(TIMESTEPS, STREAMS, units, requires_grad=True)
    d_outputs = torch.randn(TIMESTEPS, STREAMS, units)

    def once() -> None:
        with torch.set_grad_enabled(train):
            outputs, _ = module(inputs)
        if train:
            outputs.backward(d_outputs)

    return once


def contenders(units: int, train: bool, only: str) -> dict[str, Callable[[], None]]:
    found = {name: theirs(build, units, train) for name, build in MODULES.items()}
    for name, options in VARIANTS:
        cell = CELLS[name](units, options)
        for kernel in KERNELS:
            label = " ".join((name, *map(str, options.values()), kernel))
            if supports(cell, kernel) and only in label:
                found[label] = ours(name, options, kernel, units, train)
    return found


def seconds_each(passes: Mapping[str, Callable[[], None]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of one pass, the contenders taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(rounds + 1):
        for name, once in passes.items():
            began = clock()
            once()
            if turn:  # the first turn warms up
                taken[name].append(clock() - began)
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, nargs="+", default=[128])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="a part of the names of the contenders wanted")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: on one thread of a busy machine")
    parser.add_argument("--no-grad", action="store_true", help="forward passes alone, as an evaluation has them")
    chosen = parser.parse_args()
    keep_freed_memory()  # as a training run does
    print(f"torch {torch.__version__}, {TIMESTEPS} timesteps, {STREAMS} streams, {chosen.clock} clock")
    heads = ("units", "threads", "tokens/s", "of nn.LSTM", "of nn.GRU", "of nn.RNN")
    print(f"{'cell and kernel':32}" + "".join(f"{head:>12}" for head in heads))
    for units in chosen.units:
        for threads in chosen.threads:
            torch.set_num_threads(threads)
            taken = seconds_each(
                contenders(units, not chosen.no_grad, chosen.only), chosen.rounds, CLOCKS[chosen.clock]
            )
            for name, seconds in taken.items():
                ratios = (taken[module] / seconds for module in ("nn.LSTM", "nn.GRU", "nn.RNN tanh"))
                numbers = f"{units:12}{threads:12}{TIMESTEPS * STREAMS / seconds:12,.0f}"
                print(f"{name:32}{numbers}" + "".join(f"{ratio:12.2f}" for ratio in ratios), flush=True)


if __name__ == "__main__":
    main()
