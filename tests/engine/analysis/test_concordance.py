"""The share of pairs in the right order, against all pairs one by one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analysis.concordance import BINS, MOST_LEVELS, best_cut, concordance, count, levels_of


def _all_pairs(values: NDArray, labels: NDArray) -> float:
    right, pairs = 0.0, 0
    for i in range(len(values)):
        for j in range(len(values)):
            if labels[i] < labels[j]:
                pairs += 1
                right += 1.0 if values[i] < values[j] else 0.5 if values[i] == values[j] else 0.0
    return right / pairs


@pytest.mark.parametrize("levels", [2, 3, 7])
@pytest.mark.parametrize("values", [3, BINS])
def test_it_is_the_share_of_all_pairs(levels: int, values: int) -> None:
    random = np.random.default_rng(levels)
    labels = random.integers(levels, size=120)
    binned = np.clip(random.integers(values, size=120) + 5 * labels, 0, BINS - 1).astype(np.uint8)
    assert concordance(count(binned, labels)) == pytest.approx(_all_pairs(binned.astype(int), labels), abs=1e-12)


def test_a_value_that_says_it_outright_has_1_its_opposite_0_and_a_constant_one_half() -> None:
    labels = np.array([0, 1, 0, 1, 1])
    assert concordance(count((labels * 200).astype(np.uint8), labels)) == 1.0
    assert concordance(count((200 - labels * 200).astype(np.uint8), labels)) == 0.0
    assert concordance(count(np.full(5, 9, np.uint8), labels)) == 0.5


def test_there_is_nothing_to_tell_where_nothing_differs() -> None:
    assert np.isnan(concordance(count(np.arange(5, dtype=np.uint8), np.zeros(5, np.int64))))


def test_few_different_numbers_are_a_level_each_and_many_share_levels_evenly() -> None:
    assert levels_of(np.array([3.0, 0.0, 3.0, 8.0], np.float32)).tolist() == [1, 0, 1, 2]
    levels = levels_of(np.arange(1_000, dtype=np.float32))
    sizes = np.bincount(levels)
    assert len(sizes) == MOST_LEVELS
    assert sizes.max() - sizes.min() <= 2
    assert (np.diff(levels) >= 0).all()


def test_the_cut_is_where_balanced_accuracy_is_highest() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(2, size=400)
    binned = np.clip(random.normal(100 + 40 * labels, 20), 0, 255).astype(np.uint8)

    def accuracy(cut: int) -> float:
        on = binned >= cut
        return float((on[labels == 1].mean() + (~on[labels == 0]).mean()) / 2)

    cut = best_cut(count(binned, labels))
    assert accuracy(cut) == pytest.approx(max(accuracy(other) for other in range(BINS)))
