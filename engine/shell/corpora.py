"""`python -m engine corpora`: the texts and the presets."""

from __future__ import annotations

import argparse

from engine.data import SOURCES
from engine.presets import PRESETS
from engine.shell.printing import Printer


def run(arguments: argparse.Namespace, printer: Printer, as_json: bool) -> int:
    """List the corpora, or the presets."""
    if arguments.presets:
        for name, preset in PRESETS.items():
            if as_json:
                printer.message("preset", name=name, title=preset.title, shows=preset.shows)
            else:
                print(f"{name:32} {preset.title}: {preset.shows}")
        return 0
    for name, source in SOURCES.items():
        if as_json:
            printer.message(
                "corpus",
                name=name,
                title=source.title,
                description=source.description,
                origin=source.origin,
                licence=source.licence,
                levels=list(source.levels),
                bytes=source.size_bytes,
            )
        else:
            print(f"{name:16} {source.origin:9} {source.size_bytes / 1e6:6.2f} MB  {source.description}")
    return 0
