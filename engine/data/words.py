"""Words and marks: how a text is cut into word tokens, and how tokens become text again.

A token is
- a line end, written `<eos>`;
- a number, with its points and commas inside: 3.14, 10,000;
- a word: letters, digits and underscores, with apostrophes and hyphens inside: don't, well-known;
- a dash of two or more hyphens;
- or any other single character with the marks that combine with it (so most emoji of several code points are one).

Spaces are not kept. Going from text to tokens to text loses the spacing, and nothing else: the
tokens of a joined text are the tokens it was joined from. Words of more than about a hundred
characters are cut, so that no token grows without bound. Scripts that write no spaces between
words (Chinese, Japanese, Thai) are better read by characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

UNKNOWN = "<unk>"
END = "<eos>"

_CLOSING = frozenset(".,;:!?)]}%”’»…")
_OPENING = frozenset("([{“‘«¿¡$£€@")
_TOGGLING = ('"', "'", "`")


def tokenise(text: str, separated: bool = False) -> list[str]:
    """The tokens of a text, in order; `separated` text is only split at its spaces."""
    if separated:
        return text.replace("\n", f" {END} ").split()
    return [END if token == "\n" else token for token in _pattern().findall(text)]


def tokens_and_gaps(text: str, separated: bool = False) -> tuple[list[str], list[str]]:
    """The tokens of a text as they stand in it (a line end as "\\n"), and the spacing that they leave out.

    Returns:
        n tokens, and the n + 1 gaps around them: white space or nothing. gaps[0] + tokens[0] + gaps[1] + ... is the
        text.
    """
    pattern = _separated_pattern() if separated else _pattern()
    tokens, gaps, end = [], [], 0
    for found in pattern.finditer(text):
        tokens.append(found.group())
        gaps.append(text[end : found.start()])
        end = found.end()
    return tokens, [*gaps, text[end:]]


def usual_gaps(tokens: Iterable[str], separated: bool = False) -> list[str]:
    """The gap that `join` puts before each of the tokens that `tokens_and_gaps` gave, in order."""
    add = joiner(separated)
    return [add(END if token == "\n" else token)[: -len(token)] for token in tokens]


def join(tokens: Iterable[str], separated: bool = False) -> str:
    """Text from tokens: spaces between words, none before closing marks, quotes opened and closed in turn.

    Quotes start afresh after an empty line, so that one that never closes spoils one paragraph only.
    """
    return "".join(map(joiner(separated), tokens))


def joiner(separated: bool = False) -> Callable[[str], str]:
    """A function that takes the tokens of one text in turn, and gives what each adds to it: see `join`."""
    return _SeparatedJoiner() if separated else _Joiner()


class _Joiner:
    """Puts the space before a token that belongs there, by what has come so far."""

    def __init__(self) -> None:
        self._opened: set[str] = set()
        self._glued = True  # whether the next token stands right after the last
        self._last = ""

    def __call__(self, token: str) -> str:
        last, self._last = self._last, token
        if token == END:
            if last == END:
                self._opened.clear()
            self._glued = True
            return "\n"
        closes = token in _CLOSING or token in self._opened
        added = token if self._glued or closes else " " + token
        self._glued = token in _OPENING or (token in _TOGGLING and token not in self._opened)
        if token in _TOGGLING:
            self._opened ^= {token}
        return added


class _SeparatedJoiner:
    """Puts a space before every token that does not begin a line."""

    def __init__(self) -> None:
        self._line_begins = True

    def __call__(self, token: str) -> str:
        begins, self._line_begins = self._line_begins, token == END
        if token == END:
            return "\n"
        return token if begins else " " + token


@cache
def _separated_pattern() -> re.Pattern[str]:
    return re.compile(r"\n|\S+")


@cache
def _pattern() -> re.Pattern[str]:
    """What one token is. Python's \\w leaves out combining marks, so they are listed."""
    mark = f"[{_combining()}]"
    word = rf"\w(?:\w|{mark}){{0,99}}"
    alone = "!-~“”‘’«»¿¡…£€"  # never joined to anything, so that text put together is cut the same way again
    return re.compile(
        rf"{UNKNOWN}|\n|\d{{1,50}}(?:[.,]\d{{1,50}}){{1,20}}(?!\w)|{word}(?:['’-]{word}){{0,20}}|-{{2,50}}"
        rf"|[{alone}]|[^\w\s](?:{mark}|(?<=\u200d)[^\w\s{alone}]){{0,30}}"
    )


def _combining() -> str:
    """The inside of a character class: marks that combine with what stands before, and the two joiners."""
    marks = [code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M"]
    marks += [0x200C, 0x200D, *range(0x1F3FB, 0x1F400), *range(0xE0100, 0xE01F0)]  # skin tones, variants
    ranges: list[list[int]] = []
    for code in sorted(marks):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges)
