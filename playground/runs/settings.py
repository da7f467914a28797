"""App settings from the environment: where runs are stored, who trains them, and the limits.

Each setting, its default, its range and its one-line meaning stand here and nowhere else; the README's
table is made from `describe`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

ROOT = Path(__file__).resolve().parents[2]
"""The repository root."""


MEGABYTE = 1_000_000
"""Bytes, decimal as on pages."""


class AppSettingsError(ValueError):
    """An invalid environment variable. The message names it and says what to write."""


def _variable(
    name: str,
    default: Any,
    meaning: str,
    *,
    shown: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """One setting: its variable, its default (`shown` in words if it is computed), and its range."""
    about = {"variable": name, "meaning": meaning, "shown": shown, "low": low, "high": high, "choices": choices}
    if callable(default):
        return field(default_factory=default, metadata=about)
    return field(default=default, metadata=about)


def _cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _default_store() -> str:
    return f"sqlite:///{ROOT / '.unrolled' / 'store.sqlite'}"


@dataclass(frozen=True)
class AppSettings:
    """What the environment decides. `AppSettings.from_environment()` reads it once; pass the result on."""

    store: str = _variable(
        "UNROLLED_STORE",
        _default_store,
        "where runs are kept: an SQLAlchemy URL",
        shown="SQLite in .unrolled/ in the repository",
    )
    executor: str = _variable("UNROLLED_EXECUTOR", "local", "what trains the runs", choices=("local",))
    workers: int = _variable(
        "UNROLLED_WORKERS", _cores, "runs that train at the same time", shown="cores", low=1, high=256
    )
    threads: int = _variable(
        "UNROLLED_THREADS", 0, "threads of one training run; 0 shares the cores among the workers", low=0, high=256
    )
    linger: float = _variable(
        "UNROLLED_LINGER",
        60.0,
        "seconds that a paused run stays in memory, to be resumed at once",
        low=0.0,
        high=3_600.0,
    )
    max_queue: int = _variable("UNROLLED_MAX_QUEUE", 50, "runs that may wait for a worker", low=0, high=100_000)
    max_steps: int = _variable(
        "UNROLLED_MAX_STEPS", 200_000, "steps of one run whose length is given in steps", low=1, high=1_000_000
    )
    max_seconds: float = _variable(
        "UNROLLED_MAX_SECONDS", 3_600.0, "seconds of one run whose length is given in seconds", low=1.0, high=86_400.0
    )
    max_parameters: int = _variable(
        "UNROLLED_MAX_PARAMETERS", 20_000_000, "parameters of one model", low=1, high=10_000_000_000
    )
    max_memory_mb: int = _variable(
        "UNROLLED_MAX_MEMORY_MB", 2_000, "megabytes of memory of one model while it trains", low=1, high=10_000_000
    )
    max_store_mb: int = _variable(
        "UNROLLED_MAX_STORE_MB",
        4_000,
        "megabytes that the store may hold; above it no run can be started or imported until some are deleted",
        low=1,
        high=1_000_000_000,
    )
    max_runs_per_visitor: int = _variable(
        "UNROLLED_MAX_RUNS_PER_VISITOR",
        8,
        "runs that one visitor may have training or queued; models that are compared count one by one",
        low=1,
        high=100_000,
    )
    job_workers: int = _variable(
        "UNROLLED_JOB_WORKERS", 1, "analyses that are computed at the same time, beside the runs", low=1, high=256
    )
    max_job_seconds: float = _variable(
        "UNROLLED_MAX_JOB_SECONDS", 120.0, "seconds of one analysis", low=1.0, high=86_400.0
    )
    max_job_queue: int = _variable(
        "UNROLLED_MAX_JOB_QUEUE", 100, "analyses that may wait for a worker", low=1, high=100_000
    )
    max_jobs_per_visitor: int = _variable(
        "UNROLLED_MAX_JOBS_PER_VISITOR",
        8,
        "analyses that one visitor may have running or queued",
        low=1,
        high=100_000,
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> AppSettings:
        """The settings that `environment` (default: the process's own) gives.

        Raises:
            AppSettingsError: a value of the wrong kind or out of range.
        """
        source = os.environ if environment is None else environment
        hints = get_type_hints(cls)
        given = {}
        for item in fields(cls):
            text = source.get(item.metadata["variable"], "").strip()
            if text:
                given[item.name] = _parsed(text, item, hints[item.name])
        return cls(**given)

    def to_environment(self, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """`environment` (default: the process's own) with these settings in it, for a child process."""
        given = {item.metadata["variable"]: str(getattr(self, item.name)) for item in fields(self)}
        merged = {**(os.environ if environment is None else environment), **given}
        merged["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), merged.get("PYTHONPATH", "")]))
        return merged

    @property
    def max_memory_bytes(self) -> int:
        """`max_memory_mb` in bytes."""
        return self.max_memory_mb * MEGABYTE

    @property
    def max_store_bytes(self) -> int:
        """`max_store_mb` in bytes."""
        return self.max_store_mb * MEGABYTE

    @property
    def training_threads(self) -> int:
        """Threads that one run trains with: as set, or its share of the cores."""
        return self.threads or max(1, _cores() // self.workers)


def describe() -> Iterator[tuple[str, str, str]]:
    """Every variable as (name, default in words, meaning), for the README's table."""
    defaults = AppSettings()
    for item in fields(AppSettings):
        shown = item.metadata["shown"] or _in_words(getattr(defaults, item.name))
        yield item.metadata["variable"], shown, item.metadata["meaning"]


def _parsed(text: str, item: Field, kind: type) -> Any:
    about = item.metadata
    name = about["variable"]
    if about["choices"] and text not in about["choices"]:
        raise AppSettingsError(f"{name} is {text!r}; choose one of {', '.join(about['choices'])}.")
    if kind is str:
        return text
    try:
        value = kind(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise AppSettingsError(f"{name} is {text!r}; set it to {wanted}.") from None
    if not about["low"] <= value <= about["high"]:
        raise AppSettingsError(f"{name} is {text}; set it to a number from {about['low']:,g} to {about['high']:,g}.")
    return value


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}".removesuffix(".0")
