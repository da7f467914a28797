"""What a text is held against: the training text, to find what is copied, and n-gram models of it.

Both take a while for a long text, so they are made behind the page, and the last few are kept. Nothing here imports
Streamlit.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.analysis.verbatim import VerbatimIndex
from engine.config import ConfigError
from engine.data import Corpus, TextError
from engine.models.ngram import ORDERS, NGram

log = logging.getLogger("unrolled.reference")

Value = TypeVar("Value")

CorpusOf = Callable[[], Corpus]


@dataclass(frozen=True)
class Copied:
    """What of a text stands word for word in the training text.

    Attributes:
        stretches: (start, end) of every such stretch, in characters.
        share: of the text's characters that lie in them, in [0, 1].
        longest: the longest stretch that stands there in one piece; empty if none is long enough to count.
    """

    stretches: Sequence[tuple[int, int]]
    share: float
    longest: str


@dataclass(frozen=True)
class Missing:
    """A value that cannot be had, and why."""

    why: str


class Behind(Generic[Value]):
    """Values made one at a time by a thread of their own; the last `bound` are kept."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._values: OrderedDict[str, Value | Missing | None] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def get(self, key: str, make: Callable[[], Value]) -> Value | Missing | None:
        """The value of a key: None until it is made, `Missing` if its text cannot be had."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            while len(self._values) >= self._bound:
                self._values.popitem(last=False)
            self._values[key] = None
        threading.Thread(target=self._make, args=(key, make), name="reference", daemon=True).start()
        return None

    def _make(self, key: str, make: Callable[[], Value]) -> None:
        value: Value | Missing
        with self._turn:
            try:
                value = make()
            except (TextError, ConfigError) as error:
                value = Missing(str(error))
            except Exception:
                log.exception("What a text is held against could not be made.")
                value = Missing("The training text could not be read: the log of the app says why.")
        with self._lock:
            if key in self._values:
                self._values[key] = value


def index_of(corpus: CorpusOf) -> VerbatimIndex:
    """Finds stretches of a corpus's training text again."""
    return VerbatimIndex(corpus().train_text)


def copied(index: VerbatimIndex, text: str) -> Copied:
    """What of `text` stands in the training text."""
    match = index.match(text)
    return Copied(tuple(index.stretches(text)), match.share, text[match.start : match.end])


def ngrams_of(corpus: CorpusOf) -> dict[int, NGram]:
    """Smoothed 1-, 2- and 3-gram models of a corpus's training text, by their order."""
    found = corpus()
    return {order: NGram.fit(found.train, order, len(found.vocabulary)) for order in ORDERS}
