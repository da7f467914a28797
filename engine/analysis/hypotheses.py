"""What a unit may track: hypotheses on a text, and what each says of every token.

A label is the state of affairs once a token is read, so it depends on nothing that comes after it, but for regular
expressions, which say of each token whether it is part of a match.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import regex
from numpy.typing import NDArray

from engine.config import ConfigError

Labels = NDArray[np.float32]
"""(tokens): 0 or 1, or a number."""

LONGEST_PATTERN = 200
PATTERN_SECONDS = 0.5
"""How long a regular expression may take on a text."""

REGEX = "regex:"

_DEEPEST, _LONGEST_LINE, _WIDEST = 8, 200, 40
_NEVER_CLOSED = 2_000
"""Tokens after which an open bracket is taken for one that will not be closed."""

_TAB = 4
_OPENING, _CLOSING = "([{", ")]}"
_VOWELS = frozenset("aeiou")


@dataclass(frozen=True)
class Hypothesis:
    """What a unit may track.

    Attributes:
        name: as the shell and links have it: "quotes", "regex:\\d+"
        title: as the end of "a unit that tracks"
        where: where it holds, of numbers where they are above their median, as the end of "the loss rises"
        numeric: whether it is a number rather than yes or no
    """

    name: str
    title: str
    where: str
    numeric: bool = False


def hypothesis(name: str) -> Hypothesis:
    """The hypothesis of a name.

    Raises:
        ConfigError: there is none, or a regular expression that cannot be used
    """
    if name.startswith(REGEX):
        pattern = name.removeprefix(REGEX)
        _compiled(pattern)
        return Hypothesis(name, f"matches of {pattern}", f"in matches of {pattern}")
    if name not in TITLES:
        known = ", ".join((*TITLES, f"{REGEX}PATTERN"))
        raise ConfigError(f"There is no hypothesis {name[:40]!r}: choose one of {known}.")
    return Hypothesis(name, TITLES[name], _WHERE.get(name, TITLES[name]), name in _WHERE)


def labels(of: Hypothesis, pieces: Sequence[str]) -> Labels:
    """What a hypothesis says once each token is read, (tokens).

    Args:
        of: the hypothesis
        pieces: the text of each token: single characters, or words and marks; a line end is a line feed

    Raises:
        ConfigError: a regular expression that takes too long, or a hypothesis that such tokens cannot be asked
    """
    if of.name.startswith(REGEX):
        return _matches(of.name.removeprefix(REGEX), pieces)
    return _READ[of.name](pieces).astype(np.float32)


def check_varies(values: Labels, of: Hypothesis) -> None:
    """Refuse a hypothesis that is the same at every token. Raises ConfigError."""
    if len(values) and values.min() < values.max():
        return
    if of.numeric:
        raise ConfigError(f"In this text, {of.title} is always the same, so no unit can tell it: use another text.")
    always = "always" if len(values) and values[0] else "never"
    raise ConfigError(
        f"“{of.title}” {always} holds in this text, so no unit can tell it: choose another hypothesis or text."
    )


# ---------------------------------------------------------------------- one by one


def _quotes(pieces: Sequence[str]) -> NDArray[np.float64]:
    """Inside quotation marks: the opening one is, the closing one is not. A blank line ends one that was not closed."""
    inside, blank = False, True
    found = np.empty(len(pieces))
    for place, piece in enumerate(pieces):
        if piece == '"':
            inside = not inside
        elif piece in "“«„":
            inside = True
        elif piece in "”»":
            inside = False
        elif piece == "\n":
            inside = inside and not blank
            blank = True
        blank = blank if not piece.strip() else False
        found[place] = inside
    return found


def _brackets(pieces: Sequence[str]) -> NDArray[np.float64]:
    """How deep inside brackets. A closing one without an opening one is none, and one that is not closed is given up in
    time."""
    depth, since = 0, 0
    found = np.empty(len(pieces))
    changes = {piece: sum(map(piece.count, _OPENING)) - sum(map(piece.count, _CLOSING)) for piece in set(pieces)}
    for place, piece in enumerate(pieces):
        depth += changes[piece]
        since = since + 1 if depth > 0 else 0
        depth = 0 if since > _NEVER_CLOSED else max(0, depth)
        found[place] = min(depth, _DEEPEST)
    return found


def _line_position(pieces: Sequence[str]) -> NDArray[np.float64]:
    """Tokens since the last line end."""
    places = np.arange(len(pieces))
    ends = np.array([piece == "\n" for piece in pieces], dtype=bool)
    last = np.maximum.accumulate(np.where(ends, places, -1)) if len(pieces) else places
    return np.minimum(places - last, _LONGEST_LINE).astype(np.float64)


def _after_capital(pieces: Sequence[str]) -> NDArray[np.float64]:
    """The token is, or begins with, a capital letter."""
    return _of_each(pieces, lambda piece: piece[:1].isupper())


def _word_boundary(pieces: Sequence[str]) -> NDArray[np.float64]:
    """A word has just ended: what was read is none of its characters, what was read before it is."""
    if any(len(piece) > 1 for piece in pieces):
        raise ConfigError(
            "Word boundaries are of a text that is read by characters: here every token is a word or a mark. Choose "
            "another hypothesis."
        )
    inside = _of_each(pieces, lambda piece: piece.isalnum() or piece in "'’").astype(bool)
    before = np.concatenate(([False], inside[:-1])) if len(pieces) else inside
    return (before & ~inside).astype(np.float64)


def _vowel(pieces: Sequence[str]) -> NDArray[np.float64]:
    """The token is, or begins with, a vowel, whatever its accent; y is none."""
    return _of_each(pieces, lambda piece: unicodedata.normalize("NFD", piece[:1])[:1].lower() in _VOWELS)


def _indentation(pieces: Sequence[str]) -> NDArray[np.float64]:
    """White space at the beginning of the line, as far as it is read; a tab counts as four."""
    width, leading = 0, True
    found = np.empty(len(pieces))
    for place, piece in enumerate(pieces):
        if piece == "\n":
            width, leading = 0, True
        elif leading and piece in (" ", "\t"):
            width += _TAB if piece == "\t" else 1
        else:
            leading = False
        found[place] = min(width, _WIDEST)
    return found


def _of_each(pieces: Sequence[str], holds: Callable[[str], bool]) -> NDArray[np.float64]:
    """Whether something is so of each token by itself: asked once of each that there is."""
    answers = {piece: holds(piece) for piece in set(pieces)}
    return np.fromiter((answers[piece] for piece in pieces), dtype=np.float64, count=len(pieces))


_READ: Mapping[str, Callable[[Sequence[str]], NDArray[np.float64]]] = MappingProxyType(
    {
        "quotes": _quotes,
        "brackets": _brackets,
        "line-position": _line_position,
        "after-capital": _after_capital,
        "word-boundary": _word_boundary,
        "vowel": _vowel,
        "indentation": _indentation,
    }
)
NAMES = tuple(_READ)

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "quotes": "inside quotation marks",
        "brackets": "depth of brackets",
        "line-position": "position in the line",
        "after-capital": "after a capital letter",
        "word-boundary": "at a word boundary",
        "vowel": "after a vowel",
        "indentation": "depth of indentation",
    }
)
_WHERE: Mapping[str, str] = MappingProxyType(
    {
        "brackets": "deep inside brackets",
        "line-position": "late in the line",
        "indentation": "in deeply indented lines",
    }
)
"""Of the hypotheses that are numbers: where they are above their median."""


# ---------------------------------------------------------------------- regular expressions


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> regex.Pattern:
    shown = f"The regular expression {pattern[:40]!r}"
    if not pattern:
        raise ConfigError(f"The regular expression is empty: write one after {REGEX}, such as {REGEX}[0-9]+.")
    if len(pattern) > LONGEST_PATTERN:
        raise ConfigError(f"{shown}... has {len(pattern):,} characters; at most {LONGEST_PATTERN} are allowed.")
    try:
        return regex.compile(pattern, regex.VERSION1)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        place = getattr(error, "pos", None)
        where = f" at position {place + 1}" if isinstance(place, int) else ""
        reason = str(getattr(error, "msg", "") or error or "it is too large")
        raise ConfigError(f"{shown} cannot be read{where} ({reason}): correct it.") from None


def _matches(pattern: str, pieces: Sequence[str]) -> Labels:
    """1 for each token that a match overlaps."""
    text, starts = _running_text(pieces)
    covered = np.zeros(len(text) + 1, dtype=np.int64)
    try:
        for match in _compiled(pattern).finditer(text, timeout=PATTERN_SECONDS):
            covered[match.start()] += 1
            covered[match.end()] -= 1
    except TimeoutError:
        raise ConfigError(
            f"The regular expression {pattern[:40]!r} takes longer than {PATTERN_SECONDS:g} seconds on "
            f"{len(text):,} characters: make it simpler, as by not repeating what already repeats."
        ) from None
    inside = np.concatenate(([0], np.cumsum(np.cumsum(covered[:-1]) > 0)))  # characters in a match before each place
    ends = starts + np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
    return (inside[ends] > inside[starts]).astype(np.float32)


def _running_text(pieces: Sequence[str]) -> tuple[str, NDArray[np.int64]]:
    """The tokens as one text, and where each begins: words with spaces between, characters as they are."""
    words = any(len(piece) > 1 for piece in pieces)
    gap = " " if words else ""
    lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)) + len(gap)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])) if len(pieces) else np.zeros(0, np.int64)
    return gap.join(pieces), starts.astype(np.int64)
