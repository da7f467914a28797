"""A probe: a text as one model reads it, token by token, with what it cannot read."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.data import CharVocabulary, Vocabulary
from engine.data.words import tokenise
from engine.trace import LONGEST_PROBE, UNKNOWN
from playground.text import visible


@dataclass(frozen=True, eq=False)
class Probe:
    """A text and its tokens.

    Attributes:
        text: as far as it is read
        tokens: (time), int64 ids; `UNKNOWN` where the vocabulary has no symbol, and none that stands for such
        names: each token so that it can be seen; what the model does not know as it stands in the text
        unknown: places of the tokens that the model does not know, and for which it has no near symbol to read instead
        cut: characters that were left out at the end
    """

    text: str
    tokens: np.ndarray
    names: tuple[str, ...]
    unknown: tuple[int, ...] = ()
    cut: int = 0

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def key(self) -> bytes:
        """What the model reads: equal keys give equal traces."""
        return self.tokens.tobytes()


@lru_cache(maxsize=256)
def read_probe(text: str, vocabulary: Vocabulary, limit: int = LONGEST_PROBE) -> Probe:
    """A text as a model reads it, up to `limit` tokens.

    Line ends of every kind become line feeds, as in what the models learn from. What has no symbol is read as the
    nearest that has one, if there is one: see `Vocabulary.read_instead`. A text without a token gives a probe without
    one. The last few hundred are kept: every look at a page reads its probe.
    """
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(vocabulary, CharVocabulary):
        if not set(whole) <= set(vocabulary.symbols):
            whole = unicodedata.normalize("NFC", whole)
        kept, pieces, tokens = _characters(whole, vocabulary, limit)
    else:
        separated = bool(getattr(vocabulary, "separated", False))
        kept = _as_many_words(whole, limit, separated)
        pieces, tokens = tokenise(kept, separated), vocabulary.encode(kept, unknown="nearest")
    tokens.flags.writeable = False  # a probe is shared by all who look at it
    unknown = (UNKNOWN,) if vocabulary.unknown is None else (UNKNOWN, vocabulary.unknown)
    return Probe(
        text=kept,
        tokens=tokens,
        names=tuple(
            visible(piece, spaces=True) if token in unknown else vocabulary.display(token)
            for piece, token in zip(pieces, tokens.tolist(), strict=True)
        ),
        unknown=tuple(np.flatnonzero(np.isin(tokens, unknown)).tolist()),
        cut=len(whole) - len(kept),
    )


def _characters(text: str, vocabulary: CharVocabulary, limit: int) -> tuple[str, list[str], np.ndarray]:
    """How much of a text is read in up to `limit` tokens; what each token is read from, and its id, `UNKNOWN` where a
    character has neither a symbol nor a near one. A character may be read as several, as … as three dots."""
    read: dict[str, list[int]] = {}
    pieces: list[str] = []
    tokens: list[int] = []
    for place, character in enumerate(text):
        if character not in read:
            read[character] = vocabulary.encode(character, unknown="nearest").tolist() or [UNKNOWN]
        if len(tokens) + len(read[character]) > limit:
            text = text[:place]
            break
        pieces += [character] * len(read[character])
        tokens += read[character]
    return text, pieces, np.array(tokens, dtype=np.int64)


def _as_many_words(text: str, limit: int, separated: bool) -> str:
    """The beginning of a text that has `limit` words and marks; all of it if it has no more."""
    if len(tokenise(text, separated)) <= limit:
        return text
    return text[: bisect_right(range(len(text)), limit, key=lambda end: len(tokenise(text[:end], separated))) - 1]
