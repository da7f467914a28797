"""Events on the terminal: JSON lines for programs, a progress bar and short lines for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Protocol, TextIO

from engine.data import TextFacts, Vocabulary
from engine.numbers import fixed, number
from engine.training.events import (
    Changed,
    Diverged,
    Evaluated,
    Event,
    Finished,
    Planned,
    Progress,
    Sampled,
    TextRead,
    Working,
)

_NAMES: dict[type[Event], str] = {
    Planned: "planned",
    TextRead: "text",
    Progress: "progress",
    Evaluated: "evaluation",
    Sampled: "sample",
    Changed: "changed",
    Diverged: "diverged",
    Finished: "finished",
}
_BAR = 24
_AT_WORK = {
    "plan": "measuring how many steps fit into the time limit",
    "text": "analysing the text",
    "evaluation": "evaluation, {share:.0%} read",
}


class Printer(Protocol):
    """Prints a run's events and messages."""

    def event(self, event: Event) -> None: ...

    def message(self, name: str, /, **facts: Any) -> None: ...


def as_json(event: Event) -> str | None:
    """An event as one JSON line, or None for those that only matter inside."""
    name = _NAMES.get(type(event))
    if name is None:
        return None
    facts = asdict(event)
    if isinstance(event, Finished):
        facts["steps"] = facts.pop("step")
    return json_line(name, **facts)


def json_line(name: str, /, **facts: Any) -> str:
    """One JSON object on one line; numbers that JSON does not have become null."""
    return json.dumps({"event": name, **{key: _finite(value) for key, value in facts.items()}}, ensure_ascii=False)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _left(seconds: float) -> str:
    return f"  {seconds:.0f} s left" if math.isfinite(seconds) else ""


def _tokens(event: Evaluated) -> str:
    """On how many tokens a loss stands, where that is not all of them."""
    if event.tokens_read >= event.tokens_in_all:
        return ""
    return f", on {event.tokens_read:,} of {event.tokens_in_all:,} tokens"


def on_one_line(text: str, longest: int = 96) -> str:
    """The beginning of a sample on one line: as words, or, where there are only spaces and line ends, as these."""
    words = " ".join(text.split())
    if not words:
        words = text.replace("\n", "⏎").replace(" ", "␣").replace("\t", "⇥")
    if len(words) <= longest:
        return words
    cut = words[: longest - 3]
    whole, _, rest = cut.rpartition(" ")  # a script without spaces is cut anywhere
    return f"{whole if whole and len(rest) < longest // 2 else cut} ..."


def unread_notes(prompt: str, vocabulary: Vocabulary) -> Iterator[str]:
    """What of a prompt the model has no symbol for, and what it reads instead."""
    for token, other in vocabulary.read_instead(prompt).items():
        yield f"{token!r} in the prompt is not in the vocabulary: " + (f"read as {other!r}." if other else "left out.")


class JsonPrinter:
    """One JSON object a line."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def event(self, event: Event) -> None:
        line = as_json(event)
        if line is not None:
            print(line, file=self._out, flush=True)

    def message(self, name: str, /, **facts: Any) -> None:
        print(json_line(name, **facts), file=self._out, flush=True)


class PeoplePrinter:
    """A progress bar on a terminal, and a line (with a bit of text) for each evaluation."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._planned = 1
        self._bar_shown = False
        self._unknown = ""

    def event(self, event: Event) -> None:
        match event:
            case Planned():
                self._planned = event.planned_steps
                self._line(f"{event.parameters:,} parameters, {event.planned_steps:,} steps on {event.device}")
            case Progress():
                self._bar(event)
            case Working():
                self._working(event)
            case TextRead():
                self._text(event.facts)
            case Evaluated():
                mark = " (best so far)" if event.best else " (rising)" if event.rising else ""
                self._line(
                    f"step {event.step:>7,}  {event.seconds:7.1f} s  validation {fixed(event.val_loss, 4)} nats, "
                    f"{fixed(event.bits_per_character, 3)} bits per character{_tokens(event)}{self._unknown}{mark}"
                )
            case Sampled():
                self._line(f"    {on_one_line(event.text)}")
            case Changed():
                self._line(f"step {event.step:>7,}  {event.key} changed to {number(event.value)}")
            case Diverged():
                self._line(f"Stopped at step {event.step:,}: {event.reason} {event.advice}")
            case Finished():
                self._line(
                    f"Finished after {event.step:,} steps and {event.seconds:.1f} s at "
                    f"{event.tokens_per_second:,.0f} tokens/s: validation loss {fixed(event.val_loss, 4)}, best "
                    f"{fixed(event.best_loss, 4)} at step {event.best_step:,}."
                )

    def message(self, name: str, /, **facts: Any) -> None:
        self._line(str(facts.get("message", name)))

    def _text(self, facts: TextFacts) -> None:
        """How bits per character are counted where some of a text is read as <unk>, and what of it is not unseen."""
        self._unknown = ""
        if facts.unknown_validation or facts.unknown_train or facts.spacing:
            self._unknown = f", {facts.unknown_validation:.1%} of its tokens unknown"
            self._line(
                f"Unknown tokens: {facts.unknown_train:.1%} of the training part, {facts.unknown_validation:.1%} of "
                f"the validation part. Bits per character add {facts.spelling:.3f} for spelling these with a character "
                f"3-gram model, and {facts.spacing:.3f} for spacing that the tokens do not determine."
            )
        self._line(f"{facts.seen:.1%} of the validation part occurs verbatim in the training part.")

    def _bar(self, event: Progress) -> None:
        if not self._out.isatty():
            return
        full = round(_BAR * event.step / self._planned)
        self._over(
            f"{'█' * full}{'·' * (_BAR - full)} {event.step:,}/{self._planned:,}  loss {fixed(event.loss, 4)}  "
            f"{event.tokens_per_second:,.0f} tokens/s{_left(event.seconds_left)}"
        )

    def _working(self, event: Working) -> None:
        if self._out.isatty() and event.what in _AT_WORK:
            self._over(_AT_WORK[event.what].format(share=event.share) + _left(event.seconds_left))

    def _over(self, text: str) -> None:
        """Write in place of the bar, without a line end."""
        self._out.write(f"\r{text} \033[K")
        self._out.flush()
        self._bar_shown = True

    def _line(self, text: str) -> None:
        if self._bar_shown:
            self._out.write("\r\033[K")
            self._bar_shown = False
        print(text, file=self._out, flush=True)
