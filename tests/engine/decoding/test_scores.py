"""Scores: log-probabilities against a loop that reads one token after another, and what is made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cells import CELLS
from engine.config import ConfigError, ModelConfig
from engine.decoding import reading, scores
from engine.decoding.distribution import next_distribution
from engine.decoding.scores import log_probabilities, logits_after, perplexity
from engine.decoding.writing import Writing
from engine.models.language_model import LanguageModel

VOCABULARY = 7
tokens = st.lists(st.integers(0, VOCABULARY - 1), max_size=30)


def tiny(cell: str = "lstm", **values) -> LanguageModel:
    config = ModelConfig(**{"cell": cell, "units": 6, "embedding": 4, "gain": 2.0} | values)
    return LanguageModel(config, VOCABULARY, seed=1).double()


def slowly(model: LanguageModel, text: list[int], start: list[int]) -> list[float]:
    """log p of each token, from the whole text before it, read again for each."""
    found = []
    for place, token in enumerate(text):
        before = torch.tensor([*start, *text[:place]])
        with torch.no_grad():
            logits, _ = model(before[:, None], model.initial_state(1))
        found.append(math.log(torch.softmax(logits[-1, 0], 0)[token].item()))
    return found


@settings(max_examples=40)
@given(tokens, tokens.filter(len), st.sampled_from([1, 4, 1_024]), st.sampled_from([1, 20, 10**6]))
def test_each_is_that_of_the_text_read_token_by_token(
    text: list[int], start: list[int], chunk: int, logits_at_once: int
) -> None:
    model = tiny()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK", chunk)
        patch.setattr(scores, "_LOGITS_AT_ONCE", logits_at_once)
        found = log_probabilities(model, text, start=start)
    assert found.dtype is torch.float64
    assert found.tolist() == pytest.approx(slowly(model, text, start), rel=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_so_it_is_for_every_cell(cell: str) -> None:
    for embedding, layers in ((0, 1), (4, 2)):
        model = tiny(cell, embedding=embedding, layers=layers, bias=bool(embedding))
        text = [3, 1, 4, 1, 5, 2, 6, 5, 3, 5]
        assert log_probabilities(model, text, start=[2, 0]).tolist() == pytest.approx(slowly(model, text, [2, 0]))


def test_they_are_what_writing_said_of_its_tokens() -> None:
    model = tiny()
    written = list(Writing(model, [2, 0], seed=3, temperature=1.7, top_k=4).write(40))
    found = log_probabilities(model, [token.token for token in written], start=[2, 0])
    assert found.tolist() == pytest.approx([token.log_probability for token in written], rel=1e-9)


def test_arrays_tensors_and_lists_score_alike() -> None:
    model, text = tiny(), [1, 2, 3, 4]
    expected = log_probabilities(model, text, start=[0])
    assert torch.equal(log_probabilities(model, np.array(text), start=torch.tensor([0])), expected)


def test_the_probabilities_of_all_texts_of_one_length_sum_to_one() -> None:
    model = tiny()
    total = sum(
        log_probabilities(model, [a, b], start=[5]).sum().exp().item()
        for a in range(VOCABULARY)
        for b in range(VOCABULARY)
    )
    assert total == pytest.approx(1)


def test_what_is_impossible_stays_finite_as_long_as_the_weights_allow() -> None:
    model = tiny()
    with torch.no_grad():
        model.head_bias[3] = -900.0  # exp of it is zero in any float
    (score,) = log_probabilities(model, [3], start=[0]).tolist()
    assert -910 < score < -890


def test_no_token_has_no_score() -> None:
    assert log_probabilities(tiny(), [], start=[0]).shape == (0,)


@given(tokens.filter(len))
def test_the_logits_after_a_text_are_the_models(text: list[int]) -> None:
    model = tiny()
    with torch.no_grad():
        expected, _ = model(torch.tensor(text)[:, None], model.initial_state(1))
    found = logits_after(model, text)
    assert torch.allclose(found, expected[-1, 0], atol=1e-12)
    found[0] = -math.inf  # its taker may change it


def test_the_logits_say_what_is_drawn_from() -> None:
    model, text = tiny(), [1, 2, 6]
    (written,) = Writing(model, text, seed=3, temperature=0.7, top_p=0.8).write(1)
    distribution = next_distribution(logits_after(model, text), temperature=0.7, top_p=0.8)
    assert distribution[written.token].item() == pytest.approx(written.chance)


def test_perplexity_is_the_inverse_of_the_geometric_mean() -> None:
    chances = [0.5, 0.25, 0.125]
    assert perplexity([math.log(chance) for chance in chances]) == pytest.approx(4)
    assert perplexity(torch.full((9,), -math.log(65), dtype=torch.float64)) == pytest.approx(65)
    assert perplexity(np.zeros(3)) == 1


def test_perplexity_beyond_all_numbers_is_infinite() -> None:
    assert perplexity([-1e4]) == math.inf
    assert perplexity([-math.inf, 0.0]) == math.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: log_probabilities(tiny(), [1], start=[]),
        lambda: log_probabilities(tiny(), [VOCABULARY], start=[1]),
        lambda: log_probabilities(tiny(), [1], start=[-1]),
        lambda: logits_after(tiny(), []),
        lambda: logits_after(tiny(), [VOCABULARY]),
        lambda: perplexity([]),
    ],
)
def test_what_cannot_be_scored_is_refused(call) -> None:
    with pytest.raises(ConfigError):
        call()
