"""Which units track something: all of them ranked, and the best shown on a passage of held-out text."""

from __future__ import annotations

from typing import Any

from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register

_SHOWN_UNITS = 3
_PASSAGE = 480
"""Tokens of the passage that is shown."""

_BEFORE = 40
"""Tokens of it before the hypothesis first changes."""

_MOST_SCORES = 2_000


def compute(given: JobInput) -> dict[str, Any]:
    """Arguments: "hypothesis", a name; "tokens", how many to read."""
    from engine.analysis.hypotheses import hypothesis
    from engine.analysis.labelled_text import split_texts
    from engine.analysis.unit_search import find_units

    asked = hypothesis(str(given.arguments["hypothesis"]))
    fit, held_out = split_texts(given.corpus, asked, int(given.arguments["tokens"]))
    found = find_units(given.model, fit, held_out, asked, report=lambda share: given.report(0.98 * share))
    begin = _begin(held_out.holds.tolist())
    shown = slice(begin, begin + _PASSAGE)
    best = found.scores[:_SHOWN_UNITS]
    return {
        "title": asked.title,
        "numeric": asked.numeric,
        "scores": [vars(one) for one in found.scores[:_MOST_SCORES]],
        "untrained": found.untrained,
        "shuffled": found.shuffled,
        "baseline": found.baseline,
        "found": found.found,
        "fitted": found.fitted,
        "held_out": found.held_out,
        "share": found.share,
        "passage": {
            "pieces": list(held_out.pieces[shown]),
            "holds": held_out.holds[shown].tolist(),
            "values": [_values(given, held_out.tokens, shown, one.quantity, one.layer, one.unit) for one in best],
        },
    }


def _begin(holds: list[bool]) -> int:
    """Where the passage begins: a little before the hypothesis changes for the first time."""
    changes = (place for place in range(1, len(holds)) if holds[place] != holds[place - 1])
    return max(0, min(next(changes, 0) - _BEFORE, len(holds) - _PASSAGE))


def _values(given: JobInput, tokens: Any, shown: slice, quantity: str, layer: int, unit: int) -> list[float]:
    """A unit's values along the passage."""
    import engine
    from engine.trace import LONGEST_PROBE

    before = tokens[max(0, shown.start - 2 * LONGEST_PROBE) : shown.start]
    trace = engine.record(given.model, tokens[shown], state=engine.warm(given.model, before))
    return [float(value) for value in trace[quantity][layer, :, unit]]


register(JobKind("unit_search", "Unit search", compute))
