"""The units that are on in a span of the probe, and the places of the corpus where the same units are on."""

from __future__ import annotations

from typing import Any

from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register

_AROUND = 40
"""Tokens of a passage before and after the place itself."""


def compute(given: JobInput) -> dict[str, Any]:
    """Arguments: "probe" and "context", token ids; "first" and "last" timestep; "layer" and "state"; "tokens"."""
    import torch

    import engine
    from engine.analysis.labelled_text import pieces_of
    from engine.analysis.span_search import search_span

    wanted = given.arguments
    probe, context = list(wanted["probe"]), list(wanted["context"])
    trace = engine.record(given.model, probe, state=engine.warm(given.model, context) if context else None)
    corpus, most = given.corpus, int(wanted["tokens"])
    pieces = pieces_of(corpus.validation_text, corpus.vocabulary) + pieces_of(corpus.train_text, corpus.vocabulary)
    tokens = torch.cat((corpus.validation, corpus.train))[:most]
    span, state = (int(wanted["first"]), int(wanted["last"])), str(wanted["state"])
    found = search_span(given.model, trace, span, int(wanted["layer"]), state, tokens, report=given.report)
    return {
        "tokens": found.tokens,
        "held_out": min(len(corpus.validation), len(tokens)),
        "units": [vars(one) for one in found.units],
        "passages": [
            {
                **vars(one),
                "before": pieces[max(0, one.first - _AROUND) : one.first],
                "inside": pieces[one.first : one.last + 1],
                "after": pieces[one.last + 1 : one.last + 1 + _AROUND],
            }
            for one in found.passages
        ],
    }


register(JobKind("span_search", "Span search", compute))
