"""What every gate of every unit does over the validation text, and how long each unit remembers."""

from __future__ import annotations

from typing import Any

from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register


def compute(given: JobInput) -> dict[str, Any]:
    """Arguments: "tokens", how many of the validation text to read."""
    from engine.analysis.gate_statistics import gate_statistics

    tokens = given.corpus.validation[: int(given.arguments["tokens"])]
    found = gate_statistics(given.model, tokens, report=given.report)
    return {
        "tokens": found.tokens,
        "gates": {
            name: {"shut": use.shut.tolist(), "open": use.open.tolist(), "mean": use.mean.tolist()}
            for name, use in found.gates.items()
        },
        "half_lives": None if found.half_lives is None else found.half_lives.tolist(),
    }


register(JobKind("gate_statistics", "Saturation and memory", compute))
