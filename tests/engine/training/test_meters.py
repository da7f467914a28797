"""Running sums: means since the last report and since the last evaluation."""

from __future__ import annotations

import math

import pytest
import torch

from engine.training.meters import Meters


def fed(meters: Meters, *losses: float) -> Meters:
    for loss in losses:
        meters.add(torch.tensor(loss))
        meters.read()
        meters.spent(0.5)
    return meters


def test_a_reading_is_the_mean_since_the_last() -> None:
    meters = fed(Meters(10), 4.0, 2.0)
    reading = meters.reading()
    assert reading.loss == 3.0
    assert reading.tokens_per_second == pytest.approx(20.0)
    assert fed(meters, 7.0).reading().loss == 7.0


def test_the_training_loss_is_the_mean_of_what_was_reported_since_the_last_evaluation() -> None:
    meters = fed(Meters(10), 4.0, 2.0)
    assert math.isnan(meters.loss_since_evaluation())
    meters.reading()
    assert meters.loss_since_evaluation() == 3.0
    assert meters.loss_since_evaluation() == 3.0
    meters.evaluated()
    assert math.isnan(meters.loss_since_evaluation())


def test_losses_on_their_way_are_fetched_together() -> None:
    meters = Meters(10)
    for loss in (1.0, 2.0, 6.0):
        meters.add(torch.tensor(loss))
    assert meters.pending == 3
    assert meters.read() == 6.0
    assert meters.pending == 0
    assert meters.reading().loss == 3.0


def test_one_loss_that_is_not_finite_is_not_overlooked_among_others() -> None:
    meters = Meters(10)
    for loss in (1.0, math.inf, 2.0):
        meters.add(torch.tensor(loss))
    assert meters.read() == math.inf


def test_sums_put_away_go_on_as_if_nothing_had_been() -> None:
    whole = fed(Meters(10), 1.0, 5.0)
    whole.reading()
    fed(whole, 3.0)
    other = Meters(10)
    other.continue_from(3, whole.train_seconds, whole.sums())
    assert fed(other, 6.0).reading().loss == fed(whole, 6.0).reading().loss == 4.5
    assert other.loss_since_evaluation() == whole.loss_since_evaluation()
    assert other.average_rate() == whole.average_rate() == pytest.approx(20.0)
