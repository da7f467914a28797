"""`python -m engine bench trace`: how long it takes to record a probe through a model."""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from engine.cells import CELLS
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel
from engine.models.recording import record
from engine.shell.arguments import positive_number
from engine.shell.printing import Printer
from engine.trace import Target

VOCABULARY = 65  # as tiny Shakespeare by characters
PASSES: dict[str, Target | None] = {"forward": None, "gradient": "sum"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bench trace`."""
    parser.add_argument("--cell", choices=tuple(CELLS), default="lstm")
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--length", type=int, default=100, help="number of tokens in the input text")
    parser.add_argument("--threads", type=positive_number, default=1)
    parser.add_argument("--rounds", type=positive_number, default=20, help="passes of each kind; the median is printed")


def run(arguments: argparse.Namespace, printer: Printer) -> int:
    """Record the same probe again and again; one line without gradients, one with those of the summed loss."""
    torch.set_num_threads(arguments.threads)
    config = ModelConfig(cell=arguments.cell, units=arguments.units, layers=arguments.layers)
    model = LanguageModel(config, VOCABULARY, seed=0)
    probe = torch.randint(VOCABULARY, (max(0, arguments.length),), generator=torch.Generator().manual_seed(0))
    for what, gradient in PASSES.items():
        seconds = []
        for _ in range(arguments.rounds + 1):
            started = time.perf_counter()
            record(model, probe, gradient=gradient)
            seconds.append(time.perf_counter() - started)
        measured = seconds[1:]  # the first call is not like the others
        median = statistics.median(measured)
        facts = {
            "what": what,
            "seconds": round(median, 5),
            "fastest": round(min(measured), 5),
            "cell": arguments.cell,
            "units": arguments.units,
            "layers": arguments.layers,
            "length": arguments.length,
            "threads": arguments.threads,
        }
        size = f"{arguments.length} tokens through {arguments.layers} x {arguments.units} units of {arguments.cell}"
        printer.message("bench", message=f"{what:10} {1e3 * median:8.1f} ms   {size}", **facts)
    return 0
