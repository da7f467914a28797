"""The kinds of analyses that there are.

Each is a file in the folder `kinds`, found by itself, that ends with

    register(JobKind("unit_search", "Unit search", compute))

where `compute` gets a `JobInput` and returns plain data (dicts with texts as keys, lists, texts, numbers, NaN and
infinity too). It raises ConfigError or TextError, with a sentence for visitors, for what it cannot work with. The app
imports these files too, for their names: libraries that are slow to import are imported inside `compute`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.runs.jobs import kinds
from playground.runs.jobs.records import JobRefusedError

if TYPE_CHECKING:
    from playground.runs.jobs.job_input import JobInput


@dataclass(frozen=True)
class JobKind:
    """One kind of analysis.

    Attributes:
        name: in the store and in code; up to 40 letters, digits and underscores
        title: for visitors, as the beginning of a line: "Unit search"
        compute: what it does, in a process of its own
    """

    name: str
    title: str
    compute: Callable[[JobInput], Any]


_KINDS: dict[str, JobKind] = {}


def register(kind: JobKind) -> JobKind:
    """Make a kind known, in place of one with the same name."""
    _KINDS[kind.name] = kind
    return kind


def job_kind(name: str) -> JobKind:
    """The kind of that name. Raises JobRefusedError if there is none."""
    load_kinds()
    if name not in _KINDS:
        raise JobRefusedError(f"There is no analysis {name[:40]!r}: choose one of {', '.join(sorted(_KINDS))}.")
    return _KINDS[name]


@functools.cache
def load_kinds() -> None:
    """Import the files of all kinds."""
    for module in pkgutil.iter_modules(kinds.__path__):
        importlib.import_module(f"{kinds.__name__}.{module.name}")
