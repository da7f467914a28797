"""From bytes to clean text, by one rule, with a sentence for whatever cannot be read.

The rule: UTF-8; a byte order mark at the start goes; every kind of line end becomes a line feed;
control characters that no one can see are taken out; a NUL is refused, because it means that the
file is not a text. Everything else stays as it is: emoji, right-to-left scripts, combining marks,
markup. Cleaning a clean text changes nothing.
"""

from __future__ import annotations

import codecs
import hashlib
import re

MAX_BYTES = 5_000_000

# C0 and C1 controls and DEL, but not tab and line feed.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class TextError(ValueError):
    """A text that cannot be used. The message says what is wrong, where, and what to do."""


def decode(raw: bytes, limit: int | None = MAX_BYTES) -> str:
    """The text in a file's bytes.

    Args:
        raw: what an upload or a file holds.
        limit: most bytes allowed; None for a corpus whose size is known.

    Raises:
        TextError: empty, larger than the limit, not UTF-8, or holding NUL characters.
    """
    _check_size(len(raw), limit)
    for mark, name in _OTHER_MARKS.items():
        if raw.startswith(mark):
            raise TextError(f"This file is {name}, not UTF-8: save it with the encoding UTF-8 and try again.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TextError(
            f"This is not UTF-8 text: byte {error.start:,} (line {line:,}) is 0x{raw[error.start]:02x}. "
            "Save the file with the encoding UTF-8 and try again."
        ) from None
    return _cleaned(text)


def clean(text: str, limit: int | None = MAX_BYTES) -> str:
    """A pasted text by the same rule as `decode`.

    Raises:
        TextError: empty, larger than the limit as UTF-8, or holding NUL or half a character.
    """
    half = _SURROGATES.search(text)
    if half:
        raise TextError(
            f"Character {half.start() + 1:,} of this text is half a character (the surrogate "
            f"U+{ord(half.group()):04X}), which UTF-8 cannot hold: delete it or copy the text again."
        )
    _check_size(len(text.encode("utf-8")), limit)
    return _cleaned(text)


def fingerprint(text: str) -> str:
    """The SHA-256 of a text's UTF-8 in hexadecimal: the HASH in the corpus name own:HASH."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise TextError(
            f"This text has {_megabytes(size, limit)} MB; the limit is {limit / 1e6:g} MB. Use a part of it."
        )


def _megabytes(size: int, limit: int) -> str:
    """The size to one decimal, or to as many as it takes to differ from the limit."""
    digits = next(digits for digits in range(1, 7) if round(size / 1e6, digits) > limit / 1e6)
    return f"{size / 1e6:.{digits}f}"


def _cleaned(text: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TextError(
            f"There is a NUL character in line {line:,}, so this is not a plain text but some other kind of file. "
            "Export it as plain text (UTF-8) and try again."
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text).lstrip("\ufeff")
    if not text.strip():
        raise TextError("This text is empty: there is nothing to learn from. Paste or upload some writing.")
    return text
