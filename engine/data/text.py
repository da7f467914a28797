"""From bytes to clean text, by one rule, with a sentence for whatever cannot be read, and for whatever was changed.

The rule: UTF-8. A character is one Unicode code point, and the text is composed (NFC), so that an é is one character
however it was typed. Every kind of line end becomes a line feed, form feeds, vertical tabs and the separators of
Unicode too; a no-break space, which differs from a space only in where a line may end, becomes a space. Byte-order
marks and control characters, which no one can see, are left out. A NUL is refused: such a file is not a text.
Everything else stays as it is: emoji, right-to-left scripts, marks that have no composed form, wide and thin spaces,
markup. Cleaning a clean text changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from engine.data.encodings import ENCODINGS, Offer, binary_kind, marked, offers

MAX_BYTES = 5_000_000

_SURROGATES = re.compile("[\ud800-\udfff]")
_MARK = "\ufeff"

# (what is looked for, what it becomes, and what is said of it) in order: singular, plural. None is not worth saying.
_CHANGES: tuple[tuple[re.Pattern[str], str, tuple[str, str]], ...] = (
    (re.compile("\r\n"), "\n", ("line end converted from CR LF to LF", "line ends converted from CR LF to LF")),
    (re.compile("\r"), "\n", ("line end converted from CR to LF", "line ends converted from CR to LF")),
    # Those at which Python ends a line: vertical tab, form feed, file, group and record separator, next line, and
    # the line and paragraph separators of Unicode.
    (
        re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]"),
        "\n",
        ("form feed or other separator replaced by a line end", "form feeds or other separators replaced by line ends"),
    ),
    (
        re.compile("[\x1f\u00a0\u2007\u202f]"),
        " ",
        ("no-break space replaced by a space", "no-break spaces replaced by spaces"),
    ),
    (re.compile(_MARK), "", ("byte-order mark removed", "byte-order marks removed")),
    # The other C0 and C1 controls and DEL, but not tab and line feed.
    (
        re.compile("[\x01-\x08\x0e-\x1b\x7f-\x9f]"),
        "",
        ("control character removed", "control characters removed"),
    ),
)


class TextError(ValueError):
    """A text that cannot be used. The message says what is wrong, where, and what to do."""


class EncodingError(TextError):
    """A text in another encoding than UTF-8. `offers` are those it may be in, for whoever can ask."""

    def __init__(self, message: str, found: tuple[Offer, ...] = ()) -> None:
        super().__init__(message)
        self.offers = found


@dataclass(frozen=True)
class Cleaned:
    """A text by the rule of this module.

    Attributes:
        text: as it is to be learned from.
        changes: what was changed to make it so, with how often, such as "2 control characters removed".
    """

    text: str
    changes: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What was changed, in a sentence; empty if nothing was."""
        return f"Changes made to the text: {'; '.join(self.changes)}." if self.changes else ""


def read(raw: bytes, limit: int | None = MAX_BYTES, encoding: str = "utf-8") -> Cleaned:
    """The text in a file's bytes, and what was changed in it.

    Args:
        raw: what an upload or a file holds.
        limit: most bytes allowed; None for a corpus whose size is known.
        encoding: UTF-8, or what somebody chose of the `offers` of an EncodingError.

    Raises:
        EncodingError: in another encoding.
        TextError: empty, larger than the limit, or not a text but a binary file.
    """
    _check_size(len(raw), limit)
    kind = binary_kind(raw)
    if kind:
        raise TextError(
            f"This file is not plain text: it is {kind}. Open it in its own program and export the text from there."
        )
    if encoding != "utf-8":
        return _tidied(_in_encoding(raw, encoding), limit)
    if marked(raw):
        raise _other_encoding(raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(raw, error) from None
    if 3 * raw.count(0) > len(raw) and offers(raw):  # UTF-16 without a mark: every other byte is NUL
        raise _other_encoding(raw)
    return _tidied(text, None)


def tidy(text: str, limit: int | None = MAX_BYTES) -> Cleaned:
    """A pasted text by the same rule as `read`, and what was changed in it.

    Raises:
        TextError: empty, larger than the limit as UTF-8, or holding NUL or half a character.
    """
    half = _SURROGATES.search(text)
    if half:
        raise TextError(
            f"Character {half.start() + 1:,} of this text is an unpaired surrogate (U+{ord(half.group()):04X}), which "
            "UTF-8 cannot encode: delete it or copy the text again."
        )
    return _tidied(text, limit)


def decode(raw: bytes, limit: int | None = MAX_BYTES) -> str:
    """The text of `read`. Raises TextError."""
    return read(raw, limit).text


def clean(text: str, limit: int | None = MAX_BYTES) -> str:
    """The text of `tidy`. Raises TextError."""
    return tidy(text, limit).text


def check_kept(text: str) -> str:
    """A text that was taken in before, as it is: it may come from a version with another rule, and runs learned it so.

    Raises:
        TextError: one that no version took in: empty, too large, or with NUL characters.
    """
    _check_size(len(text.encode("utf-8", "surrogatepass")), MAX_BYTES)
    _check_content(text)
    return text


def fingerprint(text: str) -> str:
    """The SHA-256 of a text's UTF-8 in hexadecimal: the HASH in the corpus name own:HASH."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def first_words(text: str, longest: int = 32) -> str:
    """What a text without a name may be called: its first words, up to `longest` characters of them."""
    beginning = " ".join(text[: 100 * longest].split())
    if len(beginning) <= longest:
        return beginning
    whole = beginning[: longest + 1].rpartition(" ")[0] or beginning[:longest]
    return whole.rstrip(" .,;:!?-–—") + "…"


def _tidied(text: str, limit: int | None) -> Cleaned:
    _check_size(len(text.encode("utf-8")), limit)
    _check_no_nul(text)
    changes = []
    for pattern, replacement, said in _CHANGES:
        text, count = pattern.subn(replacement, text)
        if count:
            changes.append(_counted(count, said))
    composed = unicodedata.normalize("NFC", text)
    if composed != text:
        changes.append("separate accents composed with their letters (NFC)")
    _check_content(composed)
    return Cleaned(composed, tuple(changes))


def _counted(count: int, said: tuple[str, str]) -> str:
    return f"{count:,} {said[count != 1]}"


def _check_content(text: str) -> None:
    _check_no_nul(text)
    if not text.strip():
        raise TextError("This text is empty: use another one.")


def _check_no_nul(text: str) -> None:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TextError(
            f"This is a binary file, not plain text: there is a NUL character in line {line:,}. "
            "Export it as plain text (UTF-8) and try again."
        )


def _in_encoding(raw: bytes, encoding: str) -> str:
    if encoding not in ENCODINGS:
        raise TextError(f"The encoding {encoding!r} is not supported: choose one of {', '.join(ENCODINGS)}.")
    try:
        return raw.decode(encoding)
    except UnicodeError:
        raise TextError(f"This text is not encoded in {ENCODINGS[encoding]}: choose another encoding.") from None


def _not_utf8(raw: bytes, error: UnicodeDecodeError) -> TextError:
    """Why bytes are not UTF-8: a text in another encoding, a damaged one, or no text at all."""
    found = offers(raw)
    if found:
        return _other_encoding(raw, found)
    line = raw.count(b"\n", 0, error.start) + 1
    place = f"byte {error.start:,} (line {line:,}) is 0x{raw[error.start]:02x}"
    if _looks_binary(raw):
        return TextError(f"This is a binary file, not plain text: {place}. Choose a plain text file (UTF-8).")
    return EncodingError(
        f"This text is not valid UTF-8: {place}. Its encoding could not be detected. "
        "Save the file as UTF-8 and try again."
    )


def _other_encoding(raw: bytes, found: tuple[Offer, ...] | None = None) -> TextError:
    found = offers(raw) if found is None else found
    if not found:
        return TextError(
            f"This file begins as {ENCODINGS[marked(raw) or 'utf_16']} does, but is not valid in that encoding."
        )
    names = " or ".join(offer.title for offer in found)
    if len(found) == 1:
        names += f", in which it reads {found[0].words}"
    return EncodingError(
        f"This text is not encoded in UTF-8 but probably in {names}. Save it as UTF-8 and try again.", found
    )


_is_control: Callable[[int], bool] = frozenset((*range(9), *range(14, 27), *range(28, 32), 127)).__contains__


def _looks_binary(raw: bytes) -> bool:
    """Whether more than one in a hundred bytes is a control character that no text has, or one is NUL."""
    beginning = raw[:100_000]
    return 0 in beginning or 100 * sum(map(_is_control, beginning)) > len(beginning)


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise TextError(f"This text is {_megabytes(size, limit)} MB; the limit is {limit / 1e6:g} MB. Use part of it.")


def _megabytes(size: int, limit: int) -> str:
    """The size to one decimal, or to as many as it takes to differ from the limit."""
    digits = next(digits for digits in range(1, 7) if round(size / 1e6, digits) > limit / 1e6)
    return f"{size / 1e6:.{digits}f}"
