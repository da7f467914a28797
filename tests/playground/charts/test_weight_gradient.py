"""Each timestep's share of a gradient as bars: every value in its place, with its sign and token."""

from __future__ import annotations

import math

import pytest

from playground.charts.weight_gradient import (
    BROKEN,
    NEGATIVE,
    POSITIVE,
    TITLES,
    contributions_frame,
    contributions_spec,
)


def test_every_timestep_has_its_bar_counted_from_the_notations_first() -> None:
    frame = contributions_frame(values=[0.5, -0.25, 0.75], names=["a", "b", "c"], first=1, chosen=2, measure="along")
    assert list(frame["place"]) == [1, 2, 3]
    assert list(frame["value"]) == [0.5, -0.25, 0.75]
    assert list(frame["sign"]) == [POSITIVE, NEGATIVE, POSITIVE]
    assert list(frame["token"]) == ["a", "b", "c"]
    assert list(frame["text"]) == ["50%", "−25%", "75%"]
    assert list(frame["chosen"]) == [False, False, True]


def test_a_norm_is_written_as_a_number() -> None:
    frame = contributions_frame(values=[0.012345], names=["a"], first=0, chosen=0, measure="norm")
    assert frame["text"].item() == "0.0123"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_marked_as_such(value: float) -> None:
    frame = contributions_frame(values=[value, 1.0], names=["a", "b"], first=0, chosen=0, measure="along")
    assert list(frame["sign"]) == [BROKEN, POSITIVE]
    assert frame["text"].iloc[0] in ("NaN", "∞")


@pytest.mark.parametrize("measure", TITLES)
def test_the_specification_is_constant_and_says_what_it_shows(measure: str) -> None:
    spec = contributions_spec(measure)
    assert spec is contributions_spec(measure)
    assert spec["title"]["subtitle"] == TITLES[measure][1]
    assert spec["description"]
    assert "datasets" not in spec
