"""One unit along a probe at every step of training whose weights are kept."""

from __future__ import annotations

from typing import Any

from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register


def compute(given: JobInput) -> dict[str, Any]:
    """Arguments: "probe" and "context", token ids; "quantity", "layer" and "unit"."""
    import engine

    wanted = given.arguments
    probe, context = list(wanted["probe"]), list(wanted["context"])
    layer, unit, quantity = int(wanted["layer"]), int(wanted["unit"]), str(wanted["quantity"])
    steps = list(given.kept_steps)
    rows = []
    for place, (_, model) in enumerate(given.models(steps), start=1):
        state = engine.warm(model, context) if context else None
        trace = engine.record(model, probe, state=state)
        rows.append([float(value) for value in trace[quantity][layer, :, unit]])
        given.report(place / len(steps))
    return {"steps": steps, "values": rows}


register(JobKind("unit_along_training", "Unit along training", compute))
