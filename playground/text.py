"""Text of the user's made visible and harmless, and numbers made short.

Text a user wrote is shown as text: nowhere may it become Markdown, HTML, a formula, an icon or a colour.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime

from engine.numbers import MINUS
from engine.numbers import number as number

_LINE_ENDS = {"\n": "⏎", "\r": "␍", "\u2028": "⏎", "\u2029": "⏎", "\u0085": "⏎", "\v": "⏎", "\f": "⏎"}
_NAMED = {**_LINE_ENDS, "\t": "⇥", "\u00a0": "⍽"}
_CUT = "…"
_WORD_JOINER = "\u2060"

# A backslash before ASCII punctuation makes it literal in CommonMark: emphasis, links, code, HTML, $formulas$,
# :directives[...], tables, headings.
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# :icons:, bare addresses and typographic arrows are found in the finished text, where a backslash has already done its
# work and gone. An invisible word joiner after their first sign keeps them apart.
_FOUND_LATER = re.compile(r"(:|@|(?<!\w)www(?=\.)|[-<>=~](?=[-<>=]))", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"^(\d{1,9})(?=[.)])")


def visible(text: str, *, spaces: bool = False) -> str:
    """`text` with all that would not be seen written out: line ends ⏎, tabs ⇥, control and zero-width signs ⟨U+200B⟩.

    Args:
        text: any text, often one token
        spaces: write a space as ␣; a token by itself is shown so, running text is not
    """
    return "".join("␣" if spaces and character == " " else _seen(character) for character in text)


def _seen(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    category = unicodedata.category(character)
    # Control, format (zero-width, direction overrides), surrogate, private and unassigned characters draw nothing
    # of their own; so do spaces other than the plain one, and marks that select a glyph.
    hidden = category[0] == "C" or (category in ("Zs", "Zl", "Zp") and character != " ")
    if hidden or 0xFE00 <= ord(character) <= 0xFE0F or character in "\u034f\u115f\u1160\u3164\uffa0\u2800":
        return f"⟨U+{ord(character):04X}⟩"
    return character


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, with … where it was cut.

    Raises:
        ValueError: a limit under 1.
    """
    if limit < 1:
        raise ValueError(f"Text cannot be cut to {limit} characters; give at least 1.")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _CUT


def escape_markdown(text: str) -> str:
    """`text` for a place where Streamlit renders Markdown (captions, labels, buttons), shown as it was written.

    The result is one line: line ends and all other control characters are written out as `visible` does. Leading
    and trailing spaces, which Markdown would take for a code block or drop, become no-break spaces.
    """
    shown = visible(text)
    core = shown.strip(" ")
    before, after = len(shown) - len(shown.lstrip(" ")), len(shown) - len(shown.rstrip(" "))
    if not core:
        return "\u00a0" * len(shown)
    apart = _FOUND_LATER.sub(rf"\1{_WORD_JOINER}", core)
    escaped = _LIST_NUMBER.sub(rf"\1{_WORD_JOINER}", _PUNCTUATION.sub(r"\\\1", apart))
    return "\u00a0" * before + escaped + "\u00a0" * after


def rate(value: float, unit: str) -> str:
    """A number with its unit: rate(172000, "tokens/s") -> "172 k tokens/s"."""
    return f"{number(value)} {unit}"


def duration(seconds: float) -> str:
    """A time span in at most two units: 0.25 -> "250 ms", 75 -> "1 min 15 s", 90000 -> "1 d 1 h"."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 0:
        return f"{MINUS}{duration(-seconds)}"
    if seconds < 0.9995:
        return f"{number(round(seconds * 1000, 1) if seconds < 0.01 else round(seconds * 1000))} ms"
    if seconds < 9.95:
        return f"{number(round(seconds, 1))} s"
    whole = round(seconds)
    for size, name, part, part_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size:,} {name}" + (f" {rest} {part_name}" if rest else "")
    return f"{whole} s"


def size(count: int) -> str:
    """A number of bytes: 5_100_000 -> "5.1 MB"."""
    return f"{number(count)} bytes" if count < 10_000 else f"{number(count)}B"


def date(moment: datetime | float) -> str:
    """A moment in UTC, to the minute: "3 May 2026, 14:05 UTC". A float is seconds since 1970."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"
