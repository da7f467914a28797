"""Filling in the pieces of an exported file, which are almost the Python that they become.

Four marks stand in them:
    $name                   a value
    {flag?text}             text that only stands where the flag is set; `{not flag?text}` the other way round
    line  #if flag          a line that only stands where the flag is set; `#if not flag` the other way round
    equation  ¦ meaning     meanings in lines that follow each other start in one column
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from itertools import groupby

_LINE_MARK = re.compile(r"  #if (not )?(\w+)$")
_INLINE_MARK = re.compile(r"\{(not )?(\w+)\?((?:[^{}]|\{[^{}]*\})*)\}")  # the text may hold braces, one level deep
_VALUE = re.compile(r"\$(\w+)")
_COLUMN = "  ¦ "


def fill(name: str, flags: Mapping[str, bool], values: Mapping[str, object]) -> str:
    """The piece `name` with its marks worked out, without empty lines at its end.

    Values are put in last and as they are: whoever gives them sees to it that they are Python there.

    Raises:
        KeyError: the piece asks for a flag or a value that was not given
    """
    lines = _aligned(_standing(piece(name).split("\n"), flags))
    return _VALUE.sub(lambda mark: str(values[mark[1]]), "\n".join(lines).rstrip())


def piece(name: str) -> str:
    """A piece as it is written, with its marks."""
    return resources.files("engine.export.templates").joinpath(f"{name}.txt").read_text(encoding="utf-8")


def _standing(lines: Iterable[str], flags: Mapping[str, bool]) -> Iterator[str]:
    """The lines that stand under these flags, and of each the parts that do."""
    for line in lines:
        mark = _LINE_MARK.search(line)
        if mark:
            line = line[: mark.start()]
        if not mark or _holds(mark, flags):
            yield _INLINE_MARK.sub(lambda inline: inline[3] if _holds(inline, flags) else "", line)


def _holds(mark: re.Match[str], flags: Mapping[str, bool]) -> bool:
    return flags[mark[2]] != bool(mark[1])


def _aligned(lines: Iterable[str]) -> Iterator[str]:
    """The lines with their meanings in one column, wherever lines that have one follow each other."""
    for has_meaning, block in groupby(lines, lambda line: _COLUMN in line):
        if not has_meaning:
            yield from block
            continue
        pairs = [line.split(_COLUMN, 1) for line in block]
        width = max(_width(equation) for equation, _ in pairs)
        for equation, meaning in pairs:
            yield f"{equation}{' ' * (width - _width(equation))}  {meaning}"


def _width(text: str) -> int:
    """How many columns a text takes: the tilde of c̃ combines with its letter."""
    return len(text) - text.count("\u0303")
