"""The unrolled network's picture: what it draws is what was recorded, and nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.analysis import activity
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel
from engine.trace import UNKNOWN, Change
from playground.access import traces
from playground.access.runs import snapshot_of
from playground.components.packing import LEVELS, NAN_LEVEL, plain
from playground.inside.view import View, look
from playground.notation import NOTATIONS
from playground.state import Selection
from playground.text import number
from playground.views.unrolled.picture import picture

pytestmark = pytest.mark.usefixtures("own_recordings")


def _view(run: str = "tales-lstm", **values: Any) -> View:
    return look(snapshot_of(run), Selection(run=run, **values))


def _floats(values: torch.Tensor, *shape: int) -> np.ndarray:
    assert values.shape == shape
    return values.numpy()


def _model(view: View, *, units: int = 128, layers: int = 2, broken: bool = False) -> View:
    """The view with other weights: of a stack of LSTMs, or of one with a NaN among its weights."""
    model = LanguageModel(ModelConfig(cell="lstm", units=units, layers=layers), len(view.vocabulary), seed=1)
    model.requires_grad_(False)
    if broken:
        model.stack.layer_parameters(0)["weight_hh"][3, 2] = torch.nan
    loaded = replace(view.loaded, model=model, version=f"made {units} {layers} {broken}")
    trace = traces.trace(loaded, view.probe, view.context)
    return replace(view, loaded=loaded, trace=trace, layer=layers - 1, t=0, unit=5)


def test_norms_and_changes_are_those_of_the_states_with_the_state_before_the_first_token() -> None:
    view = _view(probe="He said so", context="It was late. ")
    drawn = picture(view)
    assert [lane.name for lane in drawn.lanes] == ["hidden", "cell"]
    assert drawn.context
    for lane in drawn.lanes:
        norms = _floats(lane.norms, 1, 11)
        np.testing.assert_allclose(norms[:, 0], view.trace.initial[lane.name].norm(dim=-1), rtol=1e-5)
        assert norms[0, 0] > 0
        np.testing.assert_allclose(norms[:, 1:], view.trace[lane.name].norm(dim=-1), rtol=1e-5)
        before, after = view.trace.before(lane.name), view.trace[lane.name]
        expected = (after - before).norm(dim=-1) / (after.norm(dim=-1) + before.norm(dim=-1))
        np.testing.assert_allclose(_floats(lane.changes, 1, 10), expected, rtol=1e-4)


def test_of_few_units_every_number_is_there() -> None:
    view = _view("hello-rnn")
    (lane,) = picture(view).lanes
    assert lane.levels is None
    assert lane.values is not None
    np.testing.assert_array_equal(_floats(lane.values, 1, 5, 3), view.trace["hidden"])


def test_of_many_units_each_has_the_nearest_level_of_colour_and_the_chosen_one_its_numbers() -> None:
    view = _view(unit=17)
    for lane in picture(view).lanes:
        values = view.trace[lane.name].numpy()
        assert lane.values is None
        assert lane.levels is not None
        found = lane.levels / LEVELS * lane.full
        inside = np.abs(values) <= lane.full
        assert inside.mean() > 0.97
        np.testing.assert_allclose(found[inside], values[inside], atol=lane.full / LEVELS)
        assert (lane.low, lane.high) == pytest.approx((values.min(), values.max()), rel=1e-3)
        np.testing.assert_array_equal(_floats(lane.unit, *values.shape[:2]), values[:, :, 17])


def test_predictions_are_the_likeliest_tokens_and_what_came_has_its_loss() -> None:
    view = _view()
    drawn, length = picture(view), view.trace.length
    tokens, chances = view.trace.top(5)
    names = [[drawn.predictions.names[place] for place in row] for row in drawn.predictions.tokens]
    assert names == [[view.vocabulary.display(token) for token in row] for row in tokens.tolist()]
    np.testing.assert_allclose(_floats(drawn.predictions.chances, length, 5), chances, rtol=1e-5)
    assert drawn.targets == [*view.probe.names[1:], None]
    np.testing.assert_array_equal(_floats(drawn.losses, length), view.trace.losses)
    assert math.isnan(_floats(drawn.losses, length)[-1])


def test_a_vocabulary_of_four_has_four_predictions() -> None:
    drawn = picture(_view("hello-rnn"))
    assert {len(row) for row in drawn.predictions.tokens} == {4}
    np.testing.assert_allclose(_floats(drawn.predictions.chances, 5, 4).sum(axis=1), 1, rtol=1e-5)


def test_what_the_model_does_not_know_is_unknown_as_a_token_and_as_a_target() -> None:
    view = _view(probe="a€b")
    drawn = picture(view, "sum")
    assert view.trace.tokens.tolist()[1] == UNKNOWN
    assert (drawn.tokens, drawn.unknown, drawn.unknown_read_as) == (["a", "€", "b"], [1], "")
    assert drawn.targets == ["€", "b", None]
    assert np.isnan(_floats(drawn.losses, 3)).tolist() == [True, False, True]
    assert drawn.gradient is not None
    assert drawn.gradient.entry == [1]


def test_an_unknown_word_stands_as_itself_where_the_model_reads_another_token() -> None:
    view = _view("tales-words", probe="the zeppelin and")
    drawn = picture(view)
    assert (drawn.tokens, drawn.unknown, drawn.unknown_read_as) == (["the", "zeppelin", "and"], [1], "<unk>")
    assert drawn.targets == ["<unk>", "and", None], "what the model is judged by"
    assert np.isfinite(_floats(drawn.losses, 3)[:2]).all()


def test_the_gradient_is_of_the_loss_that_was_asked_for() -> None:
    view = _view("tales-gru")
    one, whole = picture(view, 9).gradient, picture(view, "sum").gradient
    assert picture(view).gradient is None
    assert one is not None
    assert whole is not None
    length = view.trace.length
    trace = view.gradient(9)
    norms = _floats(one.norms, 1, length + 1)
    np.testing.assert_allclose(norms[:, 1:], activity.gradient_norms(trace), rtol=1e-5)
    assert trace.initial_grad is not None
    np.testing.assert_allclose(norms[:, 0], trace.initial_grad["hidden"].norm(dim=-1), rtol=1e-5)
    assert (norms[0, 11:] == 0).all()
    assert (norms[0, :11] > 0).all()
    assert (one.of, one.entry) == (9, [9])
    assert (whole.of, whole.entry) == ("sum", list(range(length - 1)))
    assert not np.allclose(_floats(whole.norms, 1, length + 1), norms)


@pytest.mark.parametrize("run", ["tales-lstm", "tales-gru", "hello-rnn"])
def test_what_an_arrow_carries_back_is_the_gradient_of_the_losses_from_there_on(run: str) -> None:
    """Of a single layer: losses add up, so each loss's own gradient, recorded alone, is added up."""
    view = _view(run)
    gradient = picture(view, "sum").gradient
    assert gradient is not None
    length = view.trace.length
    for t in (0, 1, length // 2, length - 2, length - 1):
        squares = 0.0
        for name in view.cell.state_names:
            later = torch.zeros(view.trace.units, dtype=torch.float64)
            for k in range(t, length - 1):
                one = view.gradient(k)
                assert one.grad is not None
                assert one.initial_grad is not None
                later += (one.grad[name][0, t - 1] if t else one.initial_grad[name][0]).double()
            squares += float(later.square().sum())
        assert float(gradient.carried[0, t]) == pytest.approx(math.sqrt(squares), rel=1e-4)
    assert float(gradient.carried[0, -1]) == 0.0, "the last column has no loss"
    assert float(gradient.norms[0, -2]) > 0.01, "though one enters just before it"


def test_of_one_loss_everything_before_it_came_along_the_arrows() -> None:
    drawn = picture(_view("tales-lstm"), 9).gradient
    assert drawn is not None
    torch.testing.assert_close(drawn.carried[0, :10], drawn.norms[0, :10].double(), rtol=1e-4, atol=1e-9)
    assert (drawn.carried[0, 10:] == 0).all()


def test_the_picture_knows_where_the_gradient_was_cut_while_its_run_trained() -> None:
    view = _view("tales-lstm")
    assert picture(view).chunk == view.run.config.data.chunk
    assert picture(view).folded_title != picture(view).title


def test_an_lstms_gradient_is_that_of_both_its_states() -> None:
    view = _view()
    gradient = picture(view, 5).gradient
    grad = view.gradient(5).grad
    assert gradient is not None
    assert grad is not None
    expected = (grad["hidden"].square().sum(-1) + grad["cell"].square().sum(-1)).sqrt()
    np.testing.assert_allclose(_floats(gradient.norms, 1, view.trace.length + 1)[:, 1:], expected, rtol=1e-4)


def test_one_token_has_no_loss_and_no_gradient() -> None:
    drawn = picture(_view(probe="a"), "sum")
    assert drawn.gradient is not None
    assert drawn.gradient.entry == []
    assert (drawn.length, drawn.targets) == (1, [None])
    assert "there is no loss" in drawn.about


def test_a_change_is_drawn_against_the_original_with_a_mark_where_it_was_made() -> None:
    view = _view(unit=5)
    tokens = view.trace.tokens.clone()
    tokens[12] = view.trace.tokens[0]
    changes = [Change("cell", 0, 10, 5, 3.0)]
    then = view.what_if(changes, tokens.numpy())
    drawn = picture(view, other=then, changes=changes)
    other = drawn.other
    assert other is not None
    hidden, cell = (_floats(text, 1, view.trace.length) for text in other.apart)
    assert (hidden[0, :10] == 0).all()
    assert (cell[0, 10:] > 0).all()
    np.testing.assert_allclose(cell, (then["cell"] - view.trace["cell"]).norm(dim=-1), rtol=1e-5)
    assert _floats(other.lanes[1].unit, 1, view.trace.length)[0, 10] == 3.0
    np.testing.assert_array_equal(_floats(other.losses, view.trace.length), then.losses)
    assert [(t, name) for t, name in enumerate(other.tokens) if name] == [(12, "T")]
    assert other.targets[11] == "T"
    marks = {(mark.t, mark.layer): mark.text for mark in other.marks}
    assert marks == {(12, -1): "␣ → T", (10, 0): "c[1]⟨11⟩, unit 6: 3"}


def test_a_change_shows_what_is_likely_before_it_or_after_it() -> None:
    view = _view()
    then = view.what_if([Change("hidden", 0, 3, unit, -1.0) for unit in range(60)])
    predictions = picture(view, other=then).predictions
    assert predictions.other is not None
    before, after = (_floats(text, view.trace.length, 5) for text in (predictions.chances, predictions.other))
    np.testing.assert_array_equal(before[:3], after[:3])
    assert before[3].max() == pytest.approx(float(view.trace.log_probabilities[3].exp().max()), rel=1e-5)
    assert after[3].max() == pytest.approx(float(then.log_probabilities[3].exp().max()), rel=1e-5)


def test_a_change_over_another_probe_is_refused() -> None:
    with pytest.raises(ValueError, match="1 timesteps, the original 27"):
        picture(_view(), other=_view(probe="a").trace)


def test_only_the_chosen_place_leaves_the_version_as_it_is() -> None:
    view = _view(t=3)
    data = plain(picture(view, "sum"))
    moved = plain(picture(replace(view, t=7), "sum"))
    assert (data["t"], moved["t"]) == (3, 7)
    assert moved["version"] == data["version"]
    others = (replace(view, unit=9), replace(view, notation="pytorch"), _view(t=3, step=500))
    assert len({data["version"], *(plain(picture(other, "sum"))["version"] for other in others)}) == 4


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_layer_has_its_sign(notation: str) -> None:
    drawn = picture(replace(_model(_view()), notation=notation))
    assert [len(lane.signs) for lane in drawn.lanes] == [2, 2]
    assert drawn.lanes[0].signs[0] != drawn.lanes[0].signs[1]
    assert drawn.first == (0 if notation == "pytorch" else 1)


def test_weights_are_measured_in_each_layer() -> None:
    view = _model(_view())
    weights = picture(view).weights
    expected = [float(view.model.stack.layer_parameters(layer)["weight_hh"].norm()) for layer in range(2)]
    np.testing.assert_allclose(_floats(weights["weight_hh"], 2), expected, rtol=1e-5)
    assert _floats(weights["weight_out"], 1)[0] == pytest.approx(float(view.model.head_weight.norm()), rel=1e-5)


def test_the_mean_loss_with_a_token_replaced_is_that_of_the_changed_text_as_are_the_losses() -> None:
    view = _view()
    tokens = view.trace.tokens.tolist()
    changed = [*tokens[:5], tokens[0], *tokens[6:]]
    other = view.what_if([], tokens=changed)
    losses = [-float(other.log_probabilities[t, changed[t + 1]]) for t in range(len(tokens) - 1)]
    drawn = picture(view, "sum", other)
    assert f"({number(sum(losses) / len(losses))} after the change);" in drawn.about
    assert drawn.other is not None
    np.testing.assert_allclose(drawn.other.losses[:-1], losses, rtol=1e-5)
    assert drawn.other.targets[4] == view.vocabulary.display(tokens[0]), "the target before it is the token put in"
    assert drawn.targets[4] == view.vocabulary.display(tokens[5])


def test_broken_weights_are_drawn_as_nan_and_said() -> None:
    view = _model(_view(), broken=True)
    drawn = picture(view, "sum")
    hidden = drawn.lanes[0]
    assert np.isnan(_floats(hidden.norms, 2, view.trace.length + 1)[:, 2:]).all()
    assert hidden.levels is not None
    assert (hidden.levels == NAN_LEVEL).mean() > 0.9
    assert "not finite" in drawn.about
    json.dumps(plain(drawn), allow_nan=False)  # what a browser can read


@pytest.mark.parametrize("run", ["tales-lstm", "tales-gru", "tales-rnn", "hello-rnn", "tales-words"])
def test_every_starter_run_can_be_drawn(run: str) -> None:
    view = _view(run)
    data = plain(picture(view, "sum"))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["kind"] == ("word" if run == "tales-words" else "character")
    assert data["cell"] == view.cell.title
    assert len(data["lanes"]) == len(view.cell.state_names)


def test_a_long_probe_in_a_large_network_stays_small() -> None:
    view = _model(_view(probe=("They ate the fish, and then " * 4)[:100]))
    assert view.trace.length == 100
    assert len(json.dumps(plain(picture(view, "sum")))) < 150_000


def test_markup_stays_text() -> None:
    view = _view()
    assert picture(replace(view, run=replace(view.run, name="<b>a</b>\n"))).run == "<b>a</b>⏎"


def test_the_record_is_of_the_weights_that_are_looked_at() -> None:
    view = _view(step=0, probe="They")
    expected = engine.record(view.model, view.trace.tokens)["hidden"].norm(dim=-1)
    np.testing.assert_allclose(_floats(picture(view).lanes[0].norms, 1, 5)[:, 1:], expected, rtol=1e-5)
