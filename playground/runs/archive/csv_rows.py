"""Rows of a run as CSV, both ways: plain numbers under a header, as spreadsheets and data frames read them.

Floats have as many digits as reading them back exactly takes. Non-finite ones are written NaN, inf or -inf, None as
an empty cell. A text that a spreadsheet would take for a formula gets a leading apostrophe, which is removed again.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from playground.runs.archive.layout import (
    CHANGES,
    EVALUATIONS,
    MAX_CHANGES,
    MAX_EVALUATIONS,
    MAX_ROWS,
    MAX_SECONDS,
    MAX_SENTENCE,
    METRICS,
    is_control,
    printable,
    refused,
    single_line,
)
from playground.runs.records import Evaluation, Metric, RunChange

Record = TypeVar("Record", Metric, Evaluation, RunChange)

MAX_ROWS_OF: dict[str, int] = {METRICS: MAX_ROWS, EVALUATIONS: MAX_EVALUATIONS, CHANGES: MAX_CHANGES}
"""Largest number of rows of each table."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
_NO_NUMBER = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_LATER = frozenset({"tokens_read", "tokens_in_all"})  # columns that files of an older Unrolled do not have
_FORMULA = ("=", "+", "-", "@", "'")
_KEY = re.compile(r"[a-z][a-z0-9_ -]{0,39}", re.ASCII)


def to_csv(kind: type, rows: Iterable[Any]) -> bytes:
    """Records of one kind as a CSV file in UTF-8, their fields as columns."""
    names = [item.name for item in fields(kind)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_written(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue().encode("utf-8")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        line = single_line(value, MAX_SENTENCE)
        return f"'{line}" if line.startswith(_FORMULA) else line
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return repr(value)


def from_csv(member: str, kind: type[Record], raw: bytes, last_step: int) -> tuple[Record, ...]:
    """The records that `to_csv` wrote, none of them after `last_step`.

    Raises:
        RunArchiveError: names the line of an invalid value
    """
    readers = _readers(kind)
    rows = _lines(member, raw)
    header = next(rows, None)
    if header == [name for name in readers if name not in _LATER]:  # made by an older Unrolled
        readers = {name: readers[name] for name in header}
    if header != list(readers):
        raise refused(member, f"does not begin with the columns {', '.join(readers)}")
    found: list[Record] = []
    before = -1
    for line, row in enumerate(rows, start=2):
        if len(found) >= MAX_ROWS_OF[member]:
            raise refused(member, f"has more than {MAX_ROWS_OF[member]:,} rows")
        if len(row) != len(readers):
            raise refused(member, f"has {len(row)} values in line {line:,}; {len(readers)} are expected")
        try:
            values = {name: read(text) for (name, read), text in zip(readers.items(), row, strict=True)}
        except ValueError as error:
            raise refused(member, f"cannot be read in line {line:,}: {error}") from None
        step = values["step"]
        if step > last_step:
            raise refused(member, f"has a row for step {step:,}, but the run has steps 0 to {last_step:,}")
        if step <= before and kind is not RunChange:
            raise refused(member, f"has step {step:,} after step {before:,}: steps must be unique and in order")
        before = step
        found.append(kind(**values))
    return tuple(found)


def _lines(member: str, raw: bytes) -> Iterator[list[str]]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise refused(member, "is not UTF-8 text") from None
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise refused(member, f"is not a CSV file ({error})") from None


def _readers(kind: type) -> dict[str, Callable[[str], Any]]:
    """The parser of each column of a kind of record, in order."""
    hints = get_type_hints(kind)
    by_type: dict[Any, Callable[[str], Any]] = {
        int: _whole,
        float: _number,
        bool: _flag,
        str: _sentence,
        float | None: lambda text: None if text == "" else _number(text),
        int | None: lambda text: None if text == "" else _whole(text),
    }
    special: dict[str, Callable[[str], Any]] = {"key": _key}
    if kind is RunChange:
        special |= {"value": lambda text: None if text == "" else _finite(text), "when": _moment}
    return {item.name: special.get(item.name) or by_type[hints[item.name]] for item in fields(kind)}


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        raise ValueError(f"{printable(text) or 'nothing'} is not a whole number")
    return int(text)


def _number(text: str) -> float:
    if text.lower() in _NO_NUMBER:
        return _NO_NUMBER[text.lower()]
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError(f"{printable(text) or 'nothing'} is not a number")
    return float(text)


def _finite(text: str) -> float:
    value = _number(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def _moment(text: str) -> float:
    value = _finite(text)
    if not 0 <= value <= MAX_SECONDS:
        raise ValueError(f"{text} is not a time in seconds since 1970")
    return value


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{printable(text) or 'nothing'} is neither true nor false")
    return text.lower() == "true"


def _key(text: str) -> str:
    if not _KEY.fullmatch(text):
        raise ValueError(f"{printable(text) or 'nothing'} is not a kind of change")
    return text


def _sentence(text: str) -> str:
    text = text.removeprefix("'")
    if len(text) > MAX_SENTENCE:
        raise ValueError(f"a text has more than {MAX_SENTENCE:,} characters")
    if any(map(is_control, text)):
        raise ValueError("a text has control characters")
    return text
