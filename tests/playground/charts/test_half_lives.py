"""The histogram of half-lives: every unit in the bar that holds its half-life."""

from __future__ import annotations

import numpy as np
import pytest

from playground.charts.half_lives import LONGEST, half_life_frame, half_life_spec


def test_every_unit_stands_in_the_bar_that_holds_its_half_life() -> None:
    half_lives = [0.9, 1.1, 5.0, 5.1, 70.0]
    frame = half_life_frame(half_lives=half_lives, first=1, chosen=4)
    assert frame["count"].sum() == len(half_lives)
    for _, bar in frame.iterrows():
        for unit in map(int, bar["units"].split(", ")):
            assert bar["low"] <= half_lives[unit - 1] < bar["high"]


def test_the_bar_of_the_chosen_unit_is_marked() -> None:
    frame = half_life_frame(half_lives=[1.0, 100.0], first=0, chosen=1)
    assert frame["chosen"].tolist() == [False, True]


def test_what_is_never_forgotten_stands_in_the_last_bar_and_what_has_no_half_life_in_none() -> None:
    frame = half_life_frame(half_lives=[np.inf, np.nan, 1e9], first=0, chosen=0)
    assert frame["low"].tolist() == [LONGEST]
    assert frame["units"].tolist() == ["0, 2"]


def test_bars_are_as_wide_on_the_logarithmic_axis() -> None:
    frame = half_life_frame(half_lives=np.geomspace(0.2, 4000, 50), first=0, chosen=0)
    assert (frame["high"] / frame["low"]).to_numpy() == pytest.approx(np.sqrt(2))


def test_many_units_in_one_bar_are_counted_rather_than_listed() -> None:
    frame = half_life_frame(half_lives=[3.0] * 40, first=1, chosen=0)
    assert frame["units"].tolist() == ["1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 28 more"]


def test_no_unit_at_all_is_an_empty_chart() -> None:
    assert len(half_life_frame(half_lives=[np.nan, np.nan], first=0, chosen=0)) == 0


def test_the_axis_says_what_it_counts() -> None:
    assert "half-life (timesteps, log scale)" in str(half_life_spec("Layer 1", "#0072B2"))
