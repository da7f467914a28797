"""The language model: its size, its two kinds of input, its loss."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cells import CELLS
from engine.config import ModelConfig
from engine.models.language_model import LanguageModel, mean_loss, parameter_count, parameter_shapes

VOCABULARY = 7
TOKENS = torch.randint(VOCABULARY, (9, 3), generator=torch.Generator().manual_seed(0))  # (time, batch)


@st.composite
def model_configs(draw: st.DrawFn) -> ModelConfig:
    """Small models of every cell in every setting."""
    cell = draw(st.sampled_from(sorted(CELLS)))
    switches = CELLS[cell].options
    return ModelConfig(
        cell=cell,
        units=draw(st.integers(1, 9)),
        layers=draw(st.integers(1, 3)),
        embedding=draw(st.integers(0, 6)),
        bias=draw(st.booleans()),
        options={name: draw(st.sampled_from(option.choices)) for name, option in switches.items()},
    )


@settings(max_examples=60)
@given(model_configs(), st.integers(2, 30))
def test_the_parameters_are_counted_and_named_without_building_the_model(config: ModelConfig, vocabulary: int) -> None:
    model = LanguageModel(config, vocabulary, seed=0)
    assert parameter_count(config, vocabulary) == model.parameter_count()
    shapes = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    assert parameter_shapes(config, vocabulary) == shapes


def test_a_count_by_hand() -> None:
    config = ModelConfig(cell="lstm", units=10, embedding=4, layers=2)
    first, second = 4 * 10 * (4 + 10 + 1), 4 * 10 * (10 + 10 + 1)
    assert parameter_count(config, 7) == 7 * 4 + first + second + 7 * (10 + 1)


@pytest.mark.parametrize("cell", CELLS)
def test_one_hot_input_is_an_embedding_by_the_identity(cell: str) -> None:
    one_hot = LanguageModel(ModelConfig(cell=cell, units=5, embedding=0), VOCABULARY, seed=1)
    embedded = LanguageModel(ModelConfig(cell=cell, units=5, embedding=VOCABULARY), VOCABULARY, seed=2)
    embedded.load_state_dict({**one_hot.state_dict(), "embedding": torch.eye(VOCABULARY)})
    results = []
    for model in (one_hot, embedded):
        logits, state = model(TOKENS, model.initial_state(3))
        mean_loss(logits, TOKENS).backward()
        weight = model.stack.layer_parameters(0)["weight_ih"]
        results.append((logits, *state[0], weight.grad))
    for ours, theirs in zip(*results, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("embedding", [0, 4])
def test_a_text_in_chunks_gives_what_it_gives_in_one_piece(cell: str, embedding: int) -> None:
    model = LanguageModel(ModelConfig(cell=cell, units=5, embedding=embedding, layers=2), VOCABULARY, seed=1)
    whole, last = model(TOKENS, model.initial_state(3))
    first, state = model(TOKENS[:4], model.initial_state(3))
    second, state = model(TOKENS[4:], state)
    assert torch.allclose(torch.cat((first, second)), whole, atol=1e-6)
    assert all(torch.allclose(ours, theirs, atol=1e-6) for ours, theirs in zip(state[-1], last[-1], strict=True))


def test_streams_do_not_mix() -> None:
    model = LanguageModel(ModelConfig(units=5, embedding=4), VOCABULARY, seed=1)
    together, _ = model(TOKENS, model.initial_state(3))
    alone, _ = model(TOKENS[:, 1:2], model.initial_state(1))
    assert torch.allclose(together[:, 1:2], alone, atol=1e-6)


def test_the_same_seed_gives_the_same_weights() -> None:
    config = ModelConfig(units=5, initialisation="orthogonal")
    one, same, other = (LanguageModel(config, VOCABULARY, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_building_and_running_a_model_draws_nothing_from_the_global_generator() -> None:
    model = LanguageModel(ModelConfig(units=5, dropout=0.5, input_dropout=0.5), VOCABULARY, seed=1)
    model(TOKENS, model.initial_state(3), torch.Generator().manual_seed(0))


def test_dropout_needs_a_generator_and_follows_it() -> None:
    model = LanguageModel(ModelConfig(units=5, dropout=0.5, input_dropout=0.3), VOCABULARY, seed=1)

    def logits(seed: int | None) -> torch.Tensor:
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return model(TOKENS, model.initial_state(3), generator)[0]

    assert torch.equal(logits(None), logits(None))
    assert torch.equal(logits(1), logits(1))
    assert not torch.allclose(logits(1), logits(2))
    assert not torch.allclose(logits(1), logits(None))


def test_without_biases_there_are_none() -> None:
    model = LanguageModel(ModelConfig(cell="gru", bias=False), VOCABULARY, seed=1)
    assert not [name for name, _ in model.named_parameters() if "bias" in name]


def test_the_loss_is_the_mean_of_minus_log_p_of_each_target() -> None:
    logits = torch.randn(4, 3, VOCABULARY, generator=torch.Generator().manual_seed(2))
    targets = TOKENS[:4]
    by_hand = [
        -math.log(math.exp(logits[t, b, targets[t, b]]) / sum(math.exp(value) for value in logits[t, b]))
        for t in range(4)
        for b in range(3)
    ]
    assert mean_loss(logits, targets).item() == pytest.approx(sum(by_hand) / 12, abs=1e-6)


def test_a_fresh_model_is_about_as_good_as_a_uniform_guess() -> None:
    model = LanguageModel(ModelConfig(units=64), 60, seed=1)
    tokens = torch.randint(60, (50, 4), generator=torch.Generator().manual_seed(0))
    logits, _ = model(tokens[:-1], model.initial_state(4))
    assert mean_loss(logits, tokens[1:]).item() == pytest.approx(math.log(60), abs=0.2)
