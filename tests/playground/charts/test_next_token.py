"""The chart of what could come next: its rows are the distributions, and its specification is constant."""

from __future__ import annotations

import json

import numpy as np
import pytest

from playground import theme
from playground.charts.next_token import AFTER, BEFORE, SHOWN, next_token_frame, next_token_spec, percent

NAMES = [f"w{place}" for place in range(30)]


def _distributions() -> tuple[np.ndarray, np.ndarray]:
    before = np.random.default_rng(0).dirichlet(np.ones(30))
    after = np.where(before >= np.sort(before)[-5], before, 0.0)
    return before, after / after.sum()


def test_the_likeliest_tokens_come_first_and_all_adds_up_to_one() -> None:
    before, after = _distributions()
    frame = next_token_frame(before=before, after=after, names=NAMES, written=int(before.argmax()))
    for which in (BEFORE, AFTER):
        rows = frame[frame["which"] == which]
        assert rows["probability"].sum() == pytest.approx(1)
        assert list(rows["rank"]) == list(range(SHOWN + 1))
    first = frame.loc[frame["which"] == BEFORE, "probability"].to_numpy()[:SHOWN]
    assert (np.diff(first) <= 0).all()
    assert frame["token"].iloc[0] == f"{NAMES[before.argmax()]} ◂ chosen"
    assert frame["token"].iloc[-1] == f"{30 - SHOWN} others"


def test_the_written_token_is_shown_however_unlikely() -> None:
    before, after = _distributions()
    written = int(before.argmin())
    frame = next_token_frame(before=before, after=after, names=NAMES, written=written)
    row = frame[frame["token"] == f"{NAMES[written]} ◂ chosen"]
    assert row["probability"].iloc[0] == pytest.approx(before[written])
    assert frame["probability"].sum() == pytest.approx(2)


def test_tokens_that_look_alike_are_told_apart() -> None:
    before = np.array([0.5, 0.3, 0.2])
    frame = next_token_frame(before=before, after=before, names=["x", "x", "y"], written=2)
    assert sorted(set(frame["token"])) == ["x", "x (2)", "y ◂ chosen"]


def test_a_small_vocabulary_has_no_others() -> None:
    before = np.array([0.5, 0.5])
    assert len(next_token_frame(before=before, after=before, names=["a", "b"], written=0)) == 4


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, "100%"),
        (0.9983, ">99%"),
        (0.993, "99%"),
        (0.1234, "12%"),
        (0.0123, "1.2%"),
        (1e-5, "<0.1%"),
        (0.0, "0"),
        (float("nan"), "NaN"),
    ],
)
def test_probabilities_are_short(probability: float, text: str) -> None:
    assert percent(probability) == text


def test_the_chart_is_constant_and_says_what_it_shows() -> None:
    spec = next_token_spec(theme.FAMILIES["gru"])
    assert spec is next_token_spec(theme.FAMILIES["gru"])
    text = json.dumps(spec)
    assert theme.FAMILIES["gru"] in text
    assert spec["title"]["text"]
    assert "probability" in spec["description"]
    assert "datasets" not in spec
