"""What the whole validation part of a text costs beside the tokens of a model: spelling, spacing; and what was seen.

The tokens of a text, the spelling of those that are read as `<unk>`, and the spacing around them give the text back.
Each of the three has a probability from the training part alone, so that -log2 of their product is a number of bits
from which the text could be written again. The model pays for the tokens; the other two are counted here.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import log

import numpy as np

from engine.analysis.verbatim import share_seen
from engine.data import Corpus, TextFacts, WordVocabulary
from engine.data.words import tokens_and_gaps, usual_gaps
from engine.models.ngram import NGram

SPELLING_ORDER = 3

_END, _NEW = 0, 1  # ids of a word's end, and of a character that no word of the training part has
_CODE_POINTS = sys.maxunicode + 1
_EDGE = ""  # stands beside the first and the last gap of a text
_PIECE = 20_000
"""Gaps counted in one go: Python lets no other thread run meanwhile, not the one that trains either."""

_WHITE_SPACE = sum(map(str.isspace, map(chr, range(_CODE_POINTS)))) - 1  # a line end is a token


def text_facts(corpus: Corpus) -> TextFacts:
    """The facts on a prepared text; takes about a second for a million characters read by words."""
    train, validation = corpus.train.numpy(), corpus.validation.numpy()
    unknown = -1 if corpus.vocabulary.unknown is None else corpus.vocabulary.unknown
    spelling, spacing = _nats_beside_the_tokens(corpus, train == unknown, validation == unknown)
    characters = len(corpus.validation_text)
    return TextFacts(
        validation_characters=characters,
        characters_per_token=characters / len(validation),
        spelling=spelling / characters / log(2),
        spacing=spacing / characters / log(2),
        unknown_train=float((train == unknown).mean()),
        unknown_validation=float((validation == unknown).mean()),
        seen=share_seen(corpus.validation_text, corpus.train_text),
    )


def _nats_beside_the_tokens(
    corpus: Corpus, unknown_train: np.ndarray, unknown_validation: np.ndarray
) -> tuple[float, float]:
    """Nats for spelling and for spacing; which tokens of each part are unknown is given, (tokens), bool."""
    vocabulary = corpus.vocabulary
    if isinstance(vocabulary, WordVocabulary):
        train, train_gaps = tokens_and_gaps(corpus.train_text, vocabulary.separated)
        validation, validation_gaps = tokens_and_gaps(corpus.validation_text, vocabulary.separated)
        spacing = Spacing(_places(train, train_gaps, vocabulary.separated)).nats(
            _places(validation, validation_gaps, vocabulary.separated)
        )
    else:
        train, validation, spacing = list(corpus.train_text), list(corpus.validation_text), 0.0
    to_spell = _chosen(validation, unknown_validation)
    if not to_spell:
        return 0.0, spacing
    never = _chosen(train, unknown_train)
    known = sorted(set(train).difference(never, "\n"))
    return Spelling([*never, *known]).nats(to_spell), spacing


def _chosen(tokens: Sequence[str], which: np.ndarray) -> list[str]:
    return [tokens[place] for place in np.flatnonzero(which).tolist()]


class Spelling:
    """Spells words: a character 3-gram model (Kneser and Ney's smoothing), with an end to each word.

    A character that none of its words has is announced by a symbol for it, and is then one of Unicode's code points,
    each as likely as the next.

    Args:
        words: those it is counted on, each as often as it stands here. For what a model reads as `<unk>` these are
            the unknown words of the training part and, so that there are always some, each known one once.
    """

    def __init__(self, words: Iterable[str]) -> None:
        words = list(words)
        self._ids = {character: place for place, character in enumerate(sorted(set().union(*words)), start=_NEW + 1)}
        self._ngram = NGram.fit(self._spelt(words), SPELLING_ORDER, len(self._ids) + 2)

    def nats(self, words: Iterable[str]) -> float:
        """-log p of all these words together."""
        ids = self._spelt(words)
        paid = np.diff(ids != _END, prepend=False) | (ids != _END)  # the first end after a word, and its characters
        return float(-self._ngram.log_probabilities(ids)[paid].sum() + (ids == _NEW).sum() * log(_CODE_POINTS))

    def _spelt(self, words: Iterable[str]) -> np.ndarray:
        """Ids with two ends before each word, so that a 3-gram never reaches into the word before, and after all."""
        ids: list[int] = []
        for word in words:
            ids += _END, _END
            ids += [self._ids.get(character, _NEW) for character in word]
        return np.array([*ids, _END, _END], dtype=np.int64)


Place = tuple[str, str, str, str]
"""A gap between two tokens: the usual gap there, the kinds of the tokens before and after, and the gap itself."""


class Spacing:
    """Tells the gaps between tokens: a count model with Witten and Bell's smoothing.

    With c the context of a gap g (the gap that the joiner of tokens would put, and the kinds of its neighbours), c' a
    shorter one (the joiner's gap alone, then nothing), n(•) how often something was counted and k(c) how many
    different gaps were counted in c:

        p(g | c) = (n(c g) + k(c) p(g | c')) / (n(c) + k(c))

    It ends in any run of white space, half as likely with each character more: so every gap has a chance above zero,
    and a text spaced as the joiner spaces it costs next to nothing.

    I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 37, 1991.
    """

    def __init__(self, places: Mapping[Place, int]) -> None:
        self._levels: list[dict[tuple[str, ...], Counter[str]]] = [{}, {}, {}]
        for place, count in places.items():
            for level, context in zip(self._levels, _contexts(place), strict=True):
                level.setdefault(context, Counter())[place[-1]] += count
        self._totals = [{context: gaps.total() for context, gaps in level.items()} for level in self._levels]

    def probability(self, place: Place) -> float:
        """p of the gap of a place, given its context."""
        gap = place[-1]
        chance = 0.5 * (0.5 / _WHITE_SPACE) ** len(gap)
        for level, totals, context in zip(self._levels, self._totals, _contexts(place), strict=True):
            gaps = level.get(context)
            if gaps is not None:
                chance = (gaps[gap] + len(gaps) * chance) / (totals[context] + len(gaps))
        return chance

    def nats(self, places: Mapping[Place, int]) -> float:
        """-log p of all gaps together, by place and how often it occurs."""
        return -sum(count * log(self.probability(place)) for place, count in places.items())


def _contexts(place: Place) -> tuple[tuple[str, ...], ...]:
    """The contexts of a gap, the shortest first."""
    return (), place[:1], place[:3]


def _places(tokens: Sequence[str], gaps: Sequence[str], separated: bool) -> Counter[Place]:
    """The gaps of a text with their contexts, and how often each occurs."""
    kinds = [_EDGE, *map(_kind, tokens), _EDGE]
    places = zip([*usual_gaps(tokens, separated), ""], kinds, kinds[1:], gaps, strict=False)
    counts: Counter[Place] = Counter()
    while piece := list(islice(places, _PIECE)):
        counts.update(piece)
    return counts


def _kind(token: str) -> str:
    """A mark by itself, any word or number as one kind."""
    return "w" if token[0].isalnum() else token[0]
