"""`python -m engine export`: a saved run as one Python file and its weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.config import ConfigError
from engine.export import script, weights
from engine.export.source import SCRIPT
from engine.export.tensors import WEIGHTS
from engine.shell.directory import saved_run
from engine.shell.printing import Printer

_OURS = "Exported from Unrolled."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `export`."""
    parser.add_argument("directory", metavar="DIR", help="folder of a run, as saved by `train --save`, or starter:NAME")
    parser.add_argument("out", metavar="OUT", help=f"folder for {SCRIPT} and {WEIGHTS}; created if it does not exist")
    parser.add_argument("--step", type=int, help="training step of the checkpoint to use; by default the newest")


def run(arguments: argparse.Namespace, printer: Printer, as_json: bool) -> int:
    """Write both files, and say how to sample from them."""
    checkpoint = saved_run(arguments.directory).load(arguments.step)
    files = {WEIGHTS: weights(checkpoint), SCRIPT: script(checkpoint).encode("utf-8")}
    out = Path(arguments.out)
    _refuse_foreign(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():  # the script last: where it stands, its weights do
        half_written = out / f"{name}.part"
        half_written.write_bytes(content)
        half_written.replace(out / name)
    printer.message(
        "export",
        message=f"Wrote {out / SCRIPT} and {out / WEIGHTS} (step {checkpoint.step:,}). "
        f"To sample: python {out / SCRIPT} --prompt he --length 200",
        step=checkpoint.step,
        script=str(out / SCRIPT),
        weights=str(out / WEIGHTS),
    )
    return 0


def _refuse_foreign(out: Path) -> None:
    """Only what an export wrote is written over.

    Raises:
        ConfigError: a model.py of someone else's, or weights without a model.py
    """
    target = out / SCRIPT
    standing = target if target.exists() else out / WEIGHTS
    if not standing.exists():
        return
    if standing != target or _OURS.encode() not in target.read_bytes()[:500]:
        raise ConfigError(f"{standing} already exists and was not written by an export: use another folder.")
