"""A view: one run at one step with a probe put through it, at a place that exists, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

import engine
from engine.trace import UNKNOWN, Change
from playground import state
from playground.access import models
from playground.access.models import ModelError
from playground.access.runs import snapshot_of
from playground.frame import services
from playground.inside.view import View, look
from playground.runs.records import HELD_UP
from playground.state import Selection


def _view(run: str = "tales-lstm", **values: object) -> View:
    return look(snapshot_of(run), Selection(run=run, **values))


def test_at_first_a_run_is_seen_at_its_newest_step_in_its_top_layer_at_the_end_of_its_own_probe() -> None:
    view = _view()
    assert view.step == view.steps[-1] == view.run.step
    assert view.probe.text == "They ate the fish, and then"
    assert (view.t, view.layer) == (len(view.probe) - 2, view.trace.layers - 1), "its last loss is known"
    assert view.finding is not None
    assert view.finding.name == "inside quotation marks", "the unit that has a name"
    assert view.trace.length == len(view.probe)
    assert (view.notes, view.following, view.letter, len(view.context)) == ((), False, "", 0)
    assert view.cell.name == "lstm"
    assert view.model is view.loaded.model


def test_a_view_is_what_was_selected() -> None:
    view = _view("tales-gru", step=375, probe="He said", context="It was ", t=2, unit=63, notation="pytorch")
    assert (view.step, view.t, view.unit, view.notation) == (375, 2, 63, "pytorch")
    assert (view.probe.text, view.context.text) == ("He said", "It was ")
    loaded = models.load(snapshot_of("tales-gru"), 375)
    expected = engine.record(
        loaded.model,
        torch.tensor(loaded.vocabulary.encode("He said")),
        state=engine.warm(loaded.model, torch.tensor(loaded.vocabulary.encode("It was "))),
    )
    assert torch.equal(view.trace["hidden"], expected["hidden"])


def test_the_steps_are_those_kept_with_the_losses_measured_there() -> None:
    view = _view()
    measured = {evaluation.step: evaluation.val_loss for evaluation in snapshot_of("tales-lstm").evaluations}
    assert view.losses == [measured.get(step) for step in view.steps]
    assert view.losses[-1] == measured[view.steps[-1]]
    assert view.losses[0] is None, "at step 0 nothing was measured"


def test_a_gradient_and_a_what_if_are_traces_of_the_same_probe() -> None:
    view = _view("hello-rnn")
    assert view.gradient(2).target == 2
    assert torch.equal(view.gradient("sum")["hidden"], view.trace["hidden"])
    changed = view.what_if([Change("hidden", 0, 1, 2, 0.25)])
    assert changed["hidden"][0, 1, 2] == 0.25
    assert torch.equal(changed["hidden"][:, 0], view.trace["hidden"][:, 0])
    other = view.what_if([], tokens=[0, *view.probe.tokens[1:]])
    assert other.tokens.tolist() == [0, *view.probe.tokens[1:].tolist()]


@pytest.mark.parametrize(("notation", "first"), [("ng", 1), ("cs231n", 1), ("pytorch", 0), ("plain", 1)])
def test_a_place_that_does_not_exist_is_named_as_the_notation_counts_and_the_nearest_stands_in(
    notation: str, first: int
) -> None:
    view = _view("hello-rnn", t=9, layer=4, unit=1_200, notation=notation)
    assert (view.t, view.layer, view.unit) == (4, 0, 2)
    assert view.notes == view.asked
    time, layer, unit = view.notes
    t, above, far = (
        f" ({part} in links, which count from 0)" if first else "" for part in ("t=9", "layer=4", "unit=1200")
    )
    assert time == (
        f"There is no timestep {9 + first}{t}: the input text has 5 characters. Timestep {4 + first} is the nearest."
    )
    assert layer == f"There is no layer {4 + first}{above}: this network has 1 layer. Layer {first} is the nearest."
    wanted = f"{1_200 + first:,}{far}"
    assert unit == f"There is no unit {wanted}: a layer of this network has 3 units. Unit {2 + first} is the nearest."


def test_a_step_that_is_not_kept_is_said_and_the_nearest_is_shown() -> None:
    view = _view(step=513)
    assert view.step == 512
    assert view.notes == ("LSTM on Tales has no saved weights at step 513: step 512 is the nearest.",)


def test_what_a_model_has_no_symbol_for_is_named_with_what_it_reads_instead() -> None:
    view = _view(probe="é and ☃", context="☃")
    assert view.probe.names[0] == "e"
    assert view.probe.tokens[-1] == UNKNOWN
    known, context = view.notes
    assert known == ("Not in the model's vocabulary: “é”, read as “e”; “☃”, read as a zero vector.")
    assert context == "Preceding context: Not in the model's vocabulary: “☃”, read as a zero vector."
    assert torch.isfinite(view.trace["hidden"]).all()


def test_an_unknown_word_is_read_as_unk() -> None:
    view = _view("tales-words", probe="the zeppelin")
    assert view.probe.names == ("the", "zeppelin")
    assert view.probe.unknown == (1,)
    assert view.notes == ("Not in the model's vocabulary: “zeppelin”, read as <unk>.",)


def test_a_probe_without_a_word_is_said_and_the_own_one_stands_in() -> None:
    view = _view("tales-words", probe="   ")
    assert view.probe.text == '"What would we do," asked', "the first stretch without an unknown word"
    assert "no token to read" in view.notes[0]


@pytest.mark.parametrize("run", ["tales-lstm", "tales-rnn", "hello-rnn"])
def test_one_token_is_enough(run: str) -> None:
    view = _view(run, probe="h")
    assert view.trace.length == 1
    assert view.t == 0
    assert torch.isnan(view.trace.losses).all()


def test_markup_is_read_letter_by_letter() -> None:
    probe = "<b>:red[$x$]</b>"
    view = _view(probe=probe)
    assert view.probe.text == probe
    assert len(view.probe) == len(probe)


def test_the_longest_context_is_read_whole() -> None:
    assert len(_view(context="And then. " * (state.LONGEST_CONTEXT // 10)).context) == state.LONGEST_CONTEXT


@pytest.mark.parametrize(
    ("status", "why", "shown"),
    [("interrupted", "", True), ("failed", "", True), ("diverged", "", True), ("paused", HELD_UP, True),
     ("paused", "", False), ("running", "", False), ("finished", "steps", False)],
)  # fmt: skip
def test_why_a_run_ended_badly_or_waits_is_shown_with_its_last_weights(status: str, why: str, shown: bool) -> None:
    well = snapshot_of("tales-gru")
    run = replace(well.run, status=status, why=why, message="Interrupted: its process was killed.")
    view = look(replace(well, run=run), Selection(run=run.id, t=400))
    note = f"Interrupted: its process was killed. The weights at step {view.step:,} are shown."
    assert (view.notes[0] == note) is shown
    assert "There is no timestep 401" in view.notes[-1]
    assert torch.isfinite(view.trace["hidden"]).all()


def test_weights_that_are_not_finite_are_looked_at_and_said(
    new_run: Callable[[str], str], make_checkpoint: Callable
) -> None:
    run = new_run("Apart")
    services.store().put_checkpoint(run, make_checkpoint(run, 3, broken=True))
    view = _view(run)
    assert torch.isnan(view.trace["hidden"]).all()
    assert view.notes == (
        "The weights of Apart at step 3 are not finite, so all that is computed from them is NaN. "
        "Choose an earlier step.",
    )


def test_a_run_without_weights_cannot_be_looked_at_yet(new_run: Callable[[str], str]) -> None:
    with pytest.raises(ModelError, match="Fresh has no checkpoint yet"):
        _view(new_run("Fresh"))


def test_the_newest_weights_of_a_run_that_trains_are_those_in_its_live_slot(
    new_run: Callable[[str], str], make_checkpoint: Callable
) -> None:
    run = new_run("Training")
    services.store().put_checkpoint(run, make_checkpoint(run, 3, seed=1))
    services.store().put_live(run, make_checkpoint(run, 8, seed=2))
    view = _view(run)
    assert view.following
    assert (view.step, list(view.steps)) == (8, [3, 8])
    fixed = _view(run, step=3)
    assert not fixed.following
    assert list(fixed.steps) == [3]
