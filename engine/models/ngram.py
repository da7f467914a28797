"""n-gram language models: the baselines that a network has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from torch import Tensor

ORDERS = (1, 2, 3)
FALLBACK_DISCOUNT = 0.5

Tokens = Sequence[int] | np.ndarray | Tensor


@dataclass(frozen=True, eq=False)
class _Counts:
    """The n-grams of one size in a text. An n-gram is one number, its token ids as digits to base V."""

    grams: np.ndarray  # (grams), sorted, int64
    counts: np.ndarray  # (grams), how often each was seen, or after how many different tokens
    contexts: np.ndarray  # (contexts), the grams without their last token, sorted, int64
    totals: np.ndarray  # (contexts), sum of the counts that follow each
    kinds: np.ndarray  # (contexts), number of different tokens that follow each
    discount: float


class NGram:
    """An interpolated n-gram model with Kneser and Ney's smoothing.

    With h the n - 1 tokens before w, h' the same without its first, and D a discount:

        p(w | h) = max(c(h w) - D, 0) / c(h •)  +  D N(h •) / c(h •) p(w | h')

    where c counts occurrences at the highest order, and below it the different tokens that an n-gram was
    seen after; c(h •) = Σ_w c(h w); N(h •) is the number of different w with c(h w) > 0. After a context
    never seen, p(w | h) = p(w | h'). The recursion ends in the uniform guess 1 / V, so every token has a
    probability above zero. At each order D = n1 / (n1 + 2 n2), with n1 and n2 the numbers of n-grams
    counted once and twice (one half where a text is too small to have both).

    R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995, in the
    interpolated form of S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for
    language modeling", Computer Speech and Language 13, 1999.
    """

    def __init__(self, levels: Sequence[_Counts], vocabulary_size: int) -> None:
        self.order = len(levels)
        self.vocabulary_size = vocabulary_size
        self._levels = tuple(levels)

    @classmethod
    def fit(cls, tokens: Tokens, order: int, vocabulary_size: int) -> NGram:
        """Count a training text.

        Args:
            tokens: token ids, (tokens).
            order: n; the model sees the n - 1 tokens before.
            vocabulary_size: V.

        Raises:
            ValueError: an order or a vocabulary that cannot be counted, or ids outside the vocabulary.
        """
        if order < 1 or vocabulary_size < 1 or vocabulary_size**order >= 2**63:
            raise ValueError(
                f"There is no {order}-gram model of {vocabulary_size:,} symbols: V^n must stay below 2^63."
            )
        ids = _checked(tokens, vocabulary_size)
        grams, counts = np.unique(_packed(ids, order, vocabulary_size), return_counts=True)
        levels = [_counted(grams, counts, vocabulary_size)]
        for size in range(order - 1, 0, -1):
            if size < order - 1:  # the kinds of size-grams in the text, whatever stands before them
                grams = np.unique(_packed(ids, size + 1, vocabulary_size))
            shorter, preceded_by = np.unique(grams % vocabulary_size**size, return_counts=True)
            levels.append(_counted(shorter, preceded_by, vocabulary_size))
        return cls(levels[::-1], vocabulary_size)

    def loss(self, tokens: Tokens) -> float:
        """Mean loss of a text in nats per token: -log p of each token but the first, given what stands before it.

        Raises:
            ValueError: fewer than two tokens, or ids outside the vocabulary.
        """
        ids = _checked(tokens, self.vocabulary_size)
        if len(ids) < 2:
            raise ValueError(f"A loss needs at least two tokens; there are {len(ids)}.")
        return float(-self.log_probabilities(ids[1:], ids[:1]).mean())

    def log_probabilities(self, tokens: Tokens, context: Tokens = ()) -> np.ndarray:
        """log p of each token given what stands before it, in nats, (tokens), float64.

        Args:
            context: what stands before the first token; the last n - 1 of it count, and none will do.

        Raises:
            ValueError: ids outside the vocabulary.
        """
        targets, before = _checked(tokens, self.vocabulary_size), _checked(context, self.vocabulary_size)
        before = before[max(len(before) - (self.order - 1), 0) :]
        ids = np.concatenate((before, targets))
        chances = np.full(len(targets), 1 / self.vocabulary_size)
        for size in range(1, self.order + 1):
            grams = _packed(ids, size, self.vocabulary_size)[max(len(before) - (size - 1), 0) :]
            later = slice(len(targets) - len(grams), None)  # the first may have too little before them for this size
            chances[later] = self._chances(size, grams, chances[later])
        return np.log(chances)

    def probabilities(self, context: Tokens) -> np.ndarray:
        """The distribution of the next token, (V), float64, summing to one.

        Args:
            context: the tokens before it; the last n - 1 of them count, and fewer will do.

        Raises:
            ValueError: ids outside the vocabulary.
        """
        before = _checked(context, self.vocabulary_size)
        chances = np.full(self.vocabulary_size, 1 / self.vocabulary_size)
        key = 0
        for size in range(1, min(self.order, len(before) + 1) + 1):
            if size > 1:
                key += int(before[-(size - 1)]) * self.vocabulary_size ** (size - 2)
            grams = key * self.vocabulary_size + np.arange(self.vocabulary_size)
            chances = self._chances(size, grams, chances)
        return chances

    def _chances(self, size: int, grams: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """p(w | h) of n-grams h w of one size, (grams), given `lower`, p(w | h') of the same."""
        level = self._levels[size - 1]
        contexts = grams // self.vocabulary_size
        counts = _looked_up(level.grams, level.counts, grams)
        totals = _looked_up(level.contexts, level.totals, contexts)
        kinds = _looked_up(level.contexts, level.kinds, contexts)
        kept = np.maximum(counts - level.discount, 0.0)
        return np.where(totals > 0, (kept + level.discount * kinds * lower) / np.maximum(totals, 1), lower)


def uniform_loss(vocabulary_size: int) -> float:
    """The loss of guessing every token alike, in nats per token: log V."""
    return log(vocabulary_size)


def baselines(train: Tokens, evaluation: Tokens, vocabulary_size: int) -> dict[str, float]:
    """The losses to beat on an evaluation text, nats per token: "uniform", "1-gram", "2-gram" and "3-gram"."""
    models = {f"{order}-gram": NGram.fit(train, order, vocabulary_size) for order in ORDERS}
    return {"uniform": uniform_loss(vocabulary_size)} | {name: model.loss(evaluation) for name, model in models.items()}


def _checked(tokens: Tokens, vocabulary_size: int) -> np.ndarray:
    ids = np.asarray(tokens, dtype=np.int64).reshape(-1)
    if ids.size and not (ids.min() >= 0 and ids.max() < vocabulary_size):
        raise ValueError(
            f"Token ids must be between 0 and {vocabulary_size - 1:,}, but run from {ids.min()} to {ids.max()}."
        )
    return ids


def _packed(ids: np.ndarray, size: int, vocabulary_size: int) -> np.ndarray:
    """The n-gram that begins at each place as one number, (tokens - size + 1), int64."""
    places = max(len(ids) - size + 1, 0)
    packed = np.zeros(places, dtype=np.int64)
    for ahead in range(size):
        packed *= vocabulary_size
        packed += ids[ahead : ahead + places]
    return packed


def _counted(grams: np.ndarray, counts: np.ndarray, vocabulary_size: int) -> _Counts:
    contexts, starts = np.unique(grams // vocabulary_size, return_index=True)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return _Counts(
        grams=grams,
        counts=counts,
        contexts=contexts,
        totals=np.add.reduceat(counts, starts) if len(starts) else counts,
        kinds=np.diff(starts, append=len(grams)),
        discount=once / (once + 2 * twice) if once and twice else FALLBACK_DISCOUNT,
    )


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, and 0 where `keys` (sorted) has no such key."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)
