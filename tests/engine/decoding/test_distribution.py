"""The next token's distribution against a slow reference, and what is drawn from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.config import ConfigError
from engine.decoding.distribution import draw, next_distribution

# Quarters, so that no two are equal but for rounding: which of two equals is kept is left open.
logit_lists = st.lists(st.integers(-32, 32), min_size=2, max_size=12, unique=True).map(
    lambda quarters: [quarter / 4 for quarter in quarters]
)


def slow(
    logits: list[float], temperature: float, top_k: int = 0, top_p: float = 1.0, forbidden: tuple[int, ...] = ()
) -> list[float]:
    """The distribution word for word, with lists."""
    weights = [0.0 if i in forbidden else math.exp(logit / temperature) for i, logit in enumerate(logits)]
    order = sorted(range(len(logits)), key=lambda i: -weights[i])
    if top_k:
        for i in order[top_k:]:
            weights[i] = 0.0
    total, reached = sum(weights), 0.0
    for i in order:
        if reached >= top_p * total:
            weights[i] = 0.0
        reached += weights[i]
    return [weight / sum(weights) for weight in weights]


def close(found: torch.Tensor, expected: list[float]) -> bool:
    return torch.allclose(found.double(), torch.tensor(expected, dtype=torch.float64), atol=1e-9)


def doubles(logits: list[float]) -> torch.Tensor:
    return torch.tensor(logits, dtype=torch.float64)


@given(logit_lists, st.floats(0.1, 10))
def test_a_temperature_divides_the_logits(logits: list[float], temperature: float) -> None:
    assert close(next_distribution(doubles(logits), temperature=temperature), slow(logits, temperature))


@given(logit_lists, st.integers(0, 20), st.floats(0.2, 5))
def test_top_k_keeps_the_k_likeliest(logits: list[float], top_k: int, temperature: float) -> None:
    found = next_distribution(doubles(logits), temperature=temperature, top_k=top_k)
    assert close(found, slow(logits, temperature, top_k))
    assert int((found > 0).sum()) <= (top_k or len(logits))


def test_top_k_keeps_k_also_among_equals() -> None:
    assert int((next_distribution(torch.zeros(6), top_k=2) > 0).sum()) == 2


@given(logit_lists, st.sampled_from([0.1, 0.35, 0.6, 0.85, 0.999]), st.integers(0, 6))
def test_top_p_keeps_the_smallest_set_that_is_likely_enough(logits: list[float], top_p: float, top_k: int) -> None:
    found = next_distribution(doubles(logits), top_p=top_p, top_k=top_k)
    assert close(found, slow(logits, 1.0, top_k, top_p))


def test_top_p_keeps_no_more_once_it_is_reached() -> None:
    assert int((next_distribution(torch.zeros(4), top_p=0.5) > 0).sum()) == 2


@given(logit_lists, st.floats(0, 10), st.integers(0, 5), st.floats(0.01, 1), st.sets(st.integers(0, 11), max_size=3))
def test_it_sums_to_one_and_gives_nothing_to_the_forbidden(
    logits: list[float], temperature: float, top_k: int, top_p: float, chosen: set[int]
) -> None:
    forbidden = tuple(token for token in chosen if token < len(logits))[: len(logits) - 1]
    found = next_distribution(
        torch.tensor(logits), temperature=temperature, top_k=top_k, top_p=top_p, forbidden=forbidden
    )
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    assert (found >= 0).all()
    assert not found[list(forbidden)].any()


@given(logit_lists)
def test_a_temperature_of_zero_is_the_likeliest_token(logits: list[float]) -> None:
    found = next_distribution(doubles(logits), temperature=0)
    assert found.argmax().item() == max(range(len(logits)), key=logits.__getitem__)
    assert found.max().item() == found.sum().item() == 1


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-300, 5e-324])
def test_a_temperature_near_zero_is_nearly_that(temperature: float) -> None:
    assert next_distribution(torch.tensor([1.0, 3.0, 2.0]), temperature=temperature).tolist() == [0, 1, 0]


def test_greedy_never_takes_what_is_forbidden() -> None:
    assert next_distribution(torch.tensor([1.0, 3.0, 2.0]), temperature=0, forbidden=(1,)).tolist() == [0, 0, 1]


def test_the_logits_stay_as_they_were() -> None:
    logits = torch.tensor([1.0, 3.0, 2.0])
    next_distribution(logits, top_k=1, top_p=0.5, forbidden=(1,))
    assert logits.tolist() == [1.0, 3.0, 2.0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": math.nan}, "top_p"),
        ({"forbidden": (0, 1, 2)}, "forbidden"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        next_distribution(torch.zeros(3), **values)


@pytest.mark.parametrize("top_k", [5, 6, 10**9])
def test_a_top_k_of_the_vocabulary_or_more_is_off(top_k: int) -> None:
    logits = doubles([1.0, 3.0, 2.0, -1.0, 0.5])
    assert torch.equal(next_distribution(logits, top_k=top_k), next_distribution(logits))


@given(logit_lists, st.floats(0, 1, exclude_max=True))
def test_a_token_is_drawn_where_the_cumulated_distribution_passes_the_number(
    logits: list[float], number: float
) -> None:
    distribution = next_distribution(doubles(logits), top_p=0.9).numpy()
    token = draw(distribution, number)
    assert distribution[token] > 0
    assert distribution[:token].sum() <= number + 1e-12
    assert distribution[: token + 1].sum() >= number - 1e-12


def test_a_number_rounded_up_to_the_whole_still_draws_what_can_be_drawn() -> None:
    assert draw(np.array([0.0, 0.5, 0.5, 0.0]), 1.0) == 2


def test_half_precision_comes_back_as_it_went_in() -> None:
    assert next_distribution(torch.zeros(4, dtype=torch.bfloat16)).dtype is torch.bfloat16
