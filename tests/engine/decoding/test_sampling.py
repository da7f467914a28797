"""Sampling: what is drawn, by its frequencies, its ends and its refusals."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from engine.config import ConfigError, ModelConfig
from engine.decoding.sampling import sample
from engine.models.language_model import LanguageModel

VOCABULARY = 5


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel(ModelConfig(units=6, embedding=4, gain=2.0), VOCABULARY, seed=1)


@pytest.fixture(scope="module")
def constant() -> tuple[LanguageModel, torch.Tensor]:
    """A model whose distribution is the same at every step, and that distribution."""
    model = LanguageModel(ModelConfig(units=2, embedding=1), VOCABULARY, seed=1)
    with torch.no_grad():
        model.head_weight.zero_()
        model.head_bias.copy_(torch.tensor([2.0, 1.0, 0.0, -1.0, -3.0]))
    return model, torch.softmax(model.head_bias.detach(), dim=0)


@pytest.mark.usefixtures("global_random_state_unchanged")
def test_the_same_seed_writes_the_same_text(model: LanguageModel) -> None:
    texts = [list(sample(model, [1, 2], length=40, seed=seed)) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 40


def test_a_longer_text_begins_like_the_shorter(model: LanguageModel) -> None:
    short, long = (list(sample(model, [1], length=length, seed=3)) for length in (10, 30))
    assert long[:10] == short


def test_tokens_come_as_often_as_they_are_likely(constant: tuple[LanguageModel, torch.Tensor]) -> None:
    model, chances = constant
    length = 4_000
    counts = Counter(sample(model, [0], length=length, seed=5))
    expected = chances * length
    chi_square = sum((counts[token] - expected[token].item()) ** 2 / expected[token].item() for token in range(5))
    assert chi_square < 18.5  # the 99.9% quantile of χ² with 4 degrees of freedom


def test_forbidden_tokens_are_never_written(constant: tuple[LanguageModel, torch.Tensor]) -> None:
    written = set(sample(constant[0], [0], length=500, seed=5, forbidden=(0, 2)))
    assert written == {1, 3, 4}


@pytest.mark.parametrize("chance", [0.0, 1 - 2**-53])
def test_not_even_at_the_ends_of_chance(
    chance: float, constant: tuple[LanguageModel, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "rand", lambda *_, **__: torch.full((1,), chance, dtype=torch.float64))
    (token,) = sample(constant[0], [0], length=1, seed=5, forbidden=(0, 4))
    assert token == (1 if chance == 0 else 3)


def test_the_end_token_ends_the_text_and_is_not_written(constant: tuple[LanguageModel, torch.Tensor]) -> None:
    whole = list(sample(constant[0], [0], length=200, seed=5))
    ended = list(sample(constant[0], [0], length=200, seed=5, end=2))
    assert ended == whole[: whole.index(2)]


def test_greedy_follows_the_likeliest_path(model: LanguageModel) -> None:
    written = list(sample(model, [1, 2], length=8, seed=0, temperature=0))
    tokens = [1, 2]
    for _ in range(8):  # the whole text read again for every token
        with torch.no_grad():
            logits, _ = model(torch.tensor(tokens)[:, None], model.initial_state(1))
        tokens.append(int(logits[-1, 0].argmax()))
    assert written == tokens[2:]


def test_sampling_leaves_gradients_switched_on_for_the_caller(model: LanguageModel) -> None:
    writing = sample(model, [1], length=3, seed=0)
    next(writing)
    assert torch.is_grad_enabled()


def test_an_empty_prompt_is_refused(model: LanguageModel) -> None:
    with pytest.raises(ConfigError, match="prompt"):
        list(sample(model, [], length=3, seed=0))


@pytest.mark.parametrize("values", [{"seed": -1}, {"seed": 2**64}, {"seed": 0, "temperature": -1.0}])
def test_settings_out_of_range_are_refused(values: dict, model: LanguageModel) -> None:
    with pytest.raises(ConfigError):
        list(sample(model, [1], length=0, **values))
