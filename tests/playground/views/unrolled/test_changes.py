"""What can be overridden in which network, and what is said of what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import engine
from engine.cells import CELLS
from engine.config import Config
from engine.trace import Change
from playground.access.runs import snapshot_of
from playground.charts.next_token import percent
from playground.inside.view import View, look
from playground.state import Selection
from playground.text import number
from playground.views.unrolled import changes
from playground.views.unrolled.settings import UnrolledSettings

Look = Callable[..., View]
PROBE = "They ate the fish, and then"


@pytest.fixture
def view(own_recordings: None) -> Look:
    """Looks into a starter run: `view("tales-gru", t=4)`."""
    return lambda run, **place: look(snapshot_of(run), Selection(**{"probe": PROBE, "t": 9, **place}))


@pytest.mark.parametrize("cell", CELLS)
def test_all_that_is_offered_is_recorded_and_can_be_changed(cell: str) -> None:
    config = Config().with_values(cell=cell, units=3)
    model = engine.LanguageModel(config.model, 5, seed=0)
    offered = changes.quantities(model.stack.cells[0])
    assert len(offered) == len(set(offered))
    for quantity in offered:
        changed = engine.record(model, [0, 1, 2], changes=[Change(quantity, 0, 1, 2, 0.123)])
        assert float(changed[quantity][0, 1, 2]) == pytest.approx(0.123)


def test_a_gate_goes_from_0_to_1_and_a_state_as_far_as_it_is_met(view: Look) -> None:
    found = view("tales-lstm")
    assert changes.limits(found, "forget") == (0, 1)
    assert changes.limits(found, "candidate") == (-1, 1)
    assert changes.limits(found, "hidden") == (-1, 1)
    low, high = changes.limits(found, "cell")
    met = float(found.trace["cell"][0].abs().max())
    assert low == -high
    assert met <= high < met + 1
    assert changes.is_gate(found, "forget")
    assert not any(changes.is_gate(found, name) for name in ("candidate", "hidden", "cell"))


def test_what_fits_is_kept_and_the_rest_has_a_reason_each(view: Look) -> None:
    asked = UnrolledSettings(
        changes=(Change("reset", 0, 3, 0, 1.0), Change("cell", 0, 3, 0, 1.0), Change("reset", 1, 3, 0, 1.0)),
        tokens=((2, 4), (90, 4), (3, 9_999)),
    )
    fitted = changes.fit(view("tales-gru"), asked)
    assert fitted.changes == asked.changes[:1]
    assert fitted.tokens == ((2, 4),)
    said = " ".join(fitted.problems)
    assert len(fitted.problems) == 4
    for part in ("has no cell", "no layer 2, the last is 1", "no timestep 91, the last is 27", "9,999"):
        assert part in said


def test_the_sentence_names_the_prediction_that_changed_most(view: Look) -> None:
    found = view("tales-lstm")
    fitted = changes.Fitted((Change("cell", 0, 9, 5, 6.0),), (), ())
    other = changes.applied(found, fitted)
    before, after = (np.exp(-trace.losses.numpy()[:-1]) for trace in (found.trace, other))
    at = int(np.abs(after - before).argmax())
    said = changes.effect(found, other, fitted)
    assert said.startswith("Setting c⟨t⟩ of unit 6, t = 10 to 6 ")
    assert f"at t = {at + 1} from" in said
    assert ("raises" if after[at] > before[at] else "lowers") in said
    assert at >= 9, "nothing before the change can have changed"


def test_probabilities_are_of_what_really_followed_even_where_another_token_is_read(view: Look) -> None:
    found = view("tales-lstm")
    fitted = changes.Fitted((), ((5, 3),), ())
    other = changes.applied(found, fitted)
    assert int(other.targets[4]) == 3
    chances = changes.expected_probability(other, found.trace.targets.numpy())
    np.testing.assert_array_equal(
        chances[:5], changes.expected_probability(found.trace, found.trace.targets.numpy())[:5]
    )
    assert changes.effect(found, other, fitted).startswith("Reading ‘")


def test_a_change_that_does_nothing_says_so(view: Look) -> None:
    found = view("tales-lstm")
    value = float(found.trace["forget"][0, 9, 5])
    fitted = changes.Fitted((Change("forget", 0, 9, 5, value),), (), ())
    assert "moves no prediction" in changes.effect(found, changes.applied(found, fitted), fitted)


def test_a_mean_loss_that_reads_the_same_stays(view: Look) -> None:
    found = view("tales-lstm")
    chances, targets = found.trace.log_probabilities.clone(), found.trace.targets
    one, two = int(found.trace.losses[:-1].argmin()), int(found.trace.losses[:-1].argmax())
    chances[one, targets[one]], chances[two, targets[two]] = -found.trace.losses[two], -found.trace.losses[one]
    other = replace(found.trace, log_probabilities=chances)
    said = changes.effect(found, other, changes.Fitted((), ((1, 2),), ()))
    mean = float(found.trace.losses[:-1].mean())
    assert said.endswith(f"the mean loss stays at {number(mean)} nats.")


def test_where_nothing_is_known_to_follow_the_likeliest_token_is_told_of(view: Look) -> None:
    found = view("tales-lstm", probe="T", t=0)
    fitted = changes.Fitted((Change("cell", 0, 0, 5, 6.0),), (), ())
    said = changes.effect(found, changes.applied(found, fitted), fitted)
    assert said.startswith("Setting c⟨t⟩ of unit 6, t = 1 to 6 leaves ‘")
    assert percent(float(found.trace.log_probabilities[0].exp().max())) in said


@pytest.mark.parametrize("run", ["tales-lstm", "tales-gru", "tales-rnn", "hello-rnn"])
def test_the_experiment_does_more_than_most_changes_would(view: Look, run: str) -> None:
    found = view(run, t=2, probe="hello" if run == "hello-rnn" else PROBE)
    chosen = changes.telling(found)
    assert (chosen.time, chosen.layer, chosen.value) == (2, 0, 0.0)

    def moved(change: Change) -> float:
        other = changes.applied(found, changes.Fitted((change,), (), ()))
        return float(abs(other.losses[2:-1] - found.trace.losses[2:-1]).sum())

    typical = np.median([moved(replace(chosen, unit=unit)) for unit in range(found.trace.units)])
    assert moved(chosen) >= typical
