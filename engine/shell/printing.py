"""Events on the terminal: JSON lines for programs, a progress bar and short lines for people."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from dataclasses import asdict
from typing import Any, Protocol, TextIO

from engine.training.events import (
    Changed,
    Diverged,
    Evaluated,
    Event,
    Finished,
    Planned,
    Progress,
    Sampled,
    Working,
)

_NAMES: dict[type[Event], str] = {
    Planned: "planned",
    Progress: "progress",
    Evaluated: "evaluation",
    Sampled: "sample",
    Changed: "changed",
    Diverged: "diverged",
    Finished: "finished",
}
_BAR = 24
_AT_WORK = {"plan": "measuring how many steps fit into the time", "evaluation": "evaluation, {share:.0%} read"}


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

    def event(self, event: Event) -> None:
        match event:
            case Planned():
                self._planned = event.planned_steps
                self._line(f"{event.parameters:,} parameters, {event.planned_steps:,} steps on {event.device}")
            case Progress():
                self._bar(event)
            case Working():
                self._working(event)
            case Evaluated():
                mark = " (best so far)" if event.best else " (rising)" if event.rising else ""
                self._line(
                    f"step {event.step:>7,}  {event.seconds:7.1f} s  validation {event.val_loss:.4f} nats, "
                    f"{event.bits_per_character:.3f} bits per character{_tokens(event)}{mark}"
                )
            case Sampled():
                short = textwrap.shorten(event.text, 96, placeholder=" ...")
                self._line(f"    {short}")
            case Changed():
                self._line(f"step {event.step:>7,}  {event.key} is now {event.value:g}")
            case Diverged():
                self._line(f"Stopped at step {event.step:,}: {event.reason} {event.advice}")
            case Finished():
                self._line(
                    f"Finished after {event.step:,} steps and {event.seconds:.1f} s at "
                    f"{event.tokens_per_second:,.0f} tokens a second: validation {event.val_loss:.4f}, best "
                    f"{event.best_loss:.4f} at step {event.best_step:,}."
                )

    def message(self, name: str, /, **facts: Any) -> None:
        self._line(str(facts.get("message", name)))

    def _bar(self, event: Progress) -> None:
        if not self._out.isatty():
            return
        full = round(_BAR * event.step / self._planned)
        self._over(
            f"{'█' * full}{'·' * (_BAR - full)} {event.step:,}/{self._planned:,}  loss {event.loss:.4f}  "
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
