"""What breaks when a unit is held: against recorded passes, and nothing where nobody listens to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import engine
from engine.analysis.ablation import ablate, losses_of
from engine.analysis.labelled_text import LabelledText
from engine.config import Config, ConfigError
from engine.decoding.sampling import sample
from engine.models.language_model import LanguageModel
from engine.models.long_pass import Hold
from engine.trace import Change


def _model() -> LanguageModel:
    config = Config().with_values(units=6, layers=2, embedding=4)
    return LanguageModel(config.model, vocabulary_size=9, seed=1)


def _text(tokens: int = 80) -> LabelledText:
    generator = torch.Generator().manual_seed(2)
    labels = (torch.arange(tokens) % 3 == 0).numpy().astype(np.float32)
    return LabelledText(torch.randint(9, (tokens,), generator=generator), labels, ["x"] * tokens)


def test_the_losses_are_those_of_passes_with_that_change_at_every_timestep() -> None:
    model, text = _model(), _text()
    found = ablate(model, text, [Hold("hidden", 0, 2)])
    whole = engine.record(model, text.tokens).losses[:-1]
    held = engine.record(model, text.tokens, changes=[Change("hidden", 0, t, 2, 0.0) for t in range(len(text))]).losses[
        :-1
    ]
    inside = torch.from_numpy(text.holds)[:-1]
    expected = [losses[part].mean() for part in (inside | ~inside, inside, ~inside) for losses in (whole, held)]
    measured = [
        found.loss,
        found.loss_ablated,
        found.loss_inside,
        found.loss_inside_ablated,
        found.loss_outside,
        found.loss_outside_ablated,
    ]
    assert measured == pytest.approx([float(mean) for mean in expected], abs=1e-5)
    assert (found.tokens, found.inside) == (79, int(inside.sum()))


def test_a_unit_that_nobody_reads_changes_nothing() -> None:
    model, text = _model(), _text()
    with torch.no_grad():
        model.head_weight[:, 4] = 0.0
        model.stack.layers[1]["weight_hh"][:, 4] = 0.0
    found = ablate(model, text, [Hold("hidden", 1, 4, 0.7)])
    assert found.loss_ablated == pytest.approx(found.loss, abs=1e-7)


def test_where_the_hypothesis_never_holds_there_is_no_loss_inside() -> None:
    text = _text()
    found = ablate(
        _model(), LabelledText(text.tokens, np.zeros(len(text), np.float32), text.pieces), [Hold("hidden", 0, 0)]
    )
    assert math.isnan(found.loss_inside)
    assert found.loss_outside == pytest.approx(found.loss)


def test_without_a_hold_or_a_prediction_there_is_nothing_to_compare() -> None:
    with pytest.raises(ConfigError, match="No unit is held"):
        ablate(_model(), _text(), [])
    with pytest.raises(ConfigError, match="nothing to predict"):
        ablate(_model(), _text(1), [Hold("hidden", 0, 0)])


def test_a_sample_with_a_unit_held_draws_from_the_held_models_distribution() -> None:
    """Greedy, so that each token is the likeliest of a pass in which the unit is held throughout."""
    model = _model()
    with torch.no_grad():
        model.head_weight.mul_(20.0)
        model.head_weight[7, 3] = 15.0  # so that the unit matters
    hold = Hold("hidden", 1, 3, 1.0)
    written = [*sample(model, [1, 2], length=12, seed=1, temperature=0.0, holds=[hold])]
    tokens = [1, 2]
    for token in written:
        changes = [Change("hidden", 1, t, 3, 1.0) for t in range(len(tokens))]
        trace = engine.record(model, tokens, changes=changes)
        assert token == int(trace.log_probabilities[-1].argmax())
        tokens.append(token)
    assert written != [*sample(model, [1, 2], length=12, seed=1, temperature=0.0)]


def test_a_sample_with_a_hold_that_changes_nothing_is_the_same_sample() -> None:
    model = _model()
    with torch.no_grad():
        model.head_weight[:, 4] = 0.0
        model.stack.layers[1]["weight_hh"][:, 4] = 0.0
    held = [*sample(model, [1], length=50, seed=3, holds=[Hold("hidden", 1, 4)])]
    assert held == [*sample(model, [1], length=50, seed=3)]


def test_losses_of_parts_are_those_of_the_whole() -> None:
    tokens = torch.randint(9, (4_500,), generator=torch.Generator().manual_seed(4))
    model = _model()
    with torch.inference_mode():
        logits, _ = model(tokens[:-1, None], model.initial_state(1))
        whole = torch.nn.functional.cross_entropy(logits[:, 0], tokens[1:], reduction="none")
    torch.testing.assert_close(losses_of(model, tokens), whole, atol=1e-4, rtol=0)
