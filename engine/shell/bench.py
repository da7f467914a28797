"""`python -m engine bench ...`: what can be measured, a file for each."""

from __future__ import annotations

import argparse

from engine.shell import bench_trace, bench_training
from engine.shell.printing import Printer

MEASUREMENTS = {
    "training": (bench_training, "training speed of every cell, in tokens per second"),
    "trace": (bench_trace, "time to record an input text, with and without gradients"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `bench`: what to measure, and those of the measurement."""
    measurements = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, (module, meaning) in MEASUREMENTS.items():
        added = measurements.add_parser(name, help=meaning, description=meaning, allow_abbrev=False)
        # Said before WHAT or after it: left out here, it must not undo what stood before.
        added.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object per line"
        )
        module.add_arguments(added)


def run(arguments: argparse.Namespace, printer: Printer) -> int:
    """Measure it."""
    module, _ = MEASUREMENTS[arguments.what]
    return module.run(arguments, printer)
