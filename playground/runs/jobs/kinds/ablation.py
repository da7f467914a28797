"""What breaks without a unit: losses with and without it, and the text that the model writes."""

from __future__ import annotations

from typing import Any

from playground.runs.jobs.job_input import JobInput
from playground.runs.jobs.registry import JobKind, register

_SAMPLE = 400
_SEED = 7
_TEMPERATURE = 0.7


def compute(given: JobInput) -> dict[str, Any]:
    """Arguments: "hypothesis", a name; "tokens", how many to read; of the hold "quantity", "layer", "unit", "value"."""
    from engine.analysis.ablation import ablate
    from engine.analysis.hypotheses import hypothesis
    from engine.analysis.labelled_text import split_texts
    from engine.models.long_pass import Hold

    wanted = given.arguments
    asked = hypothesis(str(wanted["hypothesis"]))
    hold = Hold(str(wanted["quantity"]), int(wanted["layer"]), int(wanted["unit"]), float(wanted["value"]))
    _, held_out = split_texts(given.corpus, asked, int(wanted["tokens"]))
    losses = ablate(given.model, held_out, [hold], report=lambda share: given.report(0.6 * share))
    before = _written(given, [], 0.6)
    after = _written(given, [hold], 0.8)
    return {**vars(losses), "where": asked.where, "sample": before, "sample_ablated": after}


def _written(given: JobInput, holds: list[Any], done: float) -> str:
    """A sample from the run's own prompt, with the same random numbers each time."""
    from engine.decoding.sampling import sample
    from engine.start import continuing, prompt_tokens

    words = given.vocabulary
    prompt, start = prompt_tokens(given.config.sampling.prompt, words)
    added = continuing(prompt, start, words)
    pieces: list[str] = [prompt]
    forbidden = () if words.unknown is None else (words.unknown,)
    length = _SAMPLE if words.level == "char" else _SAMPLE // 4
    for place, token in enumerate(
        sample(
            given.model, start, length=length, seed=_SEED, temperature=_TEMPERATURE, forbidden=forbidden, holds=holds
        )
    ):
        pieces.append(added(token))
        given.report(done + 0.2 * place / length)
    return "".join(pieces)


register(JobKind("ablation", "Ablation", compute))
