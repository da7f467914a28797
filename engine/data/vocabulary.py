"""Vocabularies: from text to token ids and back, by characters or by words.

A vocabulary is a tuple of symbols; a token's id is its place there. Two symbols are special:
`<unk>` stands for whatever the vocabulary has no symbol for, `<eos>` (words only) for a line's end.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor

from engine.data.nearest import same_character, same_word
from engine.data.text import TextError
from engine.data.words import END, UNKNOWN, join, joiner, tokenise

MOST_SYMBOLS = 50_000
LONGEST_SYMBOL = 10_000  # characters; bounds what a vocabulary from a file may hold

OnUnknown = Literal["error", "nearest"]
Ids = Sequence[int] | np.ndarray | Tensor

_VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥"}


class Vocabulary(ABC):
    """What both kinds share: symbols, their display, JSON both ways.

    Attributes:
        level: "char" or "word".
        symbols: the text of each token, by id.
        unknown: id of `<unk>`, or None if there is none.
        end: id of `<eos>`, or None if there is none.
    """

    level: ClassVar[str]

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(symbols)
        self._ids = {symbol: number for number, symbol in enumerate(self.symbols)}
        self.unknown = self._ids.get(UNKNOWN)
        self.end = self._ids.get(END) if self.level == "word" else None

    def __len__(self) -> int:
        return len(self.symbols)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._plain() == other._plain()

    def __hash__(self) -> int:
        return hash((self.level, self.symbols))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self):,}>"

    @abstractmethod
    def encode(self, text: str, unknown: OnUnknown = "error") -> np.ndarray:
        """Token ids of a text, int64 (tokens).

        What has no symbol becomes `<unk>`; without `<unk>` it is refused. If `unknown` is "nearest", it is read as
        `read_instead` says: as the nearest that has a symbol; where there is none it becomes `<unk>` or is left out.

        Raises:
            TextError: names what the vocabulary does not know, if there is no `<unk>` and `unknown` is "error".
        """

    @abstractmethod
    def read_instead(self, text: str) -> dict[str, str]:
        """What of a text has no symbol, in its order, and what `encode` with "nearest" reads in its place.

        That is another way to write it, `<unk>`, or nothing where it is left out. What is the same in another Unicode
        form (an é in two code points) is not told.
        """

    @abstractmethod
    def decode(self, ids: Ids) -> str:
        """The text that token ids stand for.

        Raises:
            TextError: an id outside this vocabulary.
        """

    @abstractmethod
    def incremental_decoder(self) -> Callable[[int], str]:
        """A function that takes the token ids of one text in turn, and gives what each adds to the text.

        What it gives, put together, is what `decode` gives for all of them. It raises TextError for an id outside
        this vocabulary.
        """

    def display(self, number: int) -> str:
        """One token so that it can be seen: spaces, line ends, combining and invisible characters have signs."""
        self._check([number])
        symbol = self.symbols[number]
        return symbol if symbol in (UNKNOWN, END) else "".join(map(_visible, symbol))

    def to_json(self) -> str:
        """This vocabulary as JSON; `Vocabulary.from_json` gives it back, equal."""
        return json.dumps(self._plain(), ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Vocabulary:
        """The vocabulary that JSON text describes, of whichever level it says.

        Raises:
            TextError: not JSON, an unknown or missing key, or invalid symbols.
        """
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TextError(f"This vocabulary is not JSON: {error}.") from None
        if not isinstance(plain, dict) or plain.get("level") not in tuple(_LEVELS):
            raise TextError('A vocabulary must be a JSON object whose "level" is "char" or "word".')
        kind = _LEVELS[plain["level"]]
        unknown = sorted(plain.keys() - kind._keys)
        missing = sorted(kind._keys - plain.keys())
        if unknown or missing:
            what = f"the unknown key {unknown[0]!r}" if unknown else f"no key {missing[0]!r}"
            raise TextError(f"This vocabulary has {what}; its keys must be {', '.join(sorted(kind._keys))}.")
        return kind._from_plain(plain)

    _keys: ClassVar[frozenset[str]] = frozenset({"level", "symbols"})

    def _plain(self) -> dict[str, Any]:
        return {"level": self.level, "symbols": list(self.symbols)}

    @classmethod
    @abstractmethod
    def _from_plain(cls, plain: dict[str, Any]) -> Vocabulary: ...

    def _check(self, ids: Ids) -> np.ndarray:
        """The ids as an int64 array, all of them inside this vocabulary."""
        array = np.asarray(ids, dtype=np.int64).reshape(-1)
        if array.size and not (array.min() >= 0 and array.max() < len(self)):
            wrong = array[(array < 0) | (array >= len(self))][0]
            raise TextError(f"Token {wrong} is not in this vocabulary of {len(self):,} tokens.")
        return array


class CharVocabulary(Vocabulary):
    """Every character is a token; the ids follow the code points."""

    level = "char"

    def __init__(self, symbols: Iterable[str]) -> None:
        super().__init__(symbols)
        # What <unk> decodes to: the replacement character, one character for one.
        self._codes = np.array([0xFFFD if s == UNKNOWN else ord(s) for s in self.symbols], dtype=np.uint32)
        known = [number for number in range(len(self)) if number != self.unknown]
        size = int(self._codes[known].max(initial=0)) + 2  # the last row stands for all code points beyond
        self._table = np.full(size, -1 if self.unknown is None else self.unknown, dtype=np.int64)
        self._table[self._codes[known]] = known

    @classmethod
    def build(cls, text: str, limit: int) -> CharVocabulary:
        """All characters of a text, by code point; if more than `limit`, the rarest become `<unk>`.

        Raises:
            TextError: an empty text.
        """
        if not text:
            raise TextError("An empty text has no vocabulary.")
        counts = np.bincount(_code_points(text))
        codes = np.flatnonzero(counts)
        if len(codes) <= limit:
            return cls(map(chr, codes))
        commonest = codes[np.argsort(-counts[codes], kind="stable")[: limit - 1]]
        return cls([UNKNOWN, *map(chr, np.sort(commonest))])

    def encode(self, text: str, unknown: OnUnknown = "error") -> np.ndarray:
        codes = _code_points(text)
        if codes.size and codes.max() >= len(self._table):
            codes = np.minimum(codes, np.uint32(len(self._table) - 1))
        ids = self._table.take(codes)
        if not ids.size or (ids.min() >= 0 and (unknown != "nearest" or self.unknown not in ids)):
            return ids
        if unknown == "nearest":
            return self._encode_nearest(text)
        missing = dict.fromkeys(text[place] for place in np.flatnonzero(ids < 0)[:1_000])
        raise TextError(
            f"{_listed(missing)} not in the vocabulary of this model ({len(self)} characters): "
            "use other characters instead."
        )

    def _encode_nearest(self, text: str) -> np.ndarray:
        composed = unicodedata.normalize("NFC", text)
        instead = {character: self._instead(character) for character in set(composed) if character not in self._ids}
        pieces = [instead.get(character, character) for character in composed]
        ids = [[self.unknown] if piece == UNKNOWN else [self._ids[c] for c in piece] for piece in pieces]
        return np.array(list(itertools.chain.from_iterable(ids)), dtype=np.int64)

    def read_instead(self, text: str) -> dict[str, str]:
        if all(character in self._ids for character in text):
            return {}
        unknown = dict.fromkeys(c for c in unicodedata.normalize("NFC", text) if c not in self._ids)
        found = {character: self._instead(character) for character in unknown}
        return {character: other for character, other in found.items() if not _same_text(character, other)}

    def _instead(self, character: str) -> str:
        """What is read for a character that has no symbol."""
        for other in same_character(character):
            if other and all(c in self._ids for c in other):
                return other
        return "" if self.unknown is None else UNKNOWN

    def decode(self, ids: Ids) -> str:
        return self._codes[self._check(ids)].astype("<u4").tobytes().decode("utf-32-le")

    def incremental_decoder(self) -> Callable[[int], str]:
        return lambda number: self.decode([number])  # a character stands for itself, wherever it is

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> CharVocabulary:
        symbols = _checked_symbols(plain["symbols"])
        for symbol in symbols:
            if symbol != UNKNOWN and len(symbol) != 1:
                raise TextError(f"The symbol {symbol[:20]!r} of a character vocabulary is not a single character.")
        return cls(symbols)


class WordVocabulary(Vocabulary):
    """Words, numbers and marks are tokens, most frequent first after `<unk>` and `<eos>`.

    Attributes:
        separated: whether the text has its tokens set apart by spaces already (as WikiText has);
            otherwise `words.tokenise` finds them.
    """

    level = "word"
    _keys = frozenset({"level", "symbols", "separated"})

    def __init__(self, symbols: Iterable[str], separated: bool = False) -> None:
        super().__init__(symbols)
        if self.unknown is None or self.end is None:
            raise TextError(f"A word vocabulary needs the symbols {UNKNOWN} and {END}.")
        self.separated = separated

    @classmethod
    def build(cls, text: str, limit: int, separated: bool = False) -> WordVocabulary:
        """The `limit` most frequent tokens of a text, `<unk>` and `<eos>` among them; ties by code point.

        Raises:
            TextError: a text without a single word or mark.
        """
        counts = Counter(tokenise(text, separated))
        for special in (UNKNOWN, END):
            counts.pop(special, None)
        if not counts:
            raise TextError("This text contains no words.")
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        return cls([UNKNOWN, END, *ranked[: max(limit - 2, 0)]], separated)

    def encode(self, text: str, unknown: OnUnknown = "error") -> np.ndarray:
        tokens = tokenise(text, self.separated)
        get, unknown_id = self._ids.get, self.unknown
        if unknown == "nearest":
            tokens = [token if token in self._ids else self._instead(token) for token in tokens]
        return np.fromiter((get(token, unknown_id) for token in tokens), dtype=np.int64, count=len(tokens))

    def read_instead(self, text: str) -> dict[str, str]:
        unknown = dict.fromkeys(token for token in tokenise(text, self.separated) if token not in self._ids)
        found = {token: self._instead(token) for token in unknown}
        return {token: other for token, other in found.items() if not _same_text(token, other)}

    def _instead(self, token: str) -> str:
        """What is read for a word that has no symbol."""
        return next((other for other in same_word(token) if other in self._ids), UNKNOWN)

    def decode(self, ids: Ids) -> str:
        return join([self.symbols[number] for number in self._check(ids)], self.separated)

    def incremental_decoder(self) -> Callable[[int], str]:
        add = joiner(self.separated)
        return lambda number: add(self.symbols[self._check([number])[0]])

    def _plain(self) -> dict[str, Any]:
        return {**super()._plain(), "separated": self.separated}

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> WordVocabulary:
        symbols = _checked_symbols(plain["symbols"])
        if not isinstance(plain["separated"], bool):
            raise TextError('"separated" in a word vocabulary must be true or false.')
        for symbol in symbols:
            if len(symbol.split()) != 1 or len(symbol) != len(symbol.strip()):
                raise TextError(f"The symbol {symbol[:20]!r} of a word vocabulary is empty or contains white space.")
        return cls(symbols, plain["separated"])


_LEVELS: dict[str, type[CharVocabulary] | type[WordVocabulary]] = {"char": CharVocabulary, "word": WordVocabulary}


def _same_text(one: str, other: str) -> bool:
    """Whether two texts are the same but for their Unicode form."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _code_points(text: str) -> np.ndarray:
    """The code point of each character, (characters), of an unsigned type."""
    if text.isascii():  # a quarter of the memory to go through
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _visible(character: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    category = unicodedata.category(character)
    if category.startswith("M"):
        return "◌" + character
    return f"U+{ord(character):04X}" if category[0] in "CZ" else character


def _listed(unknown: Iterable[str]) -> str:
    shown = [f"{_visible(s)} (U+{ord(s):04X})" if _visible(s) == s else _visible(s) for s in unknown]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return f"{', '.join(shown[:5])}{more} {'are' if len(shown) > 1 else 'is'}"


def _checked_symbols(symbols: Any) -> list[str]:
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise TextError('"symbols" in a vocabulary must be a list of strings.')
    if not 1 <= len(symbols) <= MOST_SYMBOLS:
        raise TextError(f"A vocabulary must have 1 to {MOST_SYMBOLS:,} symbols, not {len(symbols):,}.")
    if len(set(symbols)) != len(symbols):
        twice = Counter(symbols).most_common(1)[0][0]
        raise TextError(f"The symbol {twice[:20]!r} occurs twice in this vocabulary.")
    for symbol in symbols:
        if not 1 <= len(symbol) <= LONGEST_SYMBOL or any("\ud800" <= c <= "\udfff" for c in symbol):
            raise TextError(
                f"The symbol {symbol[:20]!r} cannot be in a vocabulary: it is empty, too long or an unpaired surrogate."
            )
    return symbols
