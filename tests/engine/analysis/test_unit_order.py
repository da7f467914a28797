"""The order of units: by mean, by saturation, by similarity."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.analysis.unit_order import ORDERS, Order, saturated, unit_order


def test_as_stored_is_one_after_the_other() -> None:
    assert unit_order(torch.rand(5, 4), "stored").tolist() == [0, 1, 2, 3]


def test_the_largest_mean_comes_first() -> None:
    values = torch.tensor([[0.1, 0.9, 0.5], [0.3, 0.7, 0.5]])
    assert unit_order(values, "mean").tolist() == [1, 2, 0]


def test_the_unit_that_is_saturated_most_often_comes_first() -> None:
    values = torch.tensor([[0.5, 0.05, 0.95], [0.5, 0.5, 0.02], [0.5, 0.5, 0.99]])
    assert unit_order(values, "saturation").tolist() == [2, 1, 0]


def test_a_signed_value_is_saturated_by_its_size_alone() -> None:
    assert saturated(torch.tensor([-0.95, -0.5, 0.0, 0.05, 0.95])).tolist() == [True, False, False, False, True]
    assert saturated(torch.tensor([0.05, 0.5, 0.95])).tolist() == [True, False, True]


def test_units_along_a_travelling_wave_are_put_back_in_their_order() -> None:
    """Neighbours on half a circle correlate most: shuffled, they come back one beside the other."""
    time = np.linspace(0, 20 * np.pi, 800)[:, None]
    wave = np.sin(time - np.linspace(0, np.pi * 0.9, 12)[None])
    shuffle = np.random.default_rng(3).permutation(12)
    found = shuffle[unit_order(torch.tensor(wave[:, shuffle]), "similarity")].tolist()
    assert found in ([*range(12)], [*range(11, -1, -1)])


def test_a_unit_that_never_moves_comes_last() -> None:
    values = torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    values[:, 2] = 0.7
    assert unit_order(values, "similarity").tolist()[-1] == 2


@pytest.mark.parametrize("by", ORDERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 1), (3, 2), (9, 40)])
def test_every_order_has_every_unit_once(by: Order, shape: tuple[int, int]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    values[0, 0] = torch.nan
    assert sorted(unit_order(values, by).tolist()) == [*range(shape[1])]
