"""The sentence at the top: its numbers are those of the trace, and it stands for every state of things."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.analysis import activity
from playground.access.runs import snapshot_of
from playground.charts.next_token import percent
from playground.inside.view import View, look
from playground.notation import NOTATIONS
from playground.state import Selection
from playground.views.unrolled.claim import FELT, claim, reach

Look = Callable[..., View]
PROBE = "They ate the fish, and then"


@pytest.fixture
def view(own_recordings: None) -> Look:
    """Looks into a starter run: `view("tales-gru", t=4)`."""

    def looked(run: str, letter: str = "", **place: object) -> View:
        return look(snapshot_of(run), Selection(**{"probe": PROBE, "t": 9, **place}), letter)  # type: ignore[arg-type]

    return looked


def test_it_says_what_is_expected_and_what_comes(view: Look) -> None:
    found = view("tales-lstm", t=2)
    chances = found.trace.log_probabilities[2].exp()
    best, wanted = int(chances.argmax()), int(found.trace.targets[2])
    said = claim([found], "sum")
    assert best != wanted
    assert f"expects ‘{found.vocabulary.display(best)}’ with {percent(float(chances[best]))}" in said
    assert f"what comes, ‘{found.vocabulary.display(wanted)}’, had {percent(float(chances[wanted]))}" in said


def test_a_loss_is_felt_as_far_back_as_a_hundredth_of_its_gradient_arrives(view: Look) -> None:
    found = view("tales-rnn", t=24)
    norms = np.asarray(activity.gradient_norms(found.gradient(24)))[0]
    steps = 0
    while norms[24 - steps - 1] >= FELT * norms[24]:
        steps += 1
    assert reach(found, "sum") == reach(found, 24)
    assert reach(found, "sum").steps == steps > 3  # type: ignore[union-attr]
    assert f"felt {steps} steps back" in claim([found], "sum")


def test_of_a_chosen_loss_the_claim_tells_that_ones_reach(view: Look) -> None:
    assert "its loss at t = 6 is felt" in claim([view("tales-lstm", t=20)], 5)


def test_where_nothing_follows_the_last_loss_is_told(view: Look) -> None:
    said = claim([view("tales-lstm", t=26)], "sum")
    assert "its loss at t = 26 is felt" in said
    assert "what comes" not in said


def test_one_token_has_no_loss_to_tell_of(view: Look) -> None:
    said = claim([view("tales-lstm", probe="T", t=0)], "sum")
    assert said.startswith("After 1 character this LSTM expects")
    assert "loss" not in said


def test_the_first_timestep_has_nothing_before_it(view: Look) -> None:
    assert "nothing stands before it" in claim([view("tales-lstm", t=0)], "sum")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_timesteps_are_counted_as_the_notation_does(view: Look, notation: str) -> None:
    said = claim([view("tales-lstm", t=9, notation=notation)], "sum")
    assert f"its loss at t = {9 if notation == 'pytorch' else 10}" in said
    assert said.startswith("After 10 characters")


def test_compared_runs_are_told_of_together(view: Look) -> None:
    views = [view("tales-lstm", "A", step=0, t=25), view("tales-rnn", "B", step=0, t=25)]
    said = claim(views, "sum")
    far = [reach(one, "sum").steps for one in views]  # type: ignore[union-attr]
    assert far[0] > far[1], "before training an LSTM's gradient reaches further: the experiment says so"
    assert f"{far[0]} steps back in A (LSTM, step 0)" in said
    assert f"{far[1]} steps back in B (RNN, step 0)" in said
