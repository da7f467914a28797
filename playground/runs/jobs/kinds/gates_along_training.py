"""How saturated the gates of each layer are at every step of training whose weights are kept."""

from __future__ import annotations

from functools import partial
from typing import Any

from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register


def compute(given: JobInput) -> dict[str, Any]:
    """Arguments: "tokens", how many of the validation text to read at each step."""
    from engine.analysis.gate_statistics import gate_statistics

    tokens = given.corpus.validation[: int(given.arguments["tokens"])]
    steps = list(given.kept_steps)
    shares: dict[str, list[list[float]]] = {}
    for place, (_, model) in enumerate(given.models(steps)):
        found = gate_statistics(model, tokens, report=partial(_within, given, place, len(steps)))
        for name, use in found.gates.items():
            shares.setdefault(name, []).append((use.shut + use.open).mean(-1).tolist())  # of each layer
    return {"tokens": len(tokens), "steps": steps, "shares": shares}


def _within(given: JobInput, place: int, steps: int, share: float) -> None:
    given.report((place + share) / steps)


register(JobKind("gates_along_training", "Saturation along training", compute))
