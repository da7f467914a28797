"""Reading JSON from an untrusted file: objects whose values are read one by one, each checked.

The errors are sentences for visitors that name the value, where it stands and what is due there, within bounds that
depend on the config and on this installation's limits; a schema library states neither.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable
from typing import Any, TypeVar

from playground.runs.archive.layout import is_control, printable, refused

Value = TypeVar("Value")


def parsed(member: str, raw: bytes) -> Any:
    """The JSON value in a member.

    Raises:
        RunArchiveError: not JSON, or with NaN or infinity, which JSON does not have
    """
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise refused(member, f"is not JSON ({printable(str(error))})") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


class JsonObject:
    """A JSON object in a member. Each method reads one value and raises RunArchiveError if it is not valid."""

    def __init__(self, member: str, value: Any, where: str = "") -> None:
        self.member = member
        self.where = where
        if not isinstance(value, dict):
            what = where.strip().removesuffix("'s") or "a value"
            raise refused(member, f"has no JSON object where {what} should be")
        self._values = value

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def optional(self, read: Callable[..., Value], name: str, *bounds: float) -> Value | None:
        """What the method `read` gives for that name; None if there is no value."""
        return read(name, *bounds) if name in self else None

    def raw(self, name: str) -> Any:
        """The unchecked value; None if there is none."""
        return self._values.get(name)

    def wrong(self, name: str, expected: str) -> Exception:
        """The error for the value of that name, where `expected` says what should stand there."""
        value = self._values.get(name)
        return refused(self.member, f"has {printable(_repr(value))} as {self.where}{name}, but {expected} is expected")

    def count(self, name: str, high: int, low: int = 0) -> int:
        """A whole number from `low` to `high`."""
        value = self._values.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(name, f"a whole number from {low:,} to {high:,}")
        return value

    def number(self, name: str, high: float = math.inf, low: float = -math.inf) -> float:
        """A finite number within bounds."""
        value: Any = self._values.get(name)
        if type(value) not in (int, float):
            raise self.wrong(name, "a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number) or not low <= number <= high:
            raise self.wrong(name, "a number" if math.isinf(high) else f"a number from {low:,g} to {high:,g}")
        return number

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._values.get(name)
        if type(value) is not bool:
            raise self.wrong(name, "true or false")
        return value

    def line(self, name: str, most: int) -> str:
        """One line of text without control characters."""
        value = self.text(name, most)
        if any(map(is_control, value)):
            raise self.wrong(name, "a text without control characters")
        return value

    def text(self, name: str, most: int) -> str:
        """A text of at most `most` characters that every database can hold."""
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > most:
            raise self.wrong(name, f"a text of at most {most:,} characters")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise self.wrong(name, "a text without NUL characters or unpaired surrogates")
        return value

    def items(self, name: str, most: int) -> list[Any]:
        """A list of at most `most` values."""
        value = self._values.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(name, f"a list of at most {most:,}")
        return value


def _repr(value: Any) -> str:
    try:
        return "nothing" if value is None else reprlib.repr(value)
    except ValueError:  # Python writes no numbers of more than 4,300 digits
        return "a number with thousands of digits"
