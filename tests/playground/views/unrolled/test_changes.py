"""What can be overridden in which network, and what is said of what it did."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

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
    for part in ("has no cell", "no layer 2; the last is 1", "no timestep 91; the last is 27", "9,999"):
        assert part in said


def test_the_sentence_tells_the_mean_loss_and_the_loss_that_changed_most(view: Look) -> None:
    found = view("tales-lstm")
    fitted = changes.Fitted((Change("forget", 0, 2, 10, 0.0),), (), ())
    other = changes.applied(found, fitted)
    before, after = (trace.losses.numpy()[:-1] for trace in (found.trace, other))
    at = int(np.abs(after - before).argmax())
    said = changes.effect(found, other, fitted)
    old, new = (float(trace.losses[:-1].mean()) for trace in (found.trace, other))
    verb = "raises" if new > old else "lowers"
    assert said.startswith(f"Closing Γ(f) of unit 11, t = 3 {verb} the mean loss from {number(old)} to ")
    assert f"to {number(new)} nats" in said
    assert f"at t = {at + 1}, from {number(float(before[at]))} to {number(float(after[at]))} nats" in said
    assert at >= 2, "nothing before the change can have changed"


def test_with_a_token_replaced_the_changed_text_is_what_is_read_and_what_is_judged(view: Look) -> None:
    found = view("tales-lstm")
    token = int(found.vocabulary.encode("u")[0])
    fitted = changes.Fitted((), ((5, token),), ())
    other = changes.applied(found, fitted)
    tokens, changed = found.probe.tokens.tolist(), [*found.probe.tokens.tolist()]
    changed[5] = token
    old, new = _nats(found, tokens), _nats(found, changed)
    np.testing.assert_allclose(-np.log(changes.expected_probability(other)[:-1]), new, rtol=1e-4)
    assert new[4] != pytest.approx(old[4]), "the column before the replaced token is judged against the new one"
    np.testing.assert_allclose(new[:4], old[:4], rtol=1e-6)
    said = changes.effect(found, other, fitted)
    assert f"the mean loss from {number(old.mean())} to {number(new.mean())} nats" in said
    assert changes.mean_loss(other) == pytest.approx(new.mean(), rel=1e-5)
    assert " at t = 5, from" not in said, "another target's loss is not the same loss moved"


def _nats(found: View, tokens: list[int]) -> np.ndarray:
    """-log p of each next token of a text, in float64 by the model's own training pass."""
    model = copy.deepcopy(found.model).double()
    read = torch.tensor(tokens).unsqueeze(1)  # (time, stream)
    logits, _ = model(read[:-1], [tuple(part.double() for part in layer) for layer in model.initial_state(1)])
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), read[1:, 0], reduction="none").detach().numpy()


def test_a_change_that_does_nothing_says_so(view: Look) -> None:
    found = view("tales-lstm")
    value = float(found.trace["forget"][0, 9, 5])
    fitted = changes.Fitted((Change("forget", 0, 9, 5, value),), (), ())
    said = changes.effect(found, changes.applied(found, fitted), fitted)
    assert f"leaves the mean loss at {number(changes.mean_loss(found.trace))} nats" in said
    assert "no loss with an unchanged target moves" in said


def test_where_nothing_is_known_to_follow_the_likeliest_token_is_told_of(view: Look) -> None:
    found = view("tales-lstm", probe="T", t=0)
    fitted = changes.Fitted((Change("cell", 0, 0, 5, 6.0),), (), ())
    said = changes.effect(found, changes.applied(found, fitted), fitted)
    assert said.startswith("Setting c⟨t⟩ of unit 6, t = 1 to 6 leaves the probability of ‘")
    assert percent(float(found.trace.log_probabilities[0].exp().max())) in said


@pytest.mark.parametrize(("run", "probe"), [("hello-rnn", "hello"), ("tales-rnn", "ab"), ("tales-gru", "ab")])
def test_the_experiment_closes_what_hurts_most_of_all_that_could_be_closed(view: Look, run: str, probe: str) -> None:
    found = view(run, t=1, probe=probe)
    gates = [name for name in changes.quantities(found.cell) if changes.is_gate(found, name)] or ["hidden"]
    shape = found.trace["hidden"].shape
    every = [Change(name, *place, 0.0) for name in gates for place in np.ndindex(*shape)]
    losses = [float(found.what_if([change]).losses.double().nanmean()) for change in every]
    worst = every[int(np.argmax(losses))]
    assert changes.telling(found) == worst
    assert max(losses) > float(found.trace.losses.double().nanmean())


def test_the_experiment_tries_a_bounded_number_of_places(view: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Change] = []
    loss_with = changes._loss_with
    monkeypatch.setattr(
        changes, "_loss_with", lambda found, change: (tried.append(change), loss_with(found, change))[1]
    )
    changes.telling(view("tales-lstm", probe=PROBE * 18))
    assert 1 < len(tried) <= 12


def test_without_a_known_loss_the_experiment_takes_the_largest_value_at_the_chosen_timestep(view: Look) -> None:
    found = view("tales-lstm", probe="T", t=0)
    chosen = changes.telling(found)
    assert chosen.time == 0
    assert float(found.trace[chosen.quantity][0, 0, chosen.unit]) == pytest.approx(
        max(float(found.trace[name][0, 0].max()) for name in ("update", "forget", "output"))
    )
