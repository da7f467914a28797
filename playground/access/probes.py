"""A probe: a text as one model reads it, token by token, with what it cannot read."""

from __future__ import annotations

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
        unknown: places of the tokens that the model does not know
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

    Line ends of every kind become line feeds, as in what the models learn from. A text without a token gives a probe
    without one. The last few hundred are kept: every look at a page reads its probe.
    """
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(vocabulary, CharVocabulary):
        kept = whole[:limit]
        pieces, tokens = [*kept], _characters(kept, vocabulary)
    else:
        separated = bool(getattr(vocabulary, "separated", False))
        kept = _as_many_words(whole, limit, separated)
        pieces, tokens = tokenise(kept, separated), vocabulary.encode(kept)
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


def _characters(text: str, vocabulary: CharVocabulary) -> np.ndarray:
    """The id of each character; `UNKNOWN` where there is none."""
    if vocabulary.unknown is not None:
        return vocabulary.encode(text)
    symbols = set(vocabulary.symbols)
    known = [character in symbols for character in text]
    tokens = np.full(len(text), UNKNOWN, dtype=np.int64)
    tokens[known] = vocabulary.encode("".join(character for character in text if character in symbols))
    return tokens


def _as_many_words(text: str, limit: int, separated: bool) -> str:
    """The beginning of a text that has `limit` words and marks; all of it if it has no more."""
    if len(tokenise(text, separated)) <= limit:
        return text
    return text[: bisect_right(range(len(text)), limit, key=lambda end: len(tokenise(text[:end], separated))) - 1]
