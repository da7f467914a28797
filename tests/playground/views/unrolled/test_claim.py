"""The sentence at the top: its numbers are those of the trace, and it stands for every state of things."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.analysis import activity
from playground.access import traces
from playground.access.runs import snapshot_of
from playground.charts.fading import VANISHED
from playground.charts.next_token import percent
from playground.inside.view import View, look
from playground.notation import NOTATIONS
from playground.state import Selection
from playground.text import number
from playground.views.unrolled.claim import claim, reach

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
    assert f"predicts ‘{found.vocabulary.display(best)}’ with probability {percent(float(chances[best]))}" in said
    assert (
        f"the actual next character, ‘{found.vocabulary.display(wanted)}’, gets {percent(float(chances[wanted]))}"
        in said
    )


def test_a_gradient_reaches_as_far_back_as_a_hundredth_of_it_arrives(view: Look) -> None:
    found = view("tales-rnn", t=24)
    norms = np.asarray(activity.gradient_norms(found.gradient(24)))[0]
    steps = 0
    while norms[24 - steps - 1] >= VANISHED * norms[24]:
        steps += 1
    assert reach(found, "sum") == reach(found, 24)
    assert reach(found, "sum").steps == steps > 3  # type: ignore[union-attr]
    assert f"the gradient of the loss at t = 25 stays above 1% for {steps} steps, then vanishes." in claim(
        [found], "sum"
    )


def test_of_a_chosen_loss_the_claim_tells_that_ones_reach(view: Look) -> None:
    assert "the gradient of the loss at t = 6 stays above 1%" in claim([view("tales-lstm", t=20)], 5)


def test_where_nothing_follows_the_last_loss_is_told(view: Look) -> None:
    said = claim([view("tales-lstm", t=26)], "sum")
    assert "the gradient of the loss at t = 26 stays above 1%" in said
    assert "the actual next" not in said


def test_one_token_has_no_loss_to_tell_of(view: Look) -> None:
    said = claim([view("tales-lstm", probe="T", t=0)], "sum")
    assert said.startswith("After 1 character this LSTM predicts")
    assert "loss" not in said


def test_the_first_timestep_has_nothing_before_it(view: Look) -> None:
    assert "has no earlier timestep to flow back to" in claim([view("tales-lstm", t=0)], "sum")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_timesteps_are_counted_as_the_notation_does(view: Look, notation: str) -> None:
    said = claim([view("tales-lstm", t=9, notation=notation)], "sum")
    assert f"the gradient of the loss at t = {9 if notation == 'pytorch' else 10} " in said
    assert said.startswith("After 10 characters")


def test_compared_runs_are_told_of_together(view: Look) -> None:
    views = [view("tales-lstm", "A", step=0, t=25), view("tales-rnn", "B", step=0, t=25)]
    said = claim(views, "sum")
    far = [reach(one, "sum").steps for one in views]  # type: ignore[union-attr]
    assert far[0] == 25
    assert far[0] > far[1], "before training an LSTM's gradient reaches further: the experiment says so"
    assert said == (
        f"Vanishing gradients before training: the norm stays above 1% for all {far[0]} steps back in A (LSTM), for "
        f"{far[1]} in B (RNN)."
    )


def test_of_runs_at_different_steps_each_step_is_told(view: Look) -> None:
    said = claim([view("tales-lstm", "A", step=0, t=25), view("tales-rnn", "B", t=25)], "sum")
    assert said.startswith("Vanishing gradients: the norm stays above 1% for ")
    assert "in A (LSTM, step 0)" in said
    assert "in B (RNN, step 6,000)" in said


def test_a_gradient_that_grows_is_said_to_explode(view: Look) -> None:
    found = view("tales-rnn", t=24)
    weights = copy.deepcopy(found.model)
    with torch.no_grad():
        weights.stack.layer_parameters(0)["weight_hh"].copy_(3.0 * torch.eye(found.trace.units))
        for name in ("weight_ih", "bias"):
            weights.stack.layer_parameters(0)[name].mul_(1e-16)
    loaded = replace(found.loaded, model=weights, version="made: a state that is multiplied by three")
    made = replace(found, loaded=loaded, trace=traces.trace(loaded, found.probe, found.context))
    most = float(activity.fading(made.gradient(24)).max())
    assert most > 10
    assert f"explodes on the way back: its norm grows to {number(most)} times its value at that timestep" in claim(
        [made], "sum"
    )
