"""Sentences on a text: how surprised its writer was, what is copied, and what of the prompt could not be read."""

from __future__ import annotations

from engine.cells import CELLS
from engine.numbers import enough_digits
from playground.access import writing
from playground.access.models import Loaded
from playground.access.training_text import Copied, Missing
from playground.access.unread import not_read
from playground.access.writing import WritingJob
from playground.parts.samples import repeated
from playground.text import number, shorten, visible

_DREW_END = "<eos> (end of line) was drawn and"


def who(loaded: Loaded) -> str:
    """A model by its run and step."""
    return f"{shorten(visible(loaded.run.name), 40)}, step {loaded.step:,}"


def one(loaded: Loaded) -> str:
    """One token, as people call it."""
    return "character" if loaded.vocabulary.level == "char" else "word"


def bits_with_perplexity(bits: float) -> str:
    """Bits per token beside a perplexity: with as many digits as it takes to get the one printed, 2 to the bits."""
    return enough_digits(bits, lambda printed: (2.0**printed,))


def claim(loaded: Loaded, job: WritingJob, copied: Copied | Missing | None) -> str:
    """One sentence with the text's numbers."""
    cell = CELLS[loaded.run.config.model.cell].title
    bits = job.bits()
    if not bits and not job.active:
        return f"This {cell} ended its text before the first {one(loaded)}: try another seed or prompt."
    if not bits:
        return f"This {cell} has not generated anything yet."
    mean = sum(bits) / len(bits)
    temperature = job.request.temperature
    how = "Decoded greedily" if temperature == 0 else f"Sampled at temperature {temperature:g}"
    sentence = (
        f"{how}, this {cell}'s text has a surprisal of {bits_with_perplexity(mean)} bits per {one(loaded)} "
        f"(perplexity {number(2.0**mean)})"
    )
    return sentence + _told(job, copied)


def _told(job: WritingJob, copied: Copied | Missing | None) -> str:
    if job.active:
        return "."
    looped = repeated(job.text())
    if looped:
        return f"; it falls into {looped}."
    if not isinstance(copied, Copied):
        return "."
    if not copied.longest:
        return "; none of it is copied verbatim from the training text."
    share = number(100 * copied.share)
    longest = f"the longest stretch has {len(copied.longest):,} characters"
    return f"; {share}% of it is copied verbatim from the training text ({longest})."


def progress(loaded: Loaded, job: WritingJob, waiting: int) -> str:
    """How the writing stands: what came, how fast, and how it ended."""
    count, tokens = job.written, loaded.tokens
    if job.status == writing.WAITING:
        return f"Queued, number {waiting + 1} in line." if waiting else "Starting."
    if job.status == writing.FAILED:
        return ""
    speed = f", {number(count / job.seconds)} per second" if job.seconds > 0 and count else ""
    if job.status == writing.WRITING:
        if not count:
            return f"Reading the prompt of {len(job.start):,} {tokens}."
        return f"Generating: {count:,} of {job.request.length:,} {tokens}{speed}."
    came = "<eos> (end of line) was inserted and" if count in dict(job.request.forced) else _DREW_END
    ending = {
        writing.DONE: "",
        writing.ENDED: f" {came} ended the text there.",
        writing.STOPPED: f" Stopped at {count:,} of {job.request.length:,}.",
    }[job.status]
    written = f"1 {one(loaded)}" if count == 1 else f"{count:,} {tokens}"
    return f"{written} generated{speed}.{ending}"


def verbatim(copied: Copied | Missing | None) -> str:
    """What is copied, with the longest stretch by name."""
    if copied is None:
        return "Searching the training text for copied stretches."
    if isinstance(copied, Missing):
        return f"Copied stretches cannot be marked: {copied.why}"
    if not copied.longest:
        return "No stretch of 20 characters or more is copied from the training text."
    stretch = shorten(visible(copied.longest, spaces=copied.longest.isspace()), 90)
    return f"The longest stretch copied from the training text has {len(copied.longest):,} characters: “{stretch}”."


def on_prompt(given: str, job: WritingJob) -> str:
    """What of a prompt the model could not read, and where a text without one starts."""
    parts = [not_read(given, job.vocabulary)]
    if not job.prompt:
        what = "The prompt is empty" if not given else "No part of the prompt can be read"
        first = job.vocabulary.display(job.start[0])
        meaning = {"↵": "a line end", "<eos>": "a line end, <eos>"}.get(first, f"“{first}”")
        parts.append(f"{what}: the model starts from {meaning}.")
    return " ".join(filter(None, parts))


def why_empty(job: WritingJob) -> str:
    """Why a text that is done has no tokens."""
    return "<eos> was drawn first: the line is empty." if job.status == writing.ENDED else "No tokens were generated."
