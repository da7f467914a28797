"""What bytes that are not UTF-8 are: some other kind of file, or a text in another encoding.

An encoding is offered, never assumed: whoever brings the text sees by a few of its words whether it is the right one.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_SEARCHED = 100_000
"""Bytes at the beginning by which an encoding is recognised; the whole must decode in it too."""

_MOST_CHAOS = 10.0
"""Percent of disorder, by charset-normalizer's measure, up to which a decoded text counts as text."""

# Those that people meet: what the web's standard lists, as far as Python has it.
ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "utf_16": "UTF-16",
        "utf_16_le": "UTF-16LE",
        "utf_16_be": "UTF-16BE",
        "utf_32": "UTF-32",
        "cp1252": "windows-1252 (Western European)",
        "cp1250": "windows-1250 (Central European)",
        "iso8859_2": "ISO-8859-2 (Central European)",
        "cp1257": "windows-1257 (Baltic)",
        "cp1254": "windows-1254 (Turkish)",
        "cp1258": "windows-1258 (Vietnamese)",
        "cp1251": "windows-1251 (Cyrillic)",
        "koi8_r": "KOI8-R (Cyrillic)",
        "cp866": "IBM866 (Cyrillic)",
        "cp1253": "windows-1253 (Greek)",
        "cp1255": "windows-1255 (Hebrew)",
        "cp1256": "windows-1256 (Arabic)",
        "cp874": "windows-874 (Thai)",
        "cp932": "Shift_JIS (Japanese)",
        "euc_jp": "EUC-JP (Japanese)",
        "iso2022_jp": "ISO-2022-JP (Japanese)",
        "iso2022_kr": "ISO-2022-KR (Korean)",
        "cp949": "EUC-KR (Korean)",
        "gb18030": "GB18030 (Chinese)",
        "big5": "Big5 (Chinese)",
    }
)
"""Python's name of each encoding that may be offered, and its name for people."""

_LATIN = ("cp1252", "cp1250", "iso8859_2", "cp1257", "cp1254", "cp1258")
"""Encodings of Latin letters; the first two are offered wherever they fit."""

_MARKS = {
    codecs.BOM_UTF32_LE: "utf_32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf_32",
    codecs.BOM_UTF16_LE: "utf_16",
    codecs.BOM_UTF16_BE: "utf_16",
}

# Seven bits a byte: valid UTF-8 as well, and gibberish in it. An escape sequence begins each stretch of their signs.
_SEVEN_BIT = {"iso2022_jp": (b"\x1b$@", b"\x1b$B", b"\x1b(J"), "iso2022_kr": (b"\x1b$)C",)}

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"BM": "a BMP image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"%PDF-": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office document in an older format",
    b"PK\x03\x04": "a ZIP archive (Word, Excel and EPUB files are ZIP archives too)",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\0": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"(\xb5/\xfd": "a Zstandard archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"SQLite format 3\0": "a database",
    b"ID3": "an MP3 recording",
    b"OggS": "an Ogg recording",
    b"fLaC": "a FLAC recording",
    b"RIFF": "a recording, a video or an image (RIFF)",
    b"\0\0\0\x18ftyp": "a video",
    b"\0\0\0\x20ftyp": "a video",
}


_AS_TEXT = (b"%PDF-", b"{\\rtf")
"""Formats that are text themselves; the beginning of another may stand at the beginning of a text too."""


@dataclass(frozen=True)
class Offer:
    """An encoding that some bytes may be in.

    Attributes:
        encoding: Python's name of it.
        title: its name for people.
        words: a few words of the text, read so: those with signs beyond ASCII, where there are any.
    """

    encoding: str
    title: str
    words: str

    @property
    def iconv(self) -> str:
        """What iconv calls it."""
        return {"cp949": "CP949"}.get(self.encoding, self.title.split()[0])


def binary_kind(raw: bytes) -> str:
    """What kind of binary file this is, in words; empty for what may be a text."""
    for signature, kind in _SIGNATURES.items():
        if raw.startswith(signature) and (signature in _AS_TEXT or 0 in raw[:1_000] or not _is_utf8(raw)):
            return kind
    return ""


def marked(raw: bytes) -> str | None:
    """The encoding that a byte-order mark at the start or an escape sequence tells; None for UTF-8 and all others."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    for encoding, escapes in _SEVEN_BIT.items():
        if any(escape in raw for escape in escapes) and _decodes(raw, encoding):
            return encoding
    return None


def offers(raw: bytes) -> tuple[Offer, ...]:
    """Encodings that bytes may be in which are not UTF-8, the likeliest first; none where nothing fits.

    One for a script that only one of them gives. Latin letters differ in a few signs from one encoding to the next,
    and no detector is sure of them: then the usual ones are offered side by side.
    """
    encoding = marked(raw)
    if encoding is not None:
        return (_offer(raw, encoding),) if _decodes(raw, encoding) else ()
    if _is_damaged_utf8(raw):
        return ()
    from charset_normalizer import from_bytes  # imports take a tenth of a second, and few texts need it

    found = from_bytes(raw[:_SEARCHED], cp_isolation=["utf_8", *ENCODINGS])
    likely = [match.encoding for match in found if match.percent_chaos <= _MOST_CHAOS and _decodes(raw, match.encoding)]
    if not likely:
        return ()
    if not likely[0].startswith("utf_16") and _is_latin(raw.decode(likely[0])):
        usual = dict.fromkeys((*_LATIN[:2], *(name for name in likely if name in _LATIN)))
        return _apart([_offer(raw, name) for name in usual if _decodes(raw, name)])[:3]
    return (_offer(raw, likely[0]),)


def _offer(raw: bytes, encoding: str) -> Offer:
    words = [word.strip(".,;:!?()") for word in raw.decode(encoding)[:_SEARCHED].split()]
    telling = list(dict.fromkeys(word for word in words if not word.isascii())) or words
    return Offer(encoding, ENCODINGS[encoding], ", ".join(word[:30] for word in telling[:5]))


def _apart(found: list[Offer]) -> tuple[Offer, ...]:
    """The first of those that give the same words."""
    return tuple({offer.words: offer for offer in reversed(found)}.values())[::-1]


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except (UnicodeDecodeError, UnicodeError):
        return False
    return True


def _is_utf8(raw: bytes) -> bool:
    return _decodes(raw, "utf-8")


def _is_damaged_utf8(raw: bytes) -> bool:
    """Whether this was UTF-8 once: more of its signs beyond ASCII can be read so than cannot."""
    text = raw.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    return sum(character > "\x7f" for character in text) > 2 * damaged


def _is_latin(text: str) -> bool:
    """Whether most of the letters beyond ASCII are Latin ones."""
    letters = [character for character in text[:_SEARCHED] if character > "\x7f" and character.isalpha()]
    latin = sum(unicodedata.name(character, "").startswith("LATIN") for character in letters)
    return 2 * latin >= len(letters)
