"""Whether the lines of a text are sorted by kind, so that its last tenth is unlike the rest; and how to mix them.

The validation part is the last tenth of a text. In a list that is sorted (names by language, words by the alphabet) it
holds what the training part does not, and the validation loss says little. Prose is not asked: its lines belong in
their order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

import numpy as np

_LEAST_LINES = 100
_MOST_LINES = 20_000
"""Lines that are looked at; of a longer text, as many evenly spread ones."""

_LONGEST, _MOST_WORDS = 80, 5
"""Characters that the lines of a list have at most, and words that half of them have at most."""

_PAIRS = 400
"""The commonest pairs of characters, by which parts are compared."""

_DRAWS = 20
_MARGIN = 1.5
"""How much further from the rest the last tenth is than the furthest of `_DRAWS` random tenths, to be noticed."""


def sorted_by_kind(text: str) -> bool:
    """Whether a text is a list, one short entry a line, whose last tenth differs from the rest more than chance allows.

    The parts are compared by the pairs of neighbouring characters in them, line ends included.
    """
    lines = _lines(text)
    if len(lines) > _MOST_LINES:
        lines = [lines[place * len(lines) // _MOST_LINES] for place in range(_MOST_LINES)]
    if not _is_list(lines):
        return False
    counts = _pairs(lines)
    tenth = len(lines) // 10
    own = _divergence(counts, np.arange(len(lines) - tenth, len(lines)))
    generator = np.random.default_rng(0)
    draws = (generator.choice(len(lines), tenth, replace=False) for _ in range(_DRAWS))
    return own > _MARGIN * max(_divergence(counts, drawn) for drawn in draws)


def shuffled_lines(text: str, seed: int = 0) -> str:
    """The same lines in a random order, which the seed decides."""
    lines = _lines(text)
    random.Random(seed).shuffle(lines)
    return "\n".join(lines) + "\n"


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _is_list(lines: Sequence[str]) -> bool:
    """Whether nearly every line is one short entry, with no empty lines between."""
    if len(lines) < _LEAST_LINES:
        return False
    entries = sum(0 < len(line) <= _LONGEST for line in lines)
    return entries >= 0.99 * len(lines) and median(len(line.split()) for line in lines) <= _MOST_WORDS


def _pairs(lines: Sequence[str]) -> np.ndarray:
    """How often each of the commonest pairs of characters is in each line, (lines, pairs)."""
    text = "\n" + "\n".join(lines) + "\n"
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
    line = np.cumsum(codes[:-1] == ord("\n")) - 1
    _, pair, times = np.unique(codes[:-1] << 32 | codes[1:], return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-times, kind="stable"), kind="stable")[pair]
    common = rank < _PAIRS
    counts = np.zeros((len(lines), min(_PAIRS, len(times))), dtype=np.float32)
    np.add.at(counts, (line[common], rank[common]), 1)
    return counts


def _divergence(counts: np.ndarray, rows: np.ndarray) -> float:
    """The Jensen-Shannon divergence between what stands in these lines and what stands in all others, in nats."""
    part = counts[rows].sum(0, dtype=np.float64)
    rest = counts.sum(0, dtype=np.float64) - part
    part, rest = part / part.sum(), rest / rest.sum()
    mean = (part + rest) / 2

    def from_mean(shares: np.ndarray) -> float:
        there = shares > 0
        return float((shares[there] * np.log(shares[there] / mean[there])).sum())

    return (from_mean(part) + from_mean(rest)) / 2
