"""Conversion between records and table rows: configs, pairs and NaN have no column type of their own."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import Any

from engine.config import Config
from engine.data import TextFacts
from playground.runs.records import CheckpointInfo, Finding, Row, Run

NAME_LENGTH = 200
"""Characters of a run's name, at most."""

_NONE_IS_NAN = frozenset(
    {
        "loss", "grad_norm", "clipped_norm", "learning_rate", "tokens_per_second", "seconds", "train_seconds",
        "val_loss", "bits_per_character", "train_loss", "verbatim_share",
    }
)  # fmt: skip
"""Columns in which SQLite stores NaN as NULL."""


def run_values(config: Config, name: str, *, owner: str, visibility: str, now: float) -> dict[str, Any]:
    """The columns of a new run."""
    return {
        "name": name.strip()[:NAME_LENGTH] or default_name(config),
        "config": config.to_json(),
        "corpus": config.data.corpus,
        "owner": owner,
        "visibility": visibility,
        "created": now,
        "queued": now,
    }


def default_name(config: Config) -> str:
    """The name of a run until it is renamed."""
    corpus = "own text" if config.data.corpus.startswith("own:") else config.data.corpus
    layers = f"{config.model.layers} × " if config.model.layers > 1 else ""
    return f"{config.model.cell} {layers}{config.model.units} on {corpus}"


def run_from_row(row: Any) -> Run:
    """The run that a row of the table `runs` describes."""
    values = dict(row._mapping)
    parent = (values["parent_run"], values["parent_step"]) if values["parent_run"] is not None else None
    special: dict[str, Any] = {
        "config": _config(values["config"]),
        "evaluation_steps": tuple(json.loads(values["evaluation_steps"])),
        "suggestion": json.loads(values["suggestion"]),
        "parent": parent,
        "spark": sparkline_from_text(values["spark"]),
        "text_facts": _text_facts(values["text_facts"]),
        "starter": False,
    }
    known: dict[str, Any] = {name: special.get(name, values.get(name)) for name in _names(Run)}
    return Run(**known)


def sparkline_from_text(text: str) -> tuple[tuple[int, float], ...]:
    """The points of a sparkline, as stored in the column `spark`."""
    return tuple(map(tuple, json.loads(text)))


def _text_facts(text: str | None) -> TextFacts | None:
    return None if text is None else TextFacts.from_dict(json.loads(text))


@functools.lru_cache(maxsize=1024)
def _config(text: str) -> Config:
    return Config.from_json(text)


def to_row(record: Row | CheckpointInfo | Finding, run: str, version: int) -> dict[str, Any]:
    """A record of `run` as values of its table's columns."""
    kind: type = type(record)
    values = {name: getattr(record, name) for name in _names(kind)}
    return values | {"run": run, "version": version}


def from_row(kind: type, row: Any) -> Any:
    """The record of that kind from a row that has the record's fields in order."""
    pairs = zip(_names(kind), row, strict=True)
    return kind(**{name: math.nan if value is None and name in _NONE_IS_NAN else value for name, value in pairs})


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in dataclasses.fields(kind))


def finite(value: float | None) -> float | None:
    """`value`, or None if it is NaN or infinite."""
    return value if value is not None and math.isfinite(value) else None


def run_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a run as SQL values: mappings, tuples and facts become JSON."""
    plain = dict(values)
    for name in ("suggestion", "evaluation_steps", "spark"):
        if name in plain:
            kept = plain[name]
            plain[name] = json.dumps(dict(kept) if isinstance(kept, Mapping) else list(kept))
    facts = plain.get("text_facts")
    if isinstance(facts, TextFacts):
        plain["text_facts"] = json.dumps(facts.to_dict())
    return plain
