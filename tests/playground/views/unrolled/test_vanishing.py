"""The lesson on vanishing gradients: its curves, its colours and its sentences are those of the real networks."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from playground.access.runs import snapshot_of
from playground.charts.fading import Curve
from playground.inside.view import View, look
from playground.state import Selection
from playground.text import number
from playground.views.unrolled import vanishing
from playground.views.unrolled.claim import reach
from playground.views.unrolled.picture import picture, scales_of

Look = Callable[..., View]
PROBE = "They ate the fish, and then"


@pytest.fixture
def view(own_recordings: None) -> Look:
    def looked(run: str, letter: str = "A", **place: object) -> View:
        return look(snapshot_of(run), Selection(**{"probe": PROBE, "t": 25, **place}), letter)  # type: ignore[arg-type]

    return looked


def _shares(view: View, t: int) -> np.ndarray:
    """||∂L_t/∂h_{t-k}|| of an RNN by its own Jacobians, in float64: ∂h_i/∂h_{i-1} = diag(1 - h_i²) W."""
    model = copy.deepcopy(view.model).double()
    weight = model.stack.layer_parameters(0)["weight_hh"].detach()
    states = view.trace["hidden"][0].double()
    chances = view.trace.log_probabilities[t].double().exp()
    chances[view.trace.targets[t]] -= 1
    gradient = chances @ model.head_weight.detach()  # ∂L_t/∂h_t
    norms = [float(gradient.norm())]
    for i in range(t, 0, -1):
        gradient = (gradient * (1 - states[i].square())) @ weight
        norms.append(float(gradient.norm()))
    return np.array(norms) / norms[0]


def _curve(view: View) -> Curve:
    found = reach(view, 25)
    assert found is not None
    return vanishing.curve(view, found)


@pytest.mark.parametrize("step", [0, -1])
def test_the_curve_is_the_product_of_the_jacobians(view: Look, step: int) -> None:
    found = view("tales-rnn", step=step)
    drawn = _curve(found)
    expected = _shares(found, 25)
    np.testing.assert_allclose(drawn.shares, expected, rtol=2e-3)
    assert drawn.reach == int(np.argmax(expected < 0.01)) - 1
    assert (drawn.name, drawn.cell) == ("A RNN", "rnn")


def test_before_training_the_rnn_vanishes_first_and_training_lets_it_reach_further(view: Look) -> None:
    lstm, rnn = (_curve(view(run, step=0)).reach for run in ("tales-lstm", "tales-rnn"))
    assert lstm > 2 * rnn
    assert _curve(view("tales-rnn")).reach > rnn


def test_what_training_changed_is_told_with_the_numbers_of_both_steps(view: Look) -> None:
    first, now = view("tales-rnn", "B", step=0), view("tales-rnn", "B")
    assert vanishing.since_the_start([first], 25) == []
    (said,) = vanishing.since_the_start([now], 25)
    then, later = (_curve(one).reach for one in (first, now))
    before = f"In B the gradient stayed above 1% for {then} steps at training step 0"
    assert f"{before} and stays above it for {later} steps at step 6,000" in said
    stretch = [
        float(np.linalg.svd(one.model.stack.layer_parameters(0)["weight_hh"].detach().numpy(), compute_uv=False)[0])
        for one in (first, now)
    ]
    assert f"from {number(stretch[0])} to {number(stretch[1])}" in said


def test_one_colour_means_one_number_in_all_pictures_that_are_compared(view: Look) -> None:
    views = [view("tales-lstm", "A", step=0), view("tales-rnn", "B", step=0)]
    scales = scales_of([one.gradient(25) for one in views])
    drawn = [picture(one, 25, scales=scales) for one in views]
    assert drawn[0].scales == drawn[1].scales
    pulls = torch.cat([one.gradient.norms.flatten() for one in drawn if one.gradient is not None])
    assert scales.pull == pytest.approx([float(pulls[pulls > 0].min()), float(pulls.max())], rel=1e-3)
    hidden = [one.lanes[0] for one in drawn]
    assert hidden[0].full == hidden[1].full == scales.full["hidden"]
    norms = torch.cat([lane.norms[:, 1:].flatten() for lane in hidden])
    assert scales.norms["hidden"] == pytest.approx([float(norms.min()), float(norms.max())], rel=1e-3)
    alone = picture(views[0], 25)
    assert alone.scales is None
    assert alone.lanes[0].full != hidden[0].full, "else nothing was made common"
