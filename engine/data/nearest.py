"""Other ways to write a character or word that a vocabulary lacks, the nearest first.

A curly quotation mark stands for a straight one, an é for an e with its accent apart. What a reader would take for the
same comes first: another Unicode form, then another shape of the same mark; then, for characters alone, the letter
without its accent, and the letter in the other case.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# Marks of which one can stand for another, by the ways to write them. Those of one character come first.
_SHAPES = (
    ("'", "’", "‘", "`", "´", "′", "‚", "‛"),
    ('"', "“", "”", "„", "«", "»", "″", "‟", "''"),
    ("-", "–", "—", "‐", "‑", "−", "―", "--"),
    ("…", "..."),
    (" ", "\u00a0", "\u2009", "\u202f", "\u3000"),
    ("*", "•", "·"),
)
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
_SAME = {shape: shapes for shapes in _SHAPES for shape in shapes}


def same_character(character: str) -> Iterator[str]:
    """Other ways to write one character, each of one or more characters."""
    yield from _other_forms(character)
    yield from _SAME.get(character, ())
    if unicodedata.category(character) == "Zs":
        yield " "
    bare = _without_accents(character)
    yield from (bare, character.swapcase(), bare.swapcase())


def same_word(word: str) -> Iterator[str]:
    """Other ways to write one word: in another Unicode form, and with the marks in it in another shape."""
    yield from _other_forms(word)
    for place in range(max(map(len, _SHAPES))):
        yield "".join(_SAME[c][min(place, len(_SAME[c]) - 1)] if c in _SAME else c for c in word)


def _other_forms(text: str) -> Iterator[str]:
    for form in ("NFC", "NFD", "NFKC"):
        yield unicodedata.normalize(form, text)


def _without_accents(character: str) -> str:
    lower = character.lower()
    if lower in _LETTERS:
        plain = _LETTERS[lower]
        return plain if character == lower else plain.capitalize()
    apart = unicodedata.normalize("NFD", character)
    return "".join(c for c in apart if not unicodedata.combining(c))
