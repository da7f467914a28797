"""Sentences on a text: how surprised its writer was, what is copied, and what of the prompt could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from engine.cells import CELLS
from engine.data import Vocabulary
from engine.data.words import tokenise
from playground.access import writing
from playground.access.models import Loaded
from playground.access.training_text import Copied, Missing
from playground.access.writing import WritingJob
from playground.parts.samples import repeated
from playground.text import number, shorten, visible

_MOST_UNKNOWN = 8
_DREW_END = "It drew <eos>, the end of a line, and"


def who(loaded: Loaded) -> str:
    """A model by its run and step."""
    return f"{shorten(visible(loaded.run.name), 40)}, step {loaded.step:,}"


def one(loaded: Loaded) -> str:
    """One token, as people call it."""
    return "character" if loaded.vocabulary.level == "char" else "word"


def claim(loaded: Loaded, job: WritingJob, copied: Copied | Missing | None) -> str:
    """One sentence with the text's numbers."""
    cell = CELLS[loaded.run.config.model.cell].title
    bits = job.bits()
    if not bits and not job.active:
        return f"This {cell} ended its text before the first {one(loaded)}: take another seed or prompt."
    if not bits:
        return f"This {cell} is about to write: nothing is on paper yet."
    mean = sum(bits) / len(bits)
    how = (
        "always taking the likeliest" if job.request.temperature == 0 else f"at temperature {job.request.temperature:g}"
    )
    sentence = (
        f"Writing {how}, this {cell} is surprised by {number(mean)} bits at each {one(loaded)}: "
        f"as if it chose among {number(2.0**mean)}"
    )
    return sentence + _told(job, copied)


def _told(job: WritingJob, copied: Copied | Missing | None) -> str:
    if job.active:
        return "."
    looped = repeated(job.text())
    if looped:
        return f"; it is {looped}."
    if not isinstance(copied, Copied):
        return "."
    if not copied.longest:
        return "; nothing of it stands word for word in its training text."
    share = number(100 * copied.share)
    return f"; {share}% of it stands word for word in its training text, up to {len(copied.longest):,} characters."


def progress(loaded: Loaded, job: WritingJob, waiting: int) -> str:
    """How the writing stands: what came, how fast, and how it ended."""
    count, tokens = job.written, loaded.tokens
    if job.status == writing.WAITING:
        return f"Waits to be written, number {waiting + 1} in line." if waiting else "Begins."
    if job.status == writing.FAILED:
        return ""
    speed = f", {number(count / job.seconds)} a second" if job.seconds > 0 and count else ""
    if job.status == writing.WRITING:
        if not count:
            return f"Reads the prompt of {len(job.start):,} {tokens}."
        return f"Writes: {count:,} of {job.request.length:,} {tokens}{speed}."
    came = "<eos>, the end of a line, was put in and" if count in dict(job.request.forced) else _DREW_END
    ending = {
        writing.DONE: "",
        writing.ENDED: f" {came} ended its text there.",
        writing.STOPPED: f" Stopped at {count:,} of {job.request.length:,}.",
    }[job.status]
    written = f"1 {one(loaded)}" if count == 1 else f"{count:,} {tokens}"
    return f"{written} written{speed}.{ending}"


def verbatim(copied: Copied | Missing | None) -> str:
    """What is copied, with the longest stretch by name."""
    if copied is None:
        return "The training text is being read, to mark what is copied from it."
    if isinstance(copied, Missing):
        return f"Nothing can be marked as copied: {copied.why}"
    if not copied.longest:
        return "No stretch of 20 characters or more stands in the training text."
    stretch = shorten(visible(copied.longest), 90)
    return f"The longest stretch that stands in the training text has {len(copied.longest):,} characters: “{stretch}”."


def on_prompt(given: str, job: WritingJob) -> str:
    """What of a prompt the model could not read, and where a text without one starts."""
    parts = [not_read(given, job.vocabulary)]
    if not job.prompt:
        what = "The prompt is empty" if not given else "Nothing of the prompt is left"
        first = job.vocabulary.display(job.start[0])
        meaning = {"↵": "a line end", "<eos>": "a line end, <eos>"}.get(first, f"“{first}”")
        parts.append(f"{what}: the text starts after {meaning}, which the model reads first.")
    return " ".join(filter(None, parts))


def not_read(text: str, vocabulary: Vocabulary) -> str:
    """A sentence on what of a text the vocabulary has no symbol for; empty if it has them all."""
    unknown = unknown_tokens(text, vocabulary)
    if not unknown:
        return ""
    named = ", ".join(f"“{shorten(visible(token, spaces=True), 24)}”" for token in unknown[:_MOST_UNKNOWN])
    more = f" and {len(unknown) - _MOST_UNKNOWN:,} more" if len(unknown) > _MOST_UNKNOWN else ""
    if vocabulary.unknown is None:
        return f"This model has no symbol for {named}{more}: left out."
    return f"This model has no symbol for {named}{more}: it reads <unk> instead."


def unknown_tokens(text: str, vocabulary: Vocabulary) -> Sequence[str]:
    """The characters or words of a text that the vocabulary lacks, each once, in their order."""
    separated = bool(getattr(vocabulary, "separated", False))
    tokens = text if vocabulary.level == "char" else tokenise(text, separated)
    known = set(vocabulary.symbols)
    return [token for token in dict.fromkeys(tokens) if token not in known]


def why_empty(job: WritingJob) -> str:
    """Why a text that is done has not one token."""
    return "It drew <eos> at once: an empty line." if job.status == writing.ENDED else "Not one token was written."
