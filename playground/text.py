"""Text of the user's made visible and harmless, and numbers made short.

Text a user wrote is shown as text: nowhere may it become Markdown, HTML, a formula, an icon or a colour.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime

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

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


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


def number(value: float, *, digits: bool = False) -> str:
    """A number in at most three significant digits: 1234567 -> "1.23 M", 0.0012 -> "0.0012", NaN -> "NaN".

    Whole numbers under 10,000 are given in full, with a comma in the thousands.

    Args:
        value: any number
        digits: always show all three digits of a fraction, for measurements in a column: 1.6 -> "1.60"
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if digits and 1e-3 <= size < 999.5:
        return f"{value:.{2 - math.floor(math.log10(float(f'{size:.3g}')))}f}"
    if size == int(size) and size < 10_000:
        return f"{int(value):,}"
    if 0 < size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    if float(f"{size:.3g}") >= 1e15:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    rounded = float(f"{value:.3g}")
    for factor, prefix in _PREFIXES:
        if abs(rounded) >= max(factor, 10_000 if factor == 1e3 else factor):
            return f"{_digits(rounded / factor)} {prefix}"
    return f"{int(rounded):,}" if abs(rounded) >= 1000 else _digits(rounded)


def _digits(value: float) -> str:
    """Three significant digits without an exponent, for 0.001 <= |value| < 1000."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return _trimmed(f"{value:.{decimals}f}")


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def rate(value: float, unit: str) -> str:
    """A number with its unit: rate(172000, "tokens/s") -> "172 k tokens/s"."""
    return f"{number(value)} {unit}"


def duration(seconds: float) -> str:
    """A time span in at most two units: 0.25 -> "250 ms", 75 -> "1 min 15 s", 90000 -> "1 d 1 h"."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 0:
        return f"-{duration(-seconds)}"
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
