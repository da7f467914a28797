"""What a change does to predictions: along the text, and the likeliest tokens at one place."""

from __future__ import annotations

import math

import numpy as np
import pytest

from playground.charts.prediction_change import AFTER, BEFORE, SHOWN, along_frame, along_spec, top_frame, top_spec

NAMES = [f"w{token}" for token in range(20)]


def test_along_the_text_each_timestep_has_both_probabilities() -> None:
    before, after = np.array([0.5, 0.62, math.nan]), np.array([0.5, 0.08, math.nan])
    frame = along_frame(
        before=before, after=after, names=["a", "b", "c"], expected=["b", "c", ""], first=1, chosen=2, changed=[0]
    )
    assert list(frame["place"]) == [1, 2, 3]
    assert list(frame["text"]) == ["50% → 50%", "62% → 8.0%", "NaN → NaN"]
    assert list(frame["mark"]) == ["changed", "", "chosen"]
    assert list(frame["expected"]) == ["b", "c", ""]


def test_the_likeliest_tokens_of_either_are_shown_beside_each_other() -> None:
    before, after = np.full(20, 0.01), np.full(20, 0.01)
    before[3], after[17] = 0.81, 0.81
    frame = top_frame(before=before, after=after, names=NAMES, expected=5)
    assert set(frame["token"]) >= {"w3", "w17", "w5 ◂ next"}
    assert frame["token"].nunique() == SHOWN
    of = frame.set_index(["token", "which"])["probability"]
    assert (of["w3", BEFORE], of["w3", AFTER]) == (0.81, 0.01)
    assert (of["w17", BEFORE], of["w17", AFTER]) == (0.01, 0.81)


def test_tokens_that_look_alike_are_told_apart() -> None:
    chances = np.array([0.5, 0.3, 0.2])
    frame = top_frame(before=chances, after=chances, names=["x", "x", "y"], expected=-1)
    assert sorted(set(frame["token"])) == ["x", "x (2)", "y"]


def test_nan_is_said() -> None:
    frame = top_frame(before=np.full(3, 0.3), after=np.full(3, math.nan), names=["a", "b", "c"], expected=-1)
    assert set(frame.loc[frame["which"] == AFTER, "text"]) == {"NaN"}
    assert frame.loc[frame["which"] == BEFORE, "probability"].sum() == pytest.approx(0.9)


def test_the_specifications_are_constant_and_say_what_they_show() -> None:
    for spec in (along_spec(), top_spec()):
        assert spec["title"]["text"]
        assert spec["description"]
        assert "datasets" not in spec
    assert along_spec() is along_spec()
    assert top_spec() is top_spec()
