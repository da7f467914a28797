"""What of a text a model has no symbol for, and what it reads instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.data import Vocabulary
from engine.data.words import UNKNOWN
from playground.text import shorten, visible

_MOST_NAMED = 8


def not_read(text: str, vocabulary: Vocabulary, *, without: str = "left out") -> str:
    """A sentence on what of a text the vocabulary has no symbol for; empty if it has them all.

    Args:
        without: what becomes of that for which there is nothing to be read instead, not even `<unk>`
    """
    instead = vocabulary.read_instead(text)
    as_others = {token: other for token, other in instead.items() if other not in ("", UNKNOWN)}
    lost = [token for token in instead if token not in as_others]
    parts = []
    if as_others:
        read = ", ".join(_named([other]) for other in list(as_others.values())[:_MOST_NAMED])
        parts.append(f"{_named(as_others)}, read as {read}")
    if lost:
        what = without if vocabulary.unknown is None else f"read as {UNKNOWN}"
        parts.append(f"{_named(lost)}, {what}")
    return f"Not in the model's vocabulary: {'; '.join(parts)}." if parts else ""


def unknown_tokens(text: str, vocabulary: Vocabulary) -> Sequence[str]:
    """The characters or words of a text that the vocabulary lacks, each once, in their order."""
    return list(vocabulary.read_instead(text))


def _named(tokens: Iterable[str]) -> str:
    shown = [f"“{shorten(visible(token, spaces=True), 24)}”" for token in tokens]
    more = f" and {len(shown) - _MOST_NAMED:,} more" if len(shown) > _MOST_NAMED else ""
    return ", ".join(shown[:_MOST_NAMED]) + more
