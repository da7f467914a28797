"""Charts of surprise: along a text, and of two sentences by several judges."""

from __future__ import annotations

import math

import pytest

from playground.charts.surprise import MOST_BARS, factor, sentences_frame, sentences_spec, surprise_frame, surprise_spec


def test_every_token_has_its_bar() -> None:
    frame = surprise_frame(bits=[1.0, 3.0, 2.0], names=["a", "b", "c"])
    assert list(frame["place"]) == [1, 2, 3]
    assert list(frame["bits"]) == [1.0, 3.0, 2.0]
    assert list(frame["token"]) == ["a", "b", "c"]


def test_a_long_text_keeps_its_extremes() -> None:
    bits = [1.0] * 5_000
    bits[1_234] = 17.0
    frame = surprise_frame(bits=bits, names=["x"] * 5_000)
    assert len(frame) <= MOST_BARS
    assert frame.set_index("place").loc[1_235, "bits"] == 17.0


def test_what_is_not_finite_leaves_a_gap() -> None:
    frame = surprise_frame(bits=[1.0, math.inf, math.nan], names=["a", "b", "c"])
    assert frame["bits"].isna().tolist() == [False, True, True]


def test_the_likelier_sentence_says_by_what_factor() -> None:
    frame = sentences_frame(judges=[("LSTM", 40.0, 43.0), ("1-gram", 50.0, 50.0)])
    texts = frame.set_index(["judge", "sentence"])["text"]
    assert texts["LSTM", "first"] == "40 bits, 8 times more likely"
    assert texts["LSTM", "second"] == "43 bits"
    assert "likelier" not in texts["1-gram", "first"] + texts["1-gram", "second"]


@pytest.mark.parametrize(("bits", "text"), [(1.0, "2 times"), (0.5, "1.41 times"), (100.0, "10^30 times")])
def test_a_factor_of_any_size_is_short(bits: float, text: str) -> None:
    assert factor(bits) == text


def test_the_specifications_are_constant_and_described() -> None:
    for spec in (surprise_spec(), sentences_spec(4)):
        assert spec["title"]["text"]
        assert spec["description"]
    assert surprise_spec() is surprise_spec()
    assert sentences_spec(5)["height"] > sentences_spec(4)["height"]
