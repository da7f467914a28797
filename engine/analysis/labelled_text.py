"""Texts for an analysis of units: one that was trained on and one that was not, with what is so at each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.hypotheses import Hypothesis, check_varies, labels
from engine.config import ConfigError
from engine.data import Corpus, Vocabulary
from engine.data.words import tokens_and_gaps

MOST_TOKENS = 1_000_000


@dataclass(frozen=True, eq=False)
class LabelledText:
    """A text as a model reads it, and a hypothesis on it.

    Attributes:
        tokens: (tokens), int64
        labels: (tokens), what the hypothesis says once each token is read: 0 or 1, or a number
        pieces: (tokens), the text of each
    """

    tokens: Tensor
    labels: NDArray[np.float32]
    pieces: Sequence[str]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Where the hypothesis holds, (tokens); of numbers, where they are above their median."""
        if set(np.unique(self.labels)) <= {0.0, 1.0}:
            return self.labels > 0
        return self.labels > np.median(self.labels)


def pieces_of(text: str, vocabulary: Vocabulary) -> list[str]:
    """The text of each token, in order, a line end as a line feed."""
    if vocabulary.level == "char":
        return list(text)
    return tokens_and_gaps(text, bool(getattr(vocabulary, "separated", False)))[0]


def labelled(text: str, tokens: Tensor, vocabulary: Vocabulary, hypothesis: Hypothesis, most: int) -> LabelledText:
    """The beginning of a text, up to `most` tokens, with what the hypothesis says of each.

    Raises:
        ConfigError: the hypothesis cannot be read in such a text
    """
    pieces = pieces_of(text, vocabulary)[:most]
    assert len(pieces) == min(most, len(tokens))
    return LabelledText(tokens[:most], labels(hypothesis, pieces), pieces)


def split_texts(corpus: Corpus, hypothesis: Hypothesis, tokens: int) -> tuple[LabelledText, LabelledText]:
    """A text to fit on, from the training part, and one to score on, held out: so many tokens together, as far as there
    are. Half of them are held out; where the validation part has fewer, all of it.

    Raises:
        ConfigError: too few tokens, or a hypothesis that never or always holds in one of the two
    """
    if not 100 <= tokens <= MOST_TOKENS:
        raise ConfigError(f"{tokens:,} tokens cannot be searched: choose from 100 to {MOST_TOKENS:,}.")
    words = corpus.vocabulary
    held_out = labelled(corpus.validation_text, corpus.validation, words, hypothesis, tokens // 2)
    fit = labelled(corpus.train_text, corpus.train, words, hypothesis, tokens - len(held_out))
    for text in (fit, held_out):
        check_varies(text.labels, hypothesis)
    return fit, held_out
