"""The kinds of settings that stand in a link: how each is read, written, and what a sentence says where it is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from playground.text import shorten

LARGEST = 10**12 - 1
"""The largest number that a link can give; whether there is such a place, whoever shows it finds out."""

_MOST_DIGITS = 1_000  # Python reads no more than 4,300; both are beyond `LARGEST`

_WHOLE = re.compile(r"-?[0-9]+")
_NAME = re.compile(r"[\w-]{1,64}")
_FLAGS = {"1": True, "0": False, "True": True, "False": False}


class NearestError(ValueError):
    """An invalid value. The message says what is wrong; `nearest` is a valid one to use instead."""

    def __init__(self, message: str, nearest: Any) -> None:
        super().__init__(message)
        self.nearest = nearest


@dataclass(frozen=True)
class Kind:
    """What a setting may be.

    Attributes:
        parse: reads a value. It raises ValueError with what is wrong, as "'x' is not a timestep from 0 to 499", and
            `NearestError` where another value is clearly the nearest
        format: writes a value as `parse` reads it; None for one that stands in no link
        form: how a link gives it, where the sentence on what is wrong does not tell
    """

    parse: Callable[[str], Any]
    format: Callable[[Any], str | None] = str
    form: str = ""


def setting(default: Any, kind: Kind, title: str, at_first: str = "") -> Any:
    """A field of the settings of a page.

    Args:
        default: left out of the link
        kind: what it may be
        title: what sentences call it
        at_first: the default in words; without them it is given as in a link
    """
    return field(default=default, metadata={"kind": kind, "title": title, "at_first": at_first or kind.format(default)})


def quoted(text: str) -> str:
    """A part of the link as a sentence repeats it: data, which is escaped where it is drawn."""
    return repr(shorten(text, 40))


def choice(*names: str) -> Kind:
    """One of several words."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"{quoted(text)} is not one of {', '.join(names)}")
        return text

    return Kind(parse)


def flag() -> Kind:
    """On or off. Links of earlier versions have True and False."""

    def parse(text: str) -> bool:
        if text not in _FLAGS:
            raise ValueError(f"{quoted(text)} is neither 1 nor 0")
        return _FLAGS[text]

    return Kind(parse, lambda value: "1" if value else "0")


def whole(what: str, low: int, high: int) -> Kind:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        value = _whole_number(text)
        if value is None or not low <= value <= high:
            raise ValueError(f"{quoted(text)} is not a {what} from {low:,} to {high:,}")
        return value

    return Kind(parse)


def index(what: str, last: str = "") -> Kind:
    """A place counted from 0, where only the run knows how many there are.

    Args:
        what: what is counted
        last: what -1 stands for, where it stands for something
    """
    also = f", or -1 for the {last}" if last else ""

    def parse(text: str) -> int:
        value = _whole_number(text)
        wrong = f"{quoted(text)} is not a valid {what}: give a whole number of 0 or more{also}"
        if value is None:
            raise ValueError(wrong)
        if not (-1 if last else 0) <= value <= LARGEST:
            raise NearestError(wrong, min(max(value, 0), LARGEST))
        return value

    return Kind(parse)


def _whole_number(text: str) -> int | None:
    return int(text[:_MOST_DIGITS]) if _WHOLE.fullmatch(text) else None


def number(what: str, low: float, high: float) -> Kind:
    """A number within bounds, to six significant digits."""

    def parse(text: str) -> float:
        try:
            value = float(text) if text.isascii() and len(text) <= 20 else math.nan
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"{quoted(text)} is not a {what} from {low:,.10g} to {high:,.10g}")
        return six_digits(value)

    return Kind(parse, lambda value: f"{value:.6g}")


def six_digits(value: float) -> float:
    """A number as a link has it."""
    return float(f"{value:.6g}")


def text(longest: int, linked: int | None = None) -> Kind:
    """Any text; of one that is too long the beginning is used.

    Args:
        longest: characters that it has at most
        linked: characters up to which it stands in the link
    """

    def parse(given: str) -> str:
        if len(given) > longest:
            read = f"only the first {longest:,} are read"
            raise NearestError(f"it has {len(given):,} characters; {read}", given[:longest])
        return given

    return Kind(parse, lambda value: value if linked is None or len(value) <= linked else None)


def name(what: str) -> Kind:
    """A word of letters, digits and dashes. Whether there is such a thing, whoever shows it finds out."""

    def parse(given: str) -> str:
        if not _NAME.fullmatch(given):
            raise ValueError(f"{quoted(given)} is not a valid {what} (at most 64 letters, digits and dashes)")
        return given

    return Kind(parse)


def either(word: str, other: Kind, form: str) -> Kind:
    """A certain word, or else a value of another kind."""
    return Kind(
        lambda text: word if text == word else other.parse(text),
        lambda value: word if value == word else other.format(value),
        form,
    )


def group(
    form: str,
    *kinds: Kind,
    make: Callable[..., Any] = lambda *values: values,
    values: Callable[[Any], tuple[Any, ...]] = tuple,
) -> Kind:
    """Values with colons between, as "3:17".

    Args:
        form: names them, as "timestep:token"
        kinds: what each may be
        make, values: makes one thing of them, and takes it apart again
    """

    def parse(text: str) -> Any:
        parts = text.split(":")
        if len(parts) != len(kinds):
            raise ValueError(f"{quoted(text)} is not {form}")
        try:
            return make(*(kind.parse(part) for kind, part in zip(kinds, parts, strict=True)))
        except ValueError as error:
            raise ValueError(f"{error}, in {quoted(text)}") from None

    def write(value: Any) -> str:
        return ":".join(str(kind.format(part)) for kind, part in zip(kinds, values(value), strict=True))

    return Kind(parse, write, f"{form}, positions counted from 0")


def several(kind: Kind, most: int, by: Callable[[Any], Hashable], *, ordered: bool = False) -> Kind:
    """Up to `most` values with commas between, in a tuple.

    Args:
        kind: what each may be
        most: how many there can be
        by: of those for which it is the same, the last counts
        ordered: whether they are sorted
    """

    def parse(text: str) -> tuple[Any, ...]:
        parts = text.split(",")
        if len(parts) > most:
            raise ValueError(f"it has {len(parts):,} values; at most {most} are allowed")
        found = {by(value): value for value in map(kind.parse, parts)}.values()
        return tuple(sorted(found) if ordered else found)

    return Kind(
        parse, lambda values: ",".join(str(kind.format(value)) for value in values), f"{kind.form}, separated by commas"
    )
