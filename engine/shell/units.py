"""`python -m engine units`: which units of a saved run track something, and what breaks without them."""

from __future__ import annotations

import argparse
import re
import time
from typing import Any

import torch

from engine.analysis.ablation import ablate
from engine.analysis.hypotheses import NAMES, TITLES, hypothesis
from engine.analysis.labelled_text import split_texts
from engine.analysis.unit_search import UnitSearch, find_units
from engine.config import ConfigError
from engine.data import prepare
from engine.models.long_pass import Hold, check_holds
from engine.numbers import fixed
from engine.shell.arguments import positive_number
from engine.shell.directory import saved_run
from engine.shell.printing import Printer
from engine.start import restored

_SHOWN = 10
_HELD = re.compile(r"(\d{1,6}):(\d{1,6})(?:=(.+))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `units`."""
    parser.add_argument("directory", metavar="DIR", help="folder of a run, as saved by `train --save`, or starter:NAME")
    parser.add_argument(
        "--hypothesis",
        default="quotes",
        help=f"what a unit is to tell: {', '.join(NAMES)}, or regex:PATTERN (default: quotes)",
    )
    parser.add_argument("--tokens", type=int, default=100_000, help="tokens to read in all (default: 100000)")
    parser.add_argument(
        "--ablate",
        metavar="LAYER:UNIT[=VALUE]",
        help="hold this unit's hidden state at a value, by default 0, and measure the loss with and without it",
    )
    parser.add_argument("--step", type=int, help="training step of the checkpoint to use; by default the newest")
    parser.add_argument("--threads", type=positive_number, help="number of CPU threads; by default all cores")


def run(arguments: argparse.Namespace, printer: Printer, as_json: bool) -> int:
    """Print the units in order, the best first, and what was read."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    started = time.perf_counter()
    asked = hypothesis(arguments.hypothesis)
    holds = [held(arguments.ablate)] if arguments.ablate else []
    checkpoint = saved_run(arguments.directory).load(arguments.step)
    model, vocabulary = restored(checkpoint)
    check_holds(model, holds)
    fit, held_out = split_texts(prepare(checkpoint.config.data, vocabulary=vocabulary), asked, arguments.tokens)
    found = find_units(model, fit, held_out, asked)
    facts: dict[str, Any] = {"tokens": found.fitted + found.held_out, "found": found.found}
    if holds:
        lost = vars(ablate(model, held_out, holds))
        facts |= {name: value for name, value in lost.items() if name.startswith("loss")}
    facts["seconds"] = round(time.perf_counter() - started, 3)
    if as_json:
        for one in found.scores:
            printer.message("unit", **vars(one), baseline=found.baseline)
        printer.message("finished", **facts)
    else:
        _print(found, facts)
    return 0


def held(text: str) -> Hold:
    """What `--ablate` names. Raises ConfigError."""
    match = _HELD.fullmatch(text)
    try:
        value = float(match.group(3) or 0.0) if match else float("nan")
    except ValueError:
        value = float("nan")
    if match is None or value != value or abs(value) == float("inf"):
        raise ConfigError(f"--ablate is {text[:40]!r}; write LAYER:UNIT or LAYER:UNIT=VALUE, such as 0:57 or 0:57=1.")
    return Hold("hidden", int(match.group(1)), int(match.group(2)), value)


def _print(found: UnitSearch, facts: dict[str, Any]) -> None:
    """A table of the best units, and what was measured, for people."""
    print(f"Units that tell {TITLES.get(found.hypothesis.name, found.hypothesis.title)}, the best first:")
    print(" layer   unit  state     score")
    for one in found.scores[:_SHOWN]:
        print(f"{one.layer:6} {one.unit:6}  {one.quantity:8} {fixed(one.score, 3)}")
    verdict = "clearly above" if found.found else "not clearly above"
    print(
        f"The best is {verdict} the baseline of {fixed(found.baseline, 3)} (untrained units "
        f"{fixed(found.untrained, 3)}, shuffled labels {fixed(found.shuffled, 3)}; 0.5 is chance, 1 perfect)."
    )
    if "loss" in facts:
        for name, where in (("loss", "overall"), ("loss_inside", "where it holds"), ("loss_outside", "elsewhere")):
            print(
                f"Loss {where}: {fixed(facts[name], 4)}, ablated {fixed(facts[f'{name}_ablated'], 4)} nats per token."
            )
    print(f"{facts['tokens']:,} tokens in {facts['seconds']:.1f} s")
